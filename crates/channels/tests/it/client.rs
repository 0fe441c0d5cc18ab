//! A client that speaks the wire itself and shows what it gets.

use std::time::Duration;

use channels::Payload;
use channels::wire::{self, Frame, ServerMessage};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::app::App;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection of either kind.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// One connection.
pub(crate) struct Client {
    pub(crate) ws: WebSocketStream<Box<dyn Wire>>,
}

/// What a server sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Got {
    /// A text frame, parsed.
    Text(Value),
    /// A binary frame: kind, strings, data.
    Binary(u8, Vec<String>, Vec<u8>),
    /// A close frame's code and reason.
    Closed(u16, String),
    /// The end without one.
    Gone,
}

/// A reply as it is expected.
pub(crate) fn reply(
    join_ref: &str,
    reference: &str,
    topic: &str,
    status: &str,
    response: impl Into<Value>,
) -> Got {
    let response: Value = response.into();
    Got::Text(json!([join_ref, reference, topic, "phx_reply", { "status": status, "response": response }]))
}

/// A push or broadcast as it is expected.
pub(crate) fn event(refs: [Option<&str>; 2], topic: &str, event: &str, payload: impl Into<Value>) -> Got {
    let payload: Value = payload.into();
    Got::Text(json!([refs[0], refs[1], topic, event, payload]))
}

impl Client {
    pub(crate) async fn connect(app: &App, query: &str) -> Self {
        Self::try_connect(app, query, &[]).await.expect("the server lets it in")
    }

    /// Connects with headers of its own; the error is the HTTP status, and 0 if there was none.
    pub(crate) async fn try_connect(
        app: &App,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let url = format!("ws://{}/socket/websocket?{query}", app.addr);
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let wire: Box<dyn Wire> = match &app.door {
            Some(door) => {
                let (ours, theirs) = tokio::io::duplex(4096);
                door.send(theirs).expect("the server accepts");
                Box::new(ours)
            }
            None => Box::new(TcpStream::connect(app.addr).await.expect("the server listens")),
        };
        match client_async(request, wire).await {
            Ok((ws, _)) => Ok(Self { ws }),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.ws.send(message).await.expect("the socket is open");
    }

    pub(crate) async fn send_binary(&mut self, refs: [&str; 2], topic: &str, event: &str, data: &[u8]) {
        let payload = Payload::binary(data.to_vec());
        let frame =
            wire::client_push(Some(refs[0]), Some(refs[1]), topic, event, &payload).expect("short names");
        let Frame::Binary(bytes) = frame else { panic!("a binary payload makes a binary frame") };
        self.raw(Message::Binary(bytes)).await;
    }

    pub(crate) async fn join(&mut self, reference: &str, topic: &str) -> Got {
        self.send(json!([reference, reference, topic, "phx_join", {}])).await;
        self.next().await
    }

    /// The next message, or the end.
    pub(crate) async fn next(&mut self) -> Got {
        let next = async {
            loop {
                match self.ws.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Got::Text(serde_json::from_str(&text).expect("the server sends JSON"));
                    }
                    Some(Ok(Message::Binary(data))) => return binary(&data),
                    Some(Ok(Message::Close(Some(close)))) => {
                        return Got::Closed(close.code.into(), close.reason.to_string());
                    }
                    Some(Ok(Message::Close(None)) | Err(_)) | None => return Got::Gone,
                    Some(Ok(_)) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("the server sends something")
    }

    /// The next messages.
    pub(crate) async fn next_of(&mut self, count: usize) -> Vec<Got> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.next().await);
        }
        all
    }
}

fn binary(data: &[u8]) -> Got {
    let (kind, texts, data) = match wire::decode_server_binary(data).expect("the server sends what it should")
    {
        ServerMessage::Push { join_ref, topic, event, data } => (0, vec![join_ref, topic, event], data),
        ServerMessage::Reply { join_ref, reference, topic, status, data } => {
            (1, vec![join_ref, reference, topic, status], data)
        }
        ServerMessage::Broadcast { topic, event, data } => (2, vec![topic, event], data),
    };
    Got::Binary(kind, texts.into_iter().map(str::to_owned).collect(), data.to_vec())
}
