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

#[tokio::test(start_paused = true)]
async fn a_burst_can_be_taken_at_once_up_to_the_clients_next_message() {
    let app = App::in_memory(channels::Limits::default()).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    // While the room sleeps, its mailbox fills: three from the server, one of the client, two from the server.
    client.send(json!(["1", "2", "room:1", "sleep", 1_000])).await;
    client.send(json!([null, "3", "phoenix", "heartbeat", {}])).await;
    client.next().await;
    let count = |times| (0..times).for_each(|_| _ = app.bells.publish("count", String::new()));
    count(3);
    client.send(json!(["1", "4", "room:1", "echo", "between"])).await;
    client.send(json!([null, "5", "phoenix", "heartbeat", {}])).await;
    client.next().await;
    count(2);
    let counted = |n: u32| event([Some("1"), None], "room:1", "counted", json!(n));
    assert_eq!(client.next().await, reply("1", "2", "room:1", "ok", json!({})));
    assert_eq!(client.next().await, counted(3));
    assert_eq!(client.next().await, reply("1", "4", "room:1", "ok", "between"));
    assert_eq!(client.next().await, counted(2));
}
