//! Joins, replies, leaves, crashes: the life of a channel as its client sees it.

use serde_json::json;

use crate::app::App;
use crate::client::{Client, event, reply};

#[tokio::test]
async fn a_join_is_answered_and_tells_the_channel_who_it_is() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0&user=ada%20l").await;
    client.send(json!(["3", "3", "room:1", "phx_join", { "a": [1] }])).await;
    let who = json!({ "user": "ada l", "token": null, "params": { "a": [1] } });
    assert_eq!(client.next().await, reply("3", "3", "room:1", "ok", who));
}

#[tokio::test]
async fn pushes_are_answered_with_their_own_refs() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "echo", { "text": "h\u{e9} \" \\" }])).await;
    assert_eq!(client.next().await, reply("1", "2", "room:1", "ok", json!({ "text": "h\u{e9} \" \\" })));
    client.send(json!(["1", "3", "room:1", "fail", 7])).await;
    assert_eq!(client.next().await, reply("1", "3", "room:1", "error", json!(7)));
    client.send(json!([null, "4", "room:1", "echo", null])).await;
    assert_eq!(client.next().await, reply("1", "4", "room:1", "ok", json!(null)));
}

#[tokio::test]
async fn a_duplicate_join_is_answered_before_the_old_one_is_closed() {
    let mut app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["5", "5", "room:1", "phx_join", {}])).await;
    let who = json!({ "user": "guest", "token": null, "params": {} });
    assert_eq!(client.next().await, reply("5", "5", "room:1", "ok", who));
    assert_eq!(client.next().await, event([Some("1"), Some("1")], "room:1", "phx_close", json!({})));
    for expected in ["join room:1", "end room:1 shutdown", "join room:1"] {
        assert_eq!(app.told().await, expected);
    }
    // The old join's messages are dropped, the new one's answered, a null ref is allowed.
    client.send(json!(["1", "6", "room:1", "echo", "old"])).await;
    client.send(json!(["5", "7", "room:1", "echo", "new"])).await;
    assert_eq!(client.next().await, reply("5", "7", "room:1", "ok", json!("new")));
    assert_eq!(app.endpoint.stats().stale_messages, 1);
}

#[tokio::test]
async fn a_refused_join_and_one_that_nobody_serves_say_why() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    let answer = client.join("1", "room:refused").await;
    assert_eq!(answer, reply("1", "1", "room:refused", "error", json!({ "reason": "unauthorized" })));
    let answer = client.join("2", "roof:1").await;
    assert_eq!(answer, reply("2", "2", "roof:1", "error", json!({ "reason": "unmatched topic" })));
    client.send(json!(["1", "3", "room:refused", "echo", 1])).await;
    let unmatched = json!({ "reason": "unmatched topic" });
    assert_eq!(client.next().await, reply("1", "3", "room:refused", "error", unmatched));
    let stats = app.endpoint.stats();
    assert_eq!((stats.joins, stats.joins_refused, stats.unmatched_topics), (0, 1, 1));
}

#[tokio::test]
async fn a_leave_is_answered_then_the_channel_closes_and_is_gone() {
    let mut app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "phx_leave", {}])).await;
    assert_eq!(client.next().await, reply("1", "2", "room:1", "ok", json!({})));
    assert_eq!(client.next().await, event([Some("1"), Some("1")], "room:1", "phx_close", json!({})));
    assert_eq!(app.told().await, "join room:1");
    assert_eq!(app.told().await, "end room:1 normal");
    assert_eq!(app.endpoint.broadcaster().broadcast("room:1", "news", json!(1)), Ok(0));
    // Leaving what is not joined is no error; pushing to it is.
    client.send(json!(["1", "3", "room:1", "phx_leave", {}])).await;
    assert_eq!(client.next().await, reply("1", "3", "room:1", "ok", json!({})));
    client.send(json!(["1", "4", "room:1", "echo", {}])).await;
    let unmatched = json!({ "reason": "unmatched topic" });
    assert_eq!(client.next().await, reply("1", "4", "room:1", "error", unmatched));
}

