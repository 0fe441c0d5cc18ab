//! Desks, pages and programs for the gate. A program here speaks the wire itself.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use labs_orders_web::order::{Typed, Wish};
use labs_orders_web::site::Site;
use live::testing::{Browser, Tab};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Two teas for somebody.
pub(crate) fn wish(customer: &str) -> Wish {
    Wish::check(&Typed { customer: customer.into(), item: "Tea".into(), pieces: "2".into() }).unwrap()
}

/// A desk whose pages are driven in process.
pub(crate) async fn desk() -> Site {
    Site::open([7; 32]).await.expect("the desk opens")
}

/// A page of it.
pub(crate) async fn open(site: &Site) -> Tab {
    Browser::new(site.live()).open("/").await
}

/// A desk that listens.
pub(crate) struct Served {
    pub(crate) site: Site,
    pub(crate) address: SocketAddr,
}

impl Served {
    pub(crate) async fn start() -> Self {
        let site = Site::open([7; 32]).await.unwrap();
        // Small buffers, which accepted connections inherit: who does not read is noticed soon.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(8 * 1024).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let routes = site.routes();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { site, address }
    }
}

/// One connection.
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    refs: u32,
    /// What came while an answer was waited for.
    early: VecDeque<Value>,
}

impl Client {
    pub(crate) async fn connect(to: &Served) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 * 1024).unwrap();
        let stream = socket.connect(to.address).await.unwrap();
        let url = format!("ws://{}/socket/websocket?vsn=2.0.0", to.address);
        let (socket, _) = client_async(url, stream).await.unwrap();
        Self { socket, refs: 0, early: VecDeque::new() }
    }

    /// Sends, and waits for the answer: its status and response.
    pub(crate) async fn ask(&mut self, topic: &str, event: &str, payload: Value) -> (String, Value) {
        self.refs += 1;
        let reference = self.refs.to_string();
        // One topic a client here: its join is the first message.
        let frame = json!(["1", reference, topic, event, payload]);
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
        loop {
            let mut frame = self.receive().await;
            if frame[3] == "phx_reply" && frame[1] == reference.as_str() {
                let status = frame[4]["status"].as_str().unwrap_or_default().to_owned();
                return (status, frame[4]["response"].take());
            }
            self.early.push_back(frame);
        }
    }

    /// The next message that is no answer: its event and payload.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        let mut frame = match self.early.pop_front() {
            Some(frame) => frame,
            None => self.receive().await,
        };
        (frame[3].as_str().unwrap_or_default().to_owned(), frame[4].take())
    }

    async fn receive(&mut self) -> Value {
        let next = async {
            loop {
                if let Message::Text(text) = self.socket.next().await.unwrap().unwrap() {
                    return serde_json::from_str(&text).unwrap();
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("the desk sends something")
    }
}
