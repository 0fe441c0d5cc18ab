//! Presence as clients see it.

use channels::presence::LocalStore;
use channels::{Broadcaster, Presence};
use serde_json::{Value, json};

use crate::app::App;
use crate::client::{Client, Got};

/// Joins with presence and gives the state and the own diff.
async fn arrive(client: &mut Client) -> (Value, Value) {
    client.send(json!(["1", "1", "room:1", "phx_join", { "present": true }])).await;
    let Got::Text(joined) = client.next().await else { panic!("text") };
    assert_eq!(joined[4]["status"], "ok", "{joined}");
    let state = next(client).await;
    assert_eq!(state[3], "presence_state");
    assert_eq!(state[0], "1");
    let diff = next(client).await;
    assert_eq!((&diff[0], &diff[3]), (&Value::Null, &json!("presence_diff")));
    (state[4].clone(), diff[4].clone())
}

async fn next(client: &mut Client) -> Value {
    match client.next().await {
        Got::Text(text) => text,
        other => panic!("not text: {other:?}"),
    }
}

fn metas<'a>(present: &'a Value, key: &str) -> &'a Vec<Value> {
    present[key]["metas"].as_array().unwrap_or_else(|| panic!("{key} in {present}"))
}

#[tokio::test]
async fn a_joiner_gets_the_state_without_itself_then_its_own_diff() {
    let app = App::start().await;
    let mut ada = Client::connect(&app, "vsn=2.0.0&user=ada").await;
    let (state, diff) = arrive(&mut ada).await;
    assert_eq!(state, json!({}));
    assert_eq!((metas(&diff["joins"], "ada").len(), &diff["leaves"]), (1, &json!({})));
    assert_eq!(metas(&diff["joins"], "ada")[0]["status"], "new");

    let mut bob = Client::connect(&app, "vsn=2.0.0&user=bob").await;
    let (state, _) = arrive(&mut bob).await;
    assert_eq!(metas(&state, "ada"), metas(&diff["joins"], "ada"));
    assert_eq!(metas(&next(&mut ada).await[4]["joins"], "bob").len(), 1);
}

#[tokio::test]
async fn a_key_has_a_meta_for_each_tab_with_refs_of_their_own() {
    let app = App::start().await;
    let mut one = Client::connect(&app, "vsn=2.0.0&user=ada").await;
    let (_, first) = arrive(&mut one).await;
    let mut two = Client::connect(&app, "vsn=2.0.0&user=ada").await;
    let (_, second) = arrive(&mut two).await;
    let refs = [&metas(&first["joins"], "ada")[0]["phx_ref"], &metas(&second["joins"], "ada")[0]["phx_ref"]];
    assert_ne!(refs[0], refs[1]);
    let here = app.presence.list("room:1");
    assert_eq!((here.len(), here[0].metas.len()), (1, 2));
    next(&mut one).await;

    // A tab that is closed takes its own meta away, and only that.
    drop(two);
    let left = next(&mut one).await;
    assert_eq!(
        (&left[3], metas(&left[4]["leaves"], "ada")[0]["phx_ref"].clone()),
        (&json!("presence_diff"), refs[1].clone())
    );
    assert_eq!(app.presence.list("room:1")[0].metas[0].reference(), refs[0].as_str().unwrap());
}

#[tokio::test]
async fn an_update_replaces_the_meta_and_names_the_one_before() {
    let app = App::start().await;
    let mut ada = Client::connect(&app, "vsn=2.0.0&user=ada").await;
    let (_, joined) = arrive(&mut ada).await;
    let old = metas(&joined["joins"], "ada")[0].clone();
    ada.send(json!(["1", "2", "room:1", "status", "away"])).await;
    let both = [next(&mut ada).await, next(&mut ada).await];
    let diff = both.iter().find(|message| message[3] == "presence_diff").expect("a diff");
    let new = &metas(&diff[4]["joins"], "ada")[0];
    assert_eq!((&new["status"], &new["phx_ref_prev"]), (&json!("away"), &old["phx_ref"]));
    assert_ne!(new["phx_ref"], old["phx_ref"]);
    assert_eq!(metas(&diff[4]["leaves"], "ada"), &vec![old]);
}

#[tokio::test]
async fn leaving_untracking_and_crashing_are_all_told() {
    let app = App::start().await;
    let mut watcher = Client::connect(&app, "vsn=2.0.0&user=zoe").await;
    watcher.join("1", "room:1").await;
    for (user, last) in [("ada", "absent"), ("bob", "phx_leave"), ("eve", "crash")] {
        let mut client = Client::connect(&app, &format!("vsn=2.0.0&user={user}")).await;
        arrive(&mut client).await;
        assert_eq!(metas(&next(&mut watcher).await[4]["joins"], user).len(), 1);
        client.send(json!(["1", "2", "room:1", last, {}])).await;
        assert_eq!(metas(&next(&mut watcher).await[4]["leaves"], user).len(), 1, "{last}");
        assert_eq!(app.presence.count("room:1"), 0);
    }
}

#[tokio::test]
async fn a_server_is_tracked_once_a_key_and_forgotten_when_dead() {
    let here = Presence::with_store(Broadcaster::new(), LocalStore::default());
    let (addr, inbox) = otp::inbox::<()>(4);
    here.track(&addr, "t", "k", &json!({})).unwrap();
    here.track(&addr, "t", "l", &json!({})).unwrap();
    here.track(&addr, "u", "k", &json!({})).unwrap();
    assert!(here.track(&addr, "t", "k", &json!({})).is_err());
    assert!(here.track(&addr, "t", "m", &json!("no object")).is_err());
    assert_eq!((here.count("t"), here.count("u")), (2, 1));

    let (watcher, mut seen) = otp::inbox(16);
    here.changes().subscribe("t".into(), &watcher, |diff| diff);
    drop(inbox);
    let diff = seen.recv().await.unwrap();
    assert_eq!((diff.leaves.len(), diff.joins.len()), (2, 0));
    assert!(seen.try_recv().is_none());
    assert_eq!((here.count("t"), here.count("u")), (0, 0));
    // A dead server leaves nothing behind, whatever is done with its address.
    here.track(&addr, "t", "k", &json!({})).unwrap();
    assert_eq!(here.count("t"), 0);
    assert_eq!(format!("{here:?}"), "Presence { owners: 0 }");
}
