//! What a message costs: the pipeline in memory beside bare channels in the same sitting, peak memory at ten times the
//! input, and `JetStream` through the pipeline beside its client alone.
//!
//! Lines are `pipeline,<scenario>,<metric>,<value>`. `cargo bench -p pipeline -- MESSAGES` changes the size. The in-memory
//! scenarios run in processes of their own, so that processor time and peak memory are their own.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::expect_used, reason = "a benchmark that can't go on shall stop")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use pipeline::producers::Items;
use pipeline::producers::files::{Files, Row};
use pipeline::producers::nats::async_nats::jetstream::{consumer, stream};
use pipeline::producers::nats::{Delivery, JetStream};
use pipeline::testing::nats_server::NatsServer;
use pipeline::{
    Acknowledger, Acks, Batch, Batcher, BoxError, BoxFuture, Event, Failure, Handler, Message, Pipeline,
};
use tokio::sync::mpsc;

/// An event as a shop has them: an id, a product, a price.
struct Happened {
    id: u64,
    sku: [u8; 8],
    cents: u32,
}

fn events(count: u64) -> impl Iterator<Item = Happened> + Send {
    (0..count).map(|id| Happened { id, sku: *b"85123A  ", cents: u32::try_from(id % 10_000).unwrap_or(0) })
}

/// Adds up what it sees, so that nothing is optimised away.
#[derive(Default, Clone)]
struct Sum(Arc<AtomicU64>);

impl Handler for Sum {
    type In = Happened;
    type Out = u64;

    async fn handle_message(&self, message: &mut Message<Happened>) -> Result<u64, Failure> {
        let Happened { id, sku, cents } = &message.data;
        Ok(*id ^ u64::from(*cents) ^ u64::from(sku[0]))
    }

    async fn handle_batch(&self, batch: &mut Batch<Happened, u64>) -> Result<(), Failure> {
        self.0.fetch_add(batch.iter().map(|item| item.data & 1).sum(), Ordering::Relaxed);
        Ok(())
    }
}

/// A source that wants to be told.
#[derive(Default)]
struct Told(AtomicU64);

