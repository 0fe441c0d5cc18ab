//! What channels send: replies now and later, pushes, broadcasts, as JSON and as bytes.

use serde_json::json;

use crate::app::App;
use crate::client::{Client, Got, event, reply};

async fn two() -> (App, Client, Client) {
    let app = App::start().await;
    let mut one = Client::connect(&app, "vsn=2.0.0").await;
    let mut other = Client::connect(&app, "vsn=2.0.0").await;
    one.join("1", "room:1").await;
    other.join("8", "room:1").await;
    (app, one, other)
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn bytes_come_back_as_a_binary_reply_push_and_broadcast() {
    let (_app, mut one, mut other) = two().await;
    one.send_binary(["1", "2"], "room:1", "echo", &[1, 2, 255]).await;
    assert_eq!(one.next().await, Got::Binary(1, strings(&["1", "2", "room:1", "ok"]), vec![255, 2, 1]));
    one.send_binary(["1", "3"], "room:1", "whisper", &[]).await;
    assert_eq!(one.next().await, Got::Binary(0, strings(&["1", "room:1", "whispered"]), vec![]));
    one.next().await;
    one.send_binary(["1", "4"], "room:1", "shout", b"ab").await;
    let all = Got::Binary(2, strings(&["room:1", "shouted"]), b"ba".to_vec());
    assert_eq!(other.next().await, all);
    // Broadcasts and replies of one channel may come in either order: both are awaited.
    assert!(one.next_of(2).await.contains(&all));
}

#[tokio::test]
async fn a_broadcast_reaches_all_and_a_broadcast_from_all_others() {
    let (app, mut one, mut other) = two().await;
    let shouted = event([None, None], "room:1", "shouted", json!("hi"));
    one.send(json!(["1", "2", "room:1", "shout", "hi"])).await;
    let both = one.next_of(2).await;
    assert!(
        both.contains(&shouted) && both.contains(&reply("1", "2", "room:1", "ok", json!({ "reached": 2 })))
    );
    assert_eq!(other.next().await, shouted);

    one.send(json!(["1", "3", "room:1", "others", "psst"])).await;
    assert_eq!(one.next().await, reply("1", "3", "room:1", "ok", json!({ "reached": 2 })));
    assert_eq!(other.next().await, event([None, None], "room:1", "shouted", json!("psst")));

    // From outside of any channel.
    assert_eq!(app.endpoint.broadcaster().broadcast("room:1", "news", json!(1)), Ok(2));
    assert_eq!(one.next().await, event([None, None], "room:1", "news", json!(1)));
}

#[tokio::test]
async fn an_answer_can_come_later_and_then_is_the_only_one() {
    let (_app, mut one, _other) = two().await;
    one.send(json!(["1", "2", "room:1", "later", {}])).await;
    one.send(json!(["1", "3", "room:1", "echo", 3])).await;
    let both = one.next_of(2).await;
    assert!(both.contains(&reply("1", "2", "room:1", "ok", json!("later"))), "{both:?}");
    assert!(both.contains(&reply("1", "3", "room:1", "ok", json!(3))), "{both:?}");
}

#[tokio::test]
async fn a_message_of_the_servers_side_becomes_a_push_with_the_joins_ref() {
    let (app, mut one, mut other) = two().await;
    app.bells.publish("bell", "ding".to_owned());
    assert_eq!(one.next().await, event([Some("1"), None], "room:1", "bell", json!("ding")));
    assert_eq!(other.next().await, event([Some("8"), None], "room:1", "bell", json!("ding")));
}
