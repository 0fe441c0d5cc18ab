//! Upgrade, heartbeat, closing.

use std::time::Duration;

use channels::{Limits, Origins};
use futures::StreamExt;
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::app::App;
use crate::client::{Client, Got, reply};

#[tokio::test]
async fn other_versions_and_refused_users_are_turned_away() {
    let app = App::start().await;
    assert_eq!(Client::try_connect(&app, "vsn=1.0.0", &[]).await.err(), Some(400));
    assert_eq!(Client::try_connect(&app, "", &[]).await.err(), Some(400));
    assert_eq!(Client::try_connect(&app, "vsn=2.0.0&user=nobody", &[]).await.err(), Some(403));
    let stats = app.endpoint.stats();
    assert_eq!((stats.refused_version, stats.refused_connect, stats.connects), (2, 1, 0));
}

#[tokio::test]
async fn pages_of_other_origins_are_turned_away() {
    let app = App::start().await;
    let own = format!("http://{}", app.addr);
    assert!(Client::try_connect(&app, "vsn=2.0.0", &[("origin", &own)]).await.is_ok());
    let evil = [("origin", "https://evil.example")];
    assert_eq!(Client::try_connect(&app, "vsn=2.0.0", &evil).await.err(), Some(403));
    assert_eq!(app.endpoint.stats().refused_origin, 1);

    let listed = Origins::List(vec!["https://evil.example".to_owned()]);
    let app = App::build(|builder| builder.origins(listed)).await;
    assert!(Client::try_connect(&app, "vsn=2.0.0", &evil).await.is_ok());
}

#[tokio::test]
async fn the_auth_token_arrives_and_its_protocol_is_echoed() {
    let app = App::start().await;
    let protocols = [("sec-websocket-protocol", "phoenix, base64url.bearer.phx.czNjcmV0")];
    // The client fails by itself if the server does not pick one of its protocols.
    let mut client =
        Client::try_connect(&app, "vsn=2.0.0", &protocols).await.expect("the protocol is echoed");
    let who = json!({ "user": "guest", "token": "s3cret", "params": {} });
    assert_eq!(client.join("1", "room:1").await, reply("1", "1", "room:1", "ok", who));
}

#[tokio::test]
async fn heartbeats_are_answered() {
    let app = App::start().await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.send(json!([null, "7", "phoenix", "heartbeat", {}])).await;
    let beat = json!([null, "7", "phoenix", "phx_reply", { "status": "ok", "response": {} }]);
    assert_eq!(client.next().await, Got::Text(beat));
    client.raw(Message::Ping(vec![1].into())).await;
    assert_eq!(client.ws.next().await.unwrap().unwrap(), Message::Pong(vec![1].into()));
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_closed_after_a_minute_and_one_with_heartbeats_is_not() {
    let app = App::in_memory(Limits::default()).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(45)).await;
        client.send(json!([null, "7", "phoenix", "heartbeat", {}])).await;
        // Without the client's own patience, which is a timer, too.
        let answer = client.ws.next().await.unwrap().unwrap();
        assert!(answer.is_text(), "{answer}");
    }
    let heard = Instant::now();
    let end = client.ws.next().await.unwrap().unwrap();
    let Message::Close(Some(close)) = end else { panic!("a close with a code") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1001, "idle"));
    assert_eq!(heard.elapsed().as_secs(), 60);
    assert_eq!(app.endpoint.stats().idle_sockets, 1);
}

#[tokio::test]
async fn a_drain_closes_with_1001_ends_channels_and_waits_for_both() {
    let mut app = App::start().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(&app, "vsn=2.0.0").await;
        client.join("1", "room:1").await;
        clients.push(client);
        assert_eq!(app.told().await, "join room:1");
    }
    assert_eq!(app.endpoint.stats().sockets, 3);
    let endpoint = app.endpoint.clone();
    let drained = tokio::spawn(async move { endpoint.drain(Duration::from_secs(20)).await });
    for client in &mut clients {
        assert_eq!(client.next().await, Got::Closed(1001, "going away".to_owned()));
        assert_eq!(client.next().await, Got::Gone);
    }
    assert!(drained.await.unwrap());
    for _ in 0..3 {
        assert_eq!(app.log.try_recv().as_deref(), Ok("end room:1 shutdown"));
    }
    let stats = app.endpoint.stats();
    assert_eq!((stats.sockets, stats.channels), (0, 0));
    assert_eq!(Client::try_connect(&app, "vsn=2.0.0", &[]).await.err(), Some(503));
}

#[tokio::test(start_paused = true)]
async fn a_drain_gives_up_at_its_deadline() {
    let app = App::in_memory(Limits { terminate: Duration::from_mins(10), ..Limits::default() }).await;
    let mut client = Client::connect(&app, "vsn=2.0.0").await;
    client.join("1", "room:1").await;
    client.send(json!(["1", "2", "room:1", "sleep", 300_000])).await;
    // The channel sleeps once this is answered by the socket itself.
    client.send(json!([null, "3", "phoenix", "heartbeat", {}])).await;
    client.next().await;
    let began = Instant::now();
    assert!(!app.endpoint.drain(Duration::from_secs(7)).await);
    assert_eq!(began.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn the_sockets_of_one_user_can_be_disconnected() {
    let app = App::start().await;
    let mut ada = Client::connect(&app, "vsn=2.0.0&user=ada").await;
    let mut bob = Client::connect(&app, "vsn=2.0.0&user=bob").await;
    ada.join("1", "room:1").await;
    bob.join("1", "room:1").await;
    assert_eq!(app.endpoint.disconnect("user:ada"), 1);
    assert_eq!(ada.next().await, Got::Closed(1001, "going away".to_owned()));
    bob.send(json!(["1", "2", "room:1", "echo", 2])).await;
    assert_eq!(bob.next().await, reply("1", "2", "room:1", "ok", json!(2)));
    assert_eq!(app.endpoint.disconnect("user:carol"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_a_socket_whose_client_says_nothing() {
    let app = App::in_memory(Limits::default()).await;
    let client = Client::connect(&app, "vsn=2.0.0").await;
    assert!(app.endpoint.drain(Duration::from_secs(20)).await);
    assert_eq!(app.endpoint.stats().sockets, 0);
    drop(client);
}
