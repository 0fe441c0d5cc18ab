//! The endpoint over a real socket, the outbox behind it.

use std::sync::Arc;
use std::time::Duration;

use pipeline::BoxFuture;
use pipeline::producers::http::{Intake, IntakeStats, Limits, OutboxSink, Posted, Sink, SinkError};
use pipeline::producers::outbox::{Options, Outbox, Wake, backlog};
use pipeline::{Failure, Handler, Message, Pipeline};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};

use crate::database::both;

const NDJSON: &str = "application/x-ndjson";

struct Served {
    addr: std::net::SocketAddr,
    intake: Intake,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Served {
    async fn new(sink: impl Sink, limits: Limits) -> Self {
        let intake = Intake::new(sink, limits);
        let app: axum::Router = axum::Router::new().route("/feeds", intake.route());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { addr, intake }
    }

    async fn send(&self, head: &str, body: &[u8]) -> Answer {
        let mut socket = TcpStream::connect(self.addr).await.unwrap();
        let head = format!("POST /feeds HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{head}\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        // Refused before it is read, a long body can't be sent to its end.
        drop(socket.write_all(body).await);
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer).await);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
    }

    async fn post(&self, content_type: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(&format!("content-type: {content_type}\r\ncontent-length: {length}"), body.as_bytes()).await
    }
}

/// What arrives at the other end of the outbox.
struct Arrives(mpsc::UnboundedSender<(Option<String>, String)>);

impl Handler for Arrives {
    type In = pipeline::producers::outbox::Entry;
    type Out = ();
    async fn handle_message(&self, message: &mut Message<Self::In>) -> Result<(), Failure> {
        let entry = &message.data;
        self.0
            .send((entry.key.clone(), entry.payload.clone()))
            .map_err(|_| Failure::retry("the test is over"))
    }
}

both!(what_is_answered_202_comes_out_of_the_outbox, |db| {
    let producer = Outbox::new(Arc::new(db.clone()), "feeds", Options::default());
    let sink = OutboxSink::new(Arc::new(db.clone()), "feeds", producer.wake(), 1_000);
    let served = Served::new(sink, Limits::default()).await;
    // Durable before anybody takes it.
    let answer = served.post("application/json; charset=utf-8", "[{\"sku\": \"A\"}, 7]").await;
    assert_eq!((answer.status, answer.body.as_str()), (202, "{\"accepted\":2}"));
    assert_eq!(backlog(&db, "feeds", 10).await.unwrap(), 2);
    let (sender, mut arrived) = mpsc::unbounded_channel();
    let running = Pipeline::builder(Arrives(sender)).processors(1).producer(producer).start().unwrap();
    let body = "{\"sku\":\"B\"}\n\n {\"sku\":\"C\"}\r\n";
    let head = format!("content-type: {NDJSON}\r\ncontent-length: {}\r\nidempotency-key: b-1", body.len());
    assert_eq!(served.send(&head, body.as_bytes()).await.status, 202);
    let expected = [
        (None, "{\"sku\": \"A\"}"),
        (None, "7"),
        (Some("b-1/0".to_owned()), "{\"sku\":\"B\"}"),
        (Some("b-1/1".to_owned()), "{\"sku\":\"C\"}"),
    ];
    for (key, payload) in expected {
        assert_eq!(arrived.recv().await.unwrap(), (key, payload.to_owned()));
    }
    running.drain(Duration::from_secs(10)).await;
    assert_eq!(served.intake.stats(), IntakeStats { accepted: 4, refused: 0 });
});

