//! Clients that send too much, read too little or speak nonsense: each has its answer and its counter.

use channels::Limits;
use futures::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::app::App;
use crate::client::{Client, Got, reply};

fn why(reason: &str) -> serde_json::Value {
    json!({ "reason": reason })
}

#[tokio::test]
async fn more_channels_than_a_socket_may_have_are_refused() {
    let app = App::with(Limits { channels: 2, ..Limits::default() }).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.join("2", "room:2").await;
    let answer = client.join("3", "room:3").await;
    assert_eq!(answer, reply("3", "3", "room:3", "error", why("too many channels joined")));
    // Joining anew what is joined takes no further place.
    client.send(json!(["4", "4", "room:2", "phx_join", {}])).await;
    assert!(matches!(client.next().await, Got::Text(text) if text[4]["status"] == "ok"));
    assert_eq!(app.endpoint.stats().too_many_channels, 1);
}

#[tokio::test(start_paused = true)]
async fn joins_have_a_rate() {
    let app = App::in_memory(Limits { joins_per_second: 2, ..Limits::default() }).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    for (topic, status) in [("room:1", "ok"), ("room:2", "ok"), ("room:3", "error"), ("room:4", "error")] {
        let Got::Text(answer) = client.join("1", topic).await else { panic!("text") };
        assert_eq!(answer[4]["status"], status, "{answer}");
        assert!(status == "ok" || answer[4]["response"] == why("too many joins"), "{answer}");
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let answer = client.join("5", "room:refused").await;
    assert_eq!(answer, reply("5", "5", "room:refused", "error", why("unauthorized")));
    let answer = client.join("6", "room:refused").await;
    assert_eq!(answer, reply("6", "6", "room:refused", "error", why("too many joins")));
    assert_eq!(app.endpoint.stats().too_many_joins, 3);
}

#[tokio::test]
async fn a_flood_closes_the_socket_and_no_other() {
    let app = App::with(Limits { messages_per_second: 20, ..Limits::default() }).await;
    let mut calm = Client::connect(&app, "vsn=2.0.0").await;
    calm.join("1", "room:1").await;
    let mut flood = Client::connect(&app, "vsn=2.0.0").await;
    for _ in 0..200 {
        // The server may hang up before the last one.
        let _ = flood.ws.feed(Message::text(r#"[null,"1","phoenix","heartbeat",{}]"#)).await;
    }
    let _ = flood.ws.flush().await;
    let end = loop {
        match flood.next().await {
            Got::Text(_) => {}
            end => break end,
        }
    };
    assert_eq!(end, Got::Closed(1008, "too many messages".to_owned()));
    calm.send(json!(["1", "2", "room:1", "echo", 2])).await;
    assert_eq!(calm.next().await, reply("1", "2", "room:1", "ok", 2));
    assert_eq!(app.endpoint.stats().floods, 1);
}

#[tokio::test]
async fn a_message_over_the_limit_closes_the_socket() {
    let app = App::with(Limits { message_bytes: 1000, ..Limits::default() }).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.raw(Message::text("x".repeat(1001))).await;
    assert_eq!(client.next().await, Got::Closed(1009, "message too big".to_owned()));
    assert_eq!(app.endpoint.stats().too_big, 1);
}

#[tokio::test]
async fn nonsense_closes_the_socket() {
    let app = App::start().await;
    let nonsense = [
        Message::text("hello"),
        Message::text(r#"["1","1","room:1","phx_join"]"#),
        Message::text(r#"[1,"1","room:1","phx_join",{}]"#),
        Message::text(format!(r#"["1","1","{}","phx_join",{{}}]"#, "t".repeat(256))),
        Message::binary(vec![9, 0, 0, 0, 0]),
        Message::binary(vec![0, 200, 0, 0, 0, b'1']),
        Message::binary(vec![]),
    ];
    let count = nonsense.len() as u64;
    for message in nonsense {
        let mut client = Client::connect(&app, "vsn=2.0.0").await;
        client.raw(message.clone()).await;
        assert_eq!(client.next().await, Got::Closed(1003, "malformed message".to_owned()), "{message}");
    }
    assert_eq!(app.endpoint.stats().malformed, count);
}

#[tokio::test]
async fn an_event_that_nobody_knows_is_answered_and_counted() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "no such event", {}])).await;
    assert_eq!(client.next().await, reply("1", "2", "room:1", "error", why("unknown event")));
    assert_eq!(app.endpoint.stats().refused_messages, 1);
}

#[tokio::test]
async fn text_that_is_not_utf_8_closes_the_socket() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    client.ws.send(Message::Frame(frame)).await.expect("the socket is open");
    assert_eq!(client.next().await, Got::Closed(1007, "not UTF-8".to_owned()));
    let stats = app.endpoint.stats();
    assert_eq!((stats.not_text, stats.malformed), (1, 0));
}

#[tokio::test]
async fn a_client_that_never_reads_is_disconnected_and_others_miss_nothing() {
    let app = App::with(Limits { outgoing_bytes: 300_000, ..Limits::default() }).await;
    let mut reader = Client::connect(&app, "vsn=2.0.0").await;
    let mut sleeper = Client::connect(&app, "vsn=2.0.0").await;
    reader.join("1", "room:1").await;
    sleeper.join("1", "room:1").await;
    let news = json!("x".repeat(50_000));
    let mut sent = 0;
    // The kernel's buffers take some megabytes before the queue fills.
    while app.endpoint.stats().slow_consumers == 0 {
        app.endpoint.broadcaster().broadcast("room:1", "news", news.clone()).expect("short names");
        sent += 1;
        assert!(sent < 10_000, "half a gigabyte is held for a client that does not read");
        assert!(matches!(reader.next().await, Got::Text(text) if text[3] == "news"));
    }
    reader.send(json!(["1", "2", "room:1", "echo", 2])).await;
    assert_eq!(reader.next().await, reply("1", "2", "room:1", "ok", 2));
    assert_eq!(app.endpoint.stats().slow_consumers, 1);
    drop(sleeper);
}

#[tokio::test]
async fn a_channel_that_floods_its_own_client_loses_it() {
    let app = App::with(Limits { outgoing_bytes: 300_000, ..Limits::default() }).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "flood", 100])).await;
    assert_eq!(client.next().await, Got::Closed(1013, "too slow".to_owned()));
    assert_eq!(app.endpoint.stats().slow_consumers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_busy_channel_refuses_what_it_has_no_room_for() {
    let app = App::in_memory(Limits { channel_mailbox: 2, ..Limits::default() }).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "sleep", 300])).await;
    for reference in ["3", "4", "5", "6", "7"] {
        client.send(json!(["1", reference, "room:1", "echo", reference])).await;
    }
    let answers = client.next_of(6).await;
    let overloaded = answers
        .iter()
        .filter(|got| matches!(got, Got::Text(text) if text[4]["response"] == why("overloaded")));
    let refused = overloaded.count();
    assert!((3..=4).contains(&refused), "{answers:?}");
    assert_eq!(app.endpoint.stats().overloaded_channels, refused as u64);
}

#[tokio::test]
async fn there_are_only_so_many_sockets() {
    let app = App::with(Limits { sockets: 1, ..Limits::default() }).await;
    let first = Client::connect(&app, "vsn=2.0.0").await;
    assert_eq!(Client::try_connect(&app, "vsn=2.0.0", &[]).await.err(), Some(503));
    assert_eq!(app.endpoint.stats().refused_sockets, 1);
    drop(first);
    while app.endpoint.stats().sockets > 0 {
        tokio::task::yield_now().await;
    }
    assert!(Client::try_connect(&app, "vsn=2.0.0", &[]).await.is_ok());
}

#[tokio::test]
async fn an_event_too_long_for_a_binary_frame_is_counted_and_harms_nobody() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "long_event", {}])).await;
    assert_eq!(client.next().await, reply("1", "2", "room:1", "ok", json!({})));
    assert_eq!(app.endpoint.stats().unsendable, 1);
}
