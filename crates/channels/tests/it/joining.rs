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