impl Acknowledger for Told {
    fn ack<'a>(&'a self, acks: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        self.0.fetch_add(acks.len() as u64, Ordering::Relaxed);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Two processors, batches of a hundred, acknowledgements and telemetry on.
async fn in_memory(count: u64, partitioned: bool) {
    let told = Arc::new(Told::default());
    let source = Arc::clone(&told) as Arc<dyn Acknowledger>;
    let heard = Arc::new(AtomicU64::new(0));
    let hook = Arc::clone(&heard);
    let mut builder = Pipeline::builder(Sum::default())
        .producer(Items::acknowledged(events(count), &source))
        .processors(2)
        .batcher(Batcher::new("store").size(100))
        .on_event(move |event| {
            if matches!(event, Event::BatchHandled { .. }) {
                hook.fetch_add(1, Ordering::Relaxed);
            }
        });
    if partitioned {
        builder = builder.partition_by(|event| event.id);
    }
    let drained = builder.start().expect("it can run").finished().await;
    assert_eq!((told.0.load(Ordering::Relaxed), drained.unacked), (count, 0));
    assert!(heard.load(Ordering::Relaxed) >= count / 100);
}

/// The floor: the same way through bare channels, one message a send, no batches by key, nobody told.
async fn bare_channels(count: u64) {
    let (to_batcher, mut batcher) = mpsc::channel::<u64>(1_000);
    let mut processors = Vec::new();
    for _ in 0..2 {
        let (sender, mut inbox) = mpsc::channel::<Happened>(1_000);
        let onward = to_batcher.clone();
        tokio::spawn(async move {
            while let Some(event) = inbox.recv().await {
                onward.send(event.id ^ u64::from(event.cents)).await.expect("the batcher lives");
            }
        });
        processors.push(sender);
    }
    drop(to_batcher);
    let sums = tokio::spawn(async move {
        let (mut batch, mut sum) = (Vec::with_capacity(100), 0);
        while batcher.recv_many(&mut batch, 100).await > 0 {
            sum += batch.drain(..).map(|n| n & 1).sum::<u64>();
        }
        sum
    });
    tokio::spawn(async move {
        for event in events(count) {
            let processor = usize::try_from(event.id % 2).unwrap_or(0);
            processors[processor].send(event).await.expect("the processor lives");
        }
    });
    std::hint::black_box(sums.await.expect("it ends"));
}

/// Rows of a generated CSV file, with a store that keeps nothing.
struct Rows;

impl Handler for Rows {
    type In = Row;
    type Out = u64;
    async fn handle_message(&self, message: &mut Message<Row>) -> Result<u64, Failure> {
        message.data.named("cents")?.parse().map_err(|_| message.data.reject("cents", "not a number"))
    }
}

async fn file(count: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("feed.csv");
    let mut feed = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    writeln!(feed, "sku,name,cents").expect("room");
    for id in 0..count {
        writeln!(feed, "{id},WHITE HANGING HEART T-LIGHT HOLDER,{}", id % 10_000).expect("room");
    }
    feed.flush().expect("room");
    let before = cpu();
    let began = Instant::now();
    let mut running = Pipeline::builder(Rows)
        .producer(Files::new([path]))
        .processors(2)
        .demand(2_000, 1_000)
        .batcher(Batcher::new("store").size(500))
        .start()
        .expect("it can run");
    let drained = running.finished().await;
    assert_eq!(drained.stats.acked_done, count);
    print("file", count, began.elapsed(), cpu().saturating_sub(before));
}

fn print(scenario: &str, count: u64, took: Duration, cpu: Duration) {
    println!("pipeline,{scenario},messages_per_s,{:.0}", count as f64 / took.as_secs_f64());
    println!("pipeline,{scenario},cpu_ns_per_message,{:.0}", cpu.as_nanos() as f64 / count as f64);
    println!("pipeline,{scenario},peak_memory_kib,{}", status("VmHWM:"));
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if let [scenario, count] = args.as_slice() {
        let count: u64 = count.parse().expect("a number of messages");
        let began = Instant::now();
        match scenario.as_str() {
            "bare_channels" => runtime.block_on(bare_channels(count)),
            "in_memory" => runtime.block_on(in_memory(count, false)),
            "in_memory_partitioned" => runtime.block_on(in_memory(count, true)),
            "file" => return runtime.block_on(file(count)),
            other => panic!("unknown scenario {other}"),
        }
        return print(scenario, count, began.elapsed(), cpu());
    }
    let count: u64 = args.first().map_or(3_000_000, |count| count.parse().expect("a number of messages"));
    for _ in 0..2 {
        for scenario in ["bare_channels", "in_memory", "in_memory_partitioned"] {
            in_a_process(scenario, count);
        }
    }
    // The same at ten times the input: peak memory stays where it is.
    in_a_process("in_memory", count * 10);
    in_a_process("file", count / 10);
    in_a_process("file", count);
    runtime.block_on(nats(count / 10));
}

fn in_a_process(scenario: &str, count: u64) {
    let me = std::env::current_exe().expect("this program");
    let status = Command::new(me).args([scenario, &count.to_string()]).status().expect("it starts");
    assert!(status.success(), "{scenario}: {status}");
}

/// Counts, and says when it has seen all.
#[derive(Clone)]
struct Count;

impl Handler for Count {
    type In = Delivery;
    type Out = ();
    async fn handle_message(&self, message: &mut Message<Delivery>) -> Result<(), Failure> {
        std::hint::black_box(&message.data.payload);
        Ok(())
    }
}

async fn nats(count: u64) {
    let broker = NatsServer::start().await;
    let context = broker.jetstream().await;
    let subjects = vec!["feeds.>".to_owned()];
    let config = stream::Config { name: "FEEDS".to_owned(), subjects, ..stream::Config::default() };
    let stream = context.create_stream(config).await.expect("a stream");
    let payload = bytes::Bytes::from_static(&[b'x'; 100]);
    let mut publishes = Vec::new();
    for _ in 0..count {
        publishes.push(context.publish("feeds.a", payload.clone()).await.expect("it is sent"));
        if publishes.len() == 1_000 {
            futures::future::join_all(publishes.drain(..).map(IntoFuture::into_future)).await;
        }
    }
    futures::future::join_all(publishes.into_iter().map(IntoFuture::into_future)).await;

    for round in 0..2 {
        let (before, began) = (cpu(), Instant::now());
        let config = consumer::pull::Config {
            durable_name: Some(format!("alone{round}")),
            max_ack_pending: 10_000,
            ..consumer::pull::Config::default()
        };
        let alone = stream.create_consumer(config).await.expect("a consumer");
        let mut messages = alone.stream().max_messages_per_batch(1_000).messages().await.expect("messages");
        for _ in 0..count {
            messages.next().await.expect("more").expect("a message").ack().await.expect("it is sent");
        }
        drop(messages);
        print("jetstream_client_alone", count, began.elapsed(), cpu().saturating_sub(before));

        for double in [false, true] {
            let (before, began) = (cpu(), Instant::now());
            let producer =
                JetStream::new(context.clone(), "FEEDS", format!("piped{round}{double}")).double_ack(double);
            let running = Pipeline::builder(Count)
                .producer(producer)
                .processors(2)
                .demand(2_000, 1_000)
                .batcher(Batcher::new("store").size(500).timeout(Duration::from_millis(20)))
                .start()
                .expect("it can run");
            while running.stats().acked_done < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let took = began.elapsed();
            running.drain(Duration::from_secs(10)).await;
            let scenario = if double { "jetstream_double_ack" } else { "jetstream" };
            print(scenario, count, took, cpu().saturating_sub(before));
        }
    }
}

/// Processor time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    // A hundred ticks a second on every Linux that we know.
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// A line of our memory figures, in KiB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}
