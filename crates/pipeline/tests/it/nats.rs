//! `JetStream`, against a real server.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::producers::nats::async_nats::jetstream::{self, Context, consumer, stream};
use pipeline::producers::nats::{Delivery, JetStream};
use pipeline::{Batch, Batcher, Failure, Handler, Message, Pipeline, Producer, Running};

use pipeline::testing::nats_server::NatsServer;

/// Fails what begins with `!` for ever, with `?` the first time; counts how often each was stored.
#[derive(Default, Clone)]
struct Stores {
    stored: Arc<Mutex<BTreeMap<String, u32>>>,
    slow: Duration,
}

impl Handler for Stores {
    type In = Delivery;
    type Out = String;

    async fn handle_message(&self, message: &mut Message<Delivery>) -> Result<String, Failure> {
        let text = message.data.text()?;
        match text.as_bytes().first() {
            Some(b'!') => Err(Failure::reject("wrong\nfor ever")),
            Some(b'?') if message.data.attempt() == 1 => Err(Failure::retry("not now")),
            Some(b'~') => Err(Failure::retry("never")),
            _ => Ok(text.to_owned()),
        }
    }

    async fn handle_batch(&self, batch: &mut Batch<Delivery, String>) -> Result<(), Failure> {
        tokio::time::sleep(self.slow).await;
        let mut stored = self.stored.lock().unwrap();
        for item in &*batch {
            *stored.entry(item.data.clone()).or_default() += 1;
        }
        Ok(())
    }
}

async fn feeds(context: &Context) {
    let subjects = vec!["feeds.>".to_owned()];
    let config = stream::Config { name: "FEEDS".to_owned(), subjects, ..stream::Config::default() };
    context.create_stream(config).await.unwrap();
}

async fn publish(context: &Context, subject: &str, payloads: impl IntoIterator<Item = String>) {
    let mut acks = Vec::new();
    for payload in payloads {
        acks.push(context.publish(subject.to_owned(), payload.into()).await.unwrap());
    }
    for ack in acks {
        ack.await.unwrap();
    }
}

fn producer(context: &Context) -> JetStream {
    JetStream::new(context.clone(), "FEEDS", "shop")
        .backoff(Duration::from_millis(50), Duration::from_secs(1))
}

fn start(handler: &Stores, producer: JetStream) -> Running<Delivery> {
    Pipeline::builder(handler.clone())
        .producer(producer)
        .processors(2)
        .demand(100, 50)
        .batcher(Batcher::new("store").size(50).timeout(Duration::from_millis(5)))
        .start()
        .unwrap()
}

