//! A demo: a supplier's feed of prices, some of them nonsense, into a store that is slow.
//!
//! `cargo run -p labs_ingest` prints every batch, the dead letters, and what was in flight at the most.
#![expect(clippy::print_stdout, reason = "a demo to look at")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use labs_ingest::{DeadLetters, Failure, Message, MessageId, Settings, Settled, Source, Steps, Stop, run};
use tokio::time::sleep;

/// A feed in memory: lines that nobody has settled yet.
struct Feed(Mutex<Lines>);

struct Lines {
    left: VecDeque<(u64, String)>,
    in_flight: usize,
    deepest: usize,
}

impl Source for Feed {
    type Item = String;

    async fn take(&self, most: usize) -> Vec<Message<String>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let some = most.min(lines.left.len());
        lines.in_flight += some;
        lines.deepest = lines.deepest.max(lines.in_flight);
        println!("asked for {most:>2}, gives {some}");
        lines.left.drain(..some).map(|(name, item)| Message { id: MessageId(name), item }).collect()
    }

    fn settle(&self, settled: Settled) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.in_flight -= settled.done.len() + settled.failed.len();
    }
}

/// Reads `CODE PRICE`, and writes into a store that takes its time.
struct Prices;

impl Steps<String> for Prices {
    type Out = (String, u32);

    async fn process(&self, line: String) -> Result<(String, u32), Failure> {
        sleep(Duration::from_millis(5)).await;
        let (code, price) =
            line.split_once(' ').ok_or_else(|| Failure(format!("'{line}' is not CODE PRICE")))?;
        let price = price.parse().map_err(|_| Failure(format!("'{price}' is no price in pence")))?;
        Ok((code.to_owned(), price))
    }

    async fn write(&self, batch: Vec<(String, u32)>) -> Result<(), Failure> {
        sleep(Duration::from_millis(80)).await;
        let codes: Vec<_> = batch.iter().map(|(code, price)| format!("{code} at {price}p")).collect();
        println!("    wrote {:>2}: {}", codes.len(), codes.join(", "));
        Ok(())
    }
}

struct Printed;

impl DeadLetters for Printed {
    fn bury(&self, id: MessageId, reason: Failure) {
        println!("    dead letter {}: {reason}", id.0);
    }
}

#[tokio::main]
async fn main() {
    let line = |n: u64| match n % 17 {
        5 => format!("PEN{n} cheap"),
        11 => "???".to_owned(),
        _ => format!("TEA{n} {}", 100 + n),
    };
    let left = (1..=60).map(|n| (n, line(n))).collect();
    let feed = Arc::new(Feed(Mutex::new(Lines { left, in_flight: 0, deepest: 0 })));
    let settings = Settings { demand: 16, processors: 4, batch: 6, patience: Duration::from_millis(40) };
    let totals = run(Arc::clone(&feed), Arc::new(Prices), Arc::new(Printed), settings, Stop::default()).await;
    let deepest = feed.0.lock().unwrap_or_else(PoisonError::into_inner).deepest;
    println!(
        "{} done, {} failed; {deepest} in flight at the most, of {}",
        totals.done, totals.failed, settings.demand
    );
}