both!(what_is_refused_is_not_stored, |db| {
    let sink = OutboxSink::new(Arc::new(db.clone()), "feeds", Wake::default(), 5);
    let limits = Limits { bytes: 200, records: 3, ..Limits::default() };
    let served = Served::new(sink, limits).await;
    let cases = [
        (NDJSON, "{}\n{\"sku\":}\n", 400, "line 2: "),
        (NDJSON, "\n \n", 400, "there is no record"),
        ("application/json", "[1, 2", 400, "line 1: "),
        (NDJSON, "1\n2\n3\n4\n", 413, "at most 3 records"),
        ("application/json", "[1,2,3,4]", 413, "at most 3 records"),
        (NDJSON, &"1".repeat(201), 413, "at most 200 bytes"),
        ("text/csv", "a,b\n", 415, "application/x-ndjson"),
    ];
    for (content_type, body, status, detail) in cases {
        let answer = served.post(content_type, body).await;
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.body.contains(detail), "{body}: {}", answer.body);
        assert!(answer.head.contains("application/problem+json"));
    }
    // The length is found out on the way where it is not told.
    let head = format!("content-type: {NDJSON}\r\ntransfer-encoding: chunked");
    let chunked = format!("12c\r\n{}\r\n0\r\n\r\n", "1".repeat(300));
    assert_eq!(served.send(&head, chunked.as_bytes()).await.status, 413);
    let head = format!("content-type: {NDJSON}\r\ncontent-length: 3\r\ncontent-encoding: gzip");
    assert_eq!(served.send(&head, b"abc").await.status, 415);
    let head = format!("content-type: {NDJSON}\r\ncontent-length: 4");
    assert!(served.send(&head, b"\"\xff\"\n").await.body.contains("not UTF-8"));
    assert_eq!(backlog(&db, "feeds", 10).await.unwrap(), 0);

    // The backlog has room for five.
    assert_eq!(served.post(NDJSON, "1\n2\n3\n").await.status, 202);
    let full = served.post(NDJSON, "4\n5\n6\n").await;
    assert_eq!(full.status, 429);
    assert!(full.head.to_ascii_lowercase().contains("retry-after: 1"));
    assert_eq!(served.post(NDJSON, "4\n5\n").await.status, 202);
    assert_eq!(backlog(&db, "feeds", 10).await.unwrap(), 5);
});

both!(a_store_that_is_away_is_a_503, |db| {
    let sink = OutboxSink::new(Arc::new(db.clone()), "feeds", Wake::default(), 100);
    let served = Served::new(sink, Limits::default()).await;
    assert_eq!(served.post(NDJSON, "1\n").await.status, 202);
    db.close_by_ref().await.unwrap();
    let away = served.post(NDJSON, "2\n").await;
    assert_eq!(away.status, 503);
    assert!(away.head.to_ascii_lowercase().contains("retry-after"));
});

/// Says that it was asked, stores when the test lets it.
struct Gate {
    asked: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Sink for Gate {
    fn store(&self, _: Posted) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            self.asked.add_permits(1);
            self.open.acquire().await.unwrap().forget();
            Ok(())
        })
    }
}

#[tokio::test]
async fn too_many_at_a_time_and_a_closed_door_are_a_503() {
    let (asked, open) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gate = Gate { asked: Arc::clone(&asked), open: Arc::clone(&open) };
    let limits = Limits { requests: 1, ..Limits::default() };
    let served = Arc::new(Served::new(gate, limits).await);
    let other = Arc::clone(&served);
    let first = tokio::spawn(async move { other.post(NDJSON, "1\n").await.status });
    asked.acquire().await.unwrap().forget();
    assert_eq!(served.post(NDJSON, "2\n").await.status, 503, "there is room for one");
    served.intake.close();
    assert_eq!(served.post(NDJSON, "3\n").await.status, 503);
    open.add_permits(1);
    assert_eq!(first.await.unwrap(), 202, "what is inside is brought to its end");
    assert_eq!(asked.available_permits(), 0, "nothing else was stored");
}

/// A client that goes away in the middle does not cut the statement.
#[tokio::test]
async fn what_is_being_stored_is_stored_though_its_client_is_gone() {
    let (asked, open) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gate = Gate { asked: Arc::clone(&asked), open: Arc::clone(&open) };
    let served = Served::new(gate, Limits::default()).await;
    let mut socket = TcpStream::connect(served.addr).await.unwrap();
    let request = format!(
        "POST /feeds HTTP/1.1\r\nhost: shop\r\ncontent-type: {NDJSON}\r\ncontent-length: 2\r\n\r\n1\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    asked.acquire().await.unwrap().forget();
    drop(socket);
    // The server has seen that it is gone when it answers others.
    assert_eq!(served.post("text/plain", "x").await.status, 415);
    open.add_permits(1);
    while open.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
}