#[tokio::test]
async fn a_crash_is_told_the_other_channels_live_and_the_topic_can_be_joined_again() {
    let mut app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.join("2", "room:2").await;
    client.send(json!(["1", "3", "room:1", "crash", {}])).await;
    assert_eq!(client.next().await, event([Some("1"), Some("1")], "room:1", "phx_error", json!({})));
    client.send(json!(["1", "4", "room:1", "echo", {}])).await;
    let unmatched = json!({ "reason": "unmatched topic" });
    assert_eq!(client.next().await, reply("1", "4", "room:1", "error", unmatched));
    client.send(json!(["2", "5", "room:2", "echo", "alive"])).await;
    assert_eq!(client.next().await, reply("2", "5", "room:2", "ok", json!("alive")));
    let who = json!({ "user": "guest", "token": null, "params": {} });
    assert_eq!(client.join("6", "room:1").await, reply("6", "6", "room:1", "ok", who));
    for expected in ["join room:1", "join room:2", "end room:1 crashed: as asked", "join room:1"] {
        assert_eq!(app.told().await, expected);
    }
    assert_eq!(app.endpoint.stats().channel_crashes, 1);
}

#[tokio::test]
async fn a_channel_that_stops_itself_is_closed() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "stop", {}])).await;
    assert_eq!(client.next().await, reply("1", "2", "room:1", "ok", json!({})));
    assert_eq!(client.next().await, event([Some("1"), Some("1")], "room:1", "phx_close", json!({})));
}

#[tokio::test]
async fn a_join_that_crashes_is_answered() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    let answer = client.join("1", "room:crashes").await;
    assert_eq!(answer, reply("1", "1", "room:crashes", "error", json!({ "reason": "join crashed" })));
    client.send(json!(["1", "2", "room:crashes", "echo", {}])).await;
    let unmatched = json!({ "reason": "unmatched topic" });
    assert_eq!(client.next().await, reply("1", "2", "room:crashes", "error", unmatched));
}

#[tokio::test]
async fn a_slow_join_holds_up_neither_heartbeats_nor_other_channels() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.send(json!(["1", "1", "room:never", "phx_join", {}])).await;
    client.send(json!([null, "2", "phoenix", "heartbeat", {}])).await;
    let beat = json!([null, "2", "phoenix", "phx_reply", { "status": "ok", "response": {} }]);
    assert_eq!(client.next().await, crate::client::Got::Text(beat));
    client.join("3", "room:1").await;
    client.send(json!(["3", "4", "room:1", "echo", 4])).await;
    assert_eq!(client.next().await, reply("3", "4", "room:1", "ok", json!(4)));
    // Nothing of a topic reaches a client before its join is answered.
    assert_eq!(app.endpoint.broadcaster().broadcast("room:never", "news", json!(1)), Ok(0));
}

#[tokio::test]
async fn a_join_that_takes_too_long_is_answered() {
    let limits = channels::Limits { join: std::time::Duration::from_millis(20), ..Default::default() };
    let app = App::with(limits).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    let answer = client.join("1", "room:never").await;
    assert_eq!(answer, reply("1", "1", "room:never", "error", json!({ "reason": "join timeout" })));
}

#[tokio::test]
async fn channels_end_with_their_socket() {
    let mut app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.join("2", "room:2").await;
    drop(client);
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(app.told().await);
    }
    told.sort();
    assert_eq!(told, ["end room:1 shutdown", "end room:2 shutdown", "join room:1", "join room:2"]);
    assert_eq!(app.endpoint.broadcaster().broadcast("room:1", "news", json!(1)), Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_new_join_waits_for_the_end_of_the_old_one_and_hears_nothing_meanwhile() {
    let mut app = App::in_memory(channels::Limits::default()).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "sleep", 300])).await;
    client.send(json!(["5", "5", "room:1", "phx_join", {}])).await;
    client.send(json!([null, "6", "phoenix", "heartbeat", {}])).await;
    let beat = json!([null, "6", "phoenix", "phx_reply", { "status": "ok", "response": {} }]);
    assert_eq!(client.next().await, crate::client::Got::Text(beat));
    // The join was taken and the old channel still sleeps: the topic's subscription is the old one's.
    assert_eq!(app.endpoint.broadcaster().broadcast("room:1", "news", json!(1)), Ok(1));
    assert_eq!(client.next().await, reply("1", "2", "room:1", "ok", json!({})));
    let who = json!({ "user": "guest", "token": null, "params": {} });
    assert_eq!(client.next().await, reply("5", "5", "room:1", "ok", who));
    assert_eq!(client.next().await, event([Some("1"), Some("1")], "room:1", "phx_close", json!({})));
    for expected in ["join room:1", "end room:1 shutdown", "join room:1"] {
        assert_eq!(app.told().await, expected);
    }
}