async fn until(mut so: impl AsyncFnMut() -> bool) {
    while !so().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What the broker still has for the consumer: not given out, or not acknowledged.
async fn left(context: &Context) -> usize {
    let stream = context.get_stream("FEEDS").await.unwrap();
    let consumer: consumer::PullConsumer = stream.get_consumer("shop").await.unwrap();
    let info = consumer.get_info().await.unwrap();
    usize::try_from(info.num_pending).unwrap() + info.num_ack_pending
}

#[tokio::test]
async fn every_message_is_stored_once_and_acknowledged() {
    let server = NatsServer::start().await;
    let context = server.jetstream().await;
    feeds(&context).await;
    publish(&context, "feeds.a", (0..3_000).map(|n| n.to_string())).await;
    publish(&context, "feeds.b", ["elsewhere".to_owned()]).await;
    let stores = Stores::default();
    let running = start(&stores, producer(&context).filter("feeds.a").filter("feeds.c").double_ack(true));
    until(async || running.stats().acked_done == 3_000).await;
    assert_eq!(left(&context).await, 0, "confirmed one by one");
    publish(&context, "feeds.c", ["later".to_owned()]).await;
    until(async || running.stats().acked_done == 3_001).await;
    let drained = running.drain(Duration::from_secs(10)).await;
    assert_eq!((drained.unacked, drained.stats.ack_errors), (0, 0));
    let times = stores.stored.lock().unwrap();
    assert_eq!(times.len(), 3_001);
    assert!(times.values().all(|once| *once == 1));
}

#[tokio::test]
async fn failures_come_back_and_end_as_dead_letters() {
    let server = NatsServer::start().await;
    let context = server.jetstream().await;
    feeds(&context).await;
    let dead = stream::Config {
        name: "DEAD".to_owned(),
        subjects: vec!["dead.>".to_owned()],
        ..stream::Config::default()
    };
    let dead = context.create_stream(dead).await.unwrap();
    publish(&context, "feeds.a", ["!", "?", "~", "fine"].map(str::to_owned)).await;
    let stores = Stores::default();
    let running = start(&stores, producer(&context).max_attempts(3).dead_letters("dead.feeds"));
    until(async || running.stats().acked_failed == 5).await;
    until(async || left(&context).await == 0).await;
    running.drain(Duration::from_secs(10)).await;
    assert_eq!(*stores.stored.lock().unwrap(), BTreeMap::from([("?".to_owned(), 1), ("fine".to_owned(), 1)]));
    let mut letters = BTreeMap::new();
    for sequence in 1..=2 {
        let letter = dead.get_raw_message(sequence).await.unwrap();
        let header = |name: &str| letter.headers.get(name).unwrap().as_str().to_owned();
        let text = String::from_utf8(letter.payload.to_vec()).unwrap();
        letters.insert(text, (header("Pipeline-Reason"), header("Pipeline-Sequence")));
    }
    let letter = |reason: &str, sequence: &str| (reason.to_owned(), sequence.to_owned());
    assert_eq!(letters["!"], letter("wrong for ever", "1"));
    assert_eq!(letters["~"], letter("never", "3"));
}

/// For how long the broker is away: longer than it waits for an acknowledgement. `PULSE_SOAK_OUTAGE` sets the seconds.
fn outage() -> Duration {
    Duration::from_secs(std::env::var("PULSE_SOAK_OUTAGE").map_or(3, |seconds| seconds.parse().unwrap()))
}

#[tokio::test]
async fn soak_a_broker_that_was_gone_is_taken_up_again_by_itself() {
    let mut server = NatsServer::start().await;
    let context = server.jetstream().await;
    feeds(&context).await;
    publish(&context, "feeds.a", (0..500).map(|n| n.to_string())).await;
    let stores = Stores { slow: Duration::from_millis(20), ..Stores::default() };
    let running = start(&stores, producer(&context).ack_wait(Duration::from_secs(2)));
    until(async || running.stats().acked_done >= 100).await;
    server.down();
    // So long, and until nothing is in hand that could go on.
    tokio::time::sleep(outage()).await;
    until(async || {
        let before = stores.stored.lock().unwrap().len();
        tokio::time::sleep(Duration::from_millis(500)).await;
        stores.stored.lock().unwrap().len() == before
    })
    .await;
    server.up().await;
    publish(&context, "feeds.a", (500..1_000).map(|n| n.to_string())).await;
    until(async || stores.stored.lock().unwrap().len() == 1_000).await;
    until(async || left(&context).await == 0).await;
    running.drain(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn what_a_dead_node_had_goes_to_another_and_what_is_slow_does_not() {
    let server = NatsServer::start().await;
    let context = server.jetstream().await;
    feeds(&context).await;
    publish(&context, "feeds.a", (0..60).map(|n| n.to_string())).await;
    let wait = Duration::from_millis(600);
    let stuck = Stores { slow: Duration::from_hours(1), ..Stores::default() };
    let first = start(&stuck, producer(&context).ack_wait(wait));
    until(async || first.stats().produced == 60).await;
    let stores = Stores::default();
    let second = start(&stores, producer(&context).ack_wait(wait));
    // Three times as long as the broker would wait for a silent node.
    tokio::time::sleep(wait * 3).await;
    assert_eq!(second.stats().produced, 0, "the first node says that it is at it");
    drop(first);
    until(async || left(&context).await == 0).await;
    second.drain(Duration::from_secs(10)).await;
    assert_eq!(stores.stored.lock().unwrap().len(), 60);
}

#[tokio::test]
async fn what_was_not_handed_out_goes_back_at_once() {
    let server = NatsServer::start().await;
    let context = server.jetstream().await;
    feeds(&context).await;
    publish(&context, "feeds.a", (0..20).map(|n| n.to_string())).await;
    let mut first = producer(&context).ack_wait(Duration::from_mins(10));
    let taken = first.produce(4).await.unwrap().unwrap();
    until(async || {
        let stream = context.get_stream("FEEDS").await.unwrap();
        let consumer: consumer::PullConsumer = stream.get_consumer("shop").await.unwrap();
        consumer.get_info().await.unwrap().num_ack_pending == 4
    })
    .await;
    first.stop().await;
    let stores = Stores::default();
    let second = start(&stores, producer(&context).ack_wait(Duration::from_mins(10)));
    until(async || stores.stored.lock().unwrap().len() == 20 - taken.len()).await;
    second.drain(Duration::from_secs(10)).await;
}

/// A poisonous message that takes its process with it each time is not given out for ever.
#[tokio::test]
async fn what_was_given_out_too_often_comes_failed() {
    let server = NatsServer::start().await;
    let context = server.jetstream().await;
    feeds(&context).await;
    publish(&context, "feeds.a", ["poison".to_owned()]).await;
    let settings = || producer(&context).ack_wait(Duration::from_millis(100)).max_attempts(2);
    for attempt in 1..=3 {
        let mut life = settings();
        let messages = life.produce(10).await.unwrap().unwrap();
        assert_eq!(messages[0].data.attempt(), attempt);
        assert_eq!(messages[0].is_failed(), attempt == 3, "attempt {attempt}");
    }
}

#[tokio::test]
async fn a_consumer_that_was_deleted_is_made_again() {
    let server = NatsServer::start().await;
    let context = server.jetstream().await;
    feeds(&context).await;
    let stores = Stores::default();
    let running = start(&stores, producer(&context));
    publish(&context, "feeds.a", ["one".to_owned()]).await;
    until(async || running.stats().acked_done == 1).await;
    let stream: jetstream::stream::Stream = context.get_stream("FEEDS").await.unwrap();
    stream.delete_consumer("shop").await.unwrap();
    publish(&context, "feeds.a", ["two".to_owned()]).await;
    until(async || stores.stored.lock().unwrap().contains_key("two")).await;
    assert!(running.stats().producer_errors >= 1);
    running.drain(Duration::from_secs(10)).await;
}

/// Where the child finds its broker and its file.
const BROKER: &str = "PIPELINE_KILLED_BROKER";

/// Appends each message to a file; what is in it survives a kill.
struct Appends(Mutex<std::fs::File>);

impl Handler for Appends {
    type In = Delivery;
    type Out = String;

    async fn handle_message(&self, message: &mut Message<Delivery>) -> Result<String, Failure> {
        Ok(message.data.text()?.to_owned())
    }

    async fn handle_batch(&self, batch: &mut Batch<Delivery, String>) -> Result<(), Failure> {
        let lines: String = batch.iter().flat_map(|item| [item.data.as_str(), "\n"]).collect();
        self.0.lock().unwrap().write_all(lines.as_bytes()).map_err(Failure::retry)
    }
}

/// What the child process runs: this test binary again, with this test alone. By itself it does nothing.
#[test]
fn child() {
    let Ok(told) = std::env::var(BROKER) else { return };
    let (url, file) = told.split_once(' ').unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let context = jetstream::new(pipeline::producers::nats::async_nats::connect(url).await.unwrap());
        let file = std::fs::File::options().append(true).create(true).open(file).unwrap();
        let running = Pipeline::builder(Appends(Mutex::new(file)))
            .producer(producer(&context).ack_wait(Duration::from_millis(500)))
            .processors(2)
            .demand(100, 50)
            .batcher(Batcher::new("store").size(50).timeout(Duration::from_millis(5)))
            .start()
            .unwrap();
        until(async || left(&context).await == 0).await;
        assert_eq!(running.drain(Duration::from_secs(30)).await.unacked, 0);
    });
}

#[tokio::test]
async fn killed_in_the_middle_of_batches_nothing_is_lost() {
    const MESSAGES: usize = 5_000;
    let server = NatsServer::start().await;
    let context = server.jetstream().await;
    feeds(&context).await;
    publish(&context, "feeds.a", (0..MESSAGES).map(|n| n.to_string())).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stored");
    let told = format!("{} {}", server.url(), file.display());
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "nats::child", "--nocapture"])
            .env(BROKER, &told)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let lines = || std::fs::read_to_string(&file).unwrap_or_default().lines().count();
    for _ in 0..4 {
        let before = lines();
        let mut child = start();
        // Killed as soon as it has stored something: somewhere between an effect and an acknowledgement.
        until(async || lines() > before || child.try_wait().unwrap().is_some()).await;
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..15))).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut last = start();
    assert!(tokio::task::spawn_blocking(move || last.wait()).await.unwrap().unwrap().success());
    let stored: BTreeSet<usize> =
        std::fs::read_to_string(&file).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(stored.len(), MESSAGES);
}
