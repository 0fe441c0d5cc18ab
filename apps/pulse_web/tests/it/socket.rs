//! A client's end of the shop's sockets, of programs and of pages.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::stage::Shop;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Socket {
    pub(crate) socket: WebSocketStream<TcpStream>,
    refs: u32,
}

/// What ended a connection: a close code, or nothing where it broke.
pub(crate) type Closed = Option<u16>;

impl Socket {
    /// Connects to a socket's path; the error is the HTTP status.
    pub(crate) async fn at(address: SocketAddr, path: &str, cookies: &str) -> Result<Self, u16> {
        Self::over(TcpStream::connect(address).await.unwrap(), address, path, cookies).await
    }

    /// The same for a client that means not to read: its side of the kernel takes in next to nothing.
    pub(crate) async fn narrow(address: SocketAddr, path: &str, cookies: &str) -> Result<Self, u16> {
        let stream = TcpSocket::new_v4().unwrap();
        stream.set_recv_buffer_size(4 * 1024).unwrap();
        Self::over(stream.connect(address).await.unwrap(), address, path, cookies).await
    }

    async fn over(stream: TcpStream, address: SocketAddr, path: &str, cookies: &str) -> Result<Self, u16> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookies.parse().unwrap());
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self { socket, refs: 0 }),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A program's, with its token.
    pub(crate) async fn connect(shop: &Shop, token: Option<&str>) -> Result<Self, u16> {
        let token = token.map(|token| format!("&token={token}")).unwrap_or_default();
        Self::at(shop.address, &format!("/socket/websocket?vsn=2.0.0{token}"), "").await
    }

    /// The next ref.
    pub(crate) fn reference(&mut self) -> String {
        self.refs += 1;
        self.refs.to_string()
    }

    /// Sends, and waits for the answer: its status and response.
    pub(crate) async fn ask(&mut self, topic: &str, event: &str, payload: Value) -> (String, Value) {
        let reference = self.reference();
        self.send(json!([topic, reference, topic, event, payload]).to_string()).await;
        loop {
            let mut frame = self.receive().await.expect("the socket stays open");
            if frame[3] == "phx_reply" && frame[1] == reference.as_str() {
                return (frame[4]["status"].as_str().unwrap().to_owned(), frame[4]["response"].take());
            }
        }
    }

    pub(crate) async fn join(&mut self, topic: &str, payload: Value) -> (String, Value) {
        self.ask(topic, "phx_join", payload).await
    }

    pub(crate) async fn send(&mut self, text: String) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next message.
    pub(crate) async fn receive(&mut self) -> Result<Value, Closed> {
        let next = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Close(close))) => return Err(close.map(|close| close.code.into())),
                    Some(Err(_)) | None => return Err(None),
                    Some(Ok(_)) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("the shop sends something")
    }

    /// The payload of the next message of that name.
    pub(crate) async fn hear(&mut self, event: &str) -> Value {
        loop {
            let mut frame = self.receive().await.expect("the socket stays open");
            if frame[3] == event {
                return frame[4].take();
            }
        }
    }

    /// Reads until the connection ends.
    pub(crate) async fn end(mut self) -> Closed {
        loop {
            if let Err(closed) = self.receive().await {
                return closed;
            }
        }
    }
}
