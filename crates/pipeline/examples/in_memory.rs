//! Events from other tasks, batched by customer, with a rate that changes while it runs.
//!
//! `cargo run -p pipeline --example in_memory`
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::time::Duration;

use pipeline::producers::feed;
use pipeline::{Batch, Batcher, Failed, Failure, Handler, Message, Pipeline, Rate};

/// Somebody has bought something.
#[derive(Debug)]
struct Bought {
    customer: u64,
    cents: i64,
}

struct Receipts;

impl Handler for Receipts {
    type In = Bought;
    type Out = i64;

    async fn handle_message(&self, message: &mut Message<Bought>) -> Result<i64, Failure> {
        let Bought { customer, cents } = message.data;
        if cents <= 0 {
            return Err(Failure::reject(format_args!("customer {customer} paid {cents}")));
        }
        // One receipt a customer, however the purchases come.
        message.put_batch_key(customer);
        Ok(cents)
    }

    async fn handle_batch(&self, batch: &mut Batch<Bought, i64>) -> Result<(), Failure> {
        let sum: i64 = batch.iter().map(|item| item.data).sum();
        println!("{:?}: {} purchases, {sum} cents ({:?})", batch.key(), batch.len(), batch.trigger());
        Ok(())
    }

    async fn handle_failed(&self, failed: &mut [Failed<Bought>]) -> Result<(), Failure> {
        for one in failed {
            println!("dead letter: {:?}: {}", one.message.data, one.failure);
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (shop, fed) = feed(100);
    let mut running = Pipeline::builder(Receipts)
        .name("receipts")
        .producer(fed)
        .partition_by(|bought: &Bought| bought.customer)
        .rate(Rate::per_second(20))
        .batcher(Batcher::new("receipts").size(5).timeout(Duration::from_millis(300)).concurrency(2))
        .start()?;
    print!("{}", running.topology());

    for n in 0..40_i64 {
        let cents = if n == 17 { -1 } else { 100 + n };
        shop.send(Bought { customer: n.unsigned_abs() % 4, cents }).await?;
        if n == 20 {
            println!("-- the rate goes up");
            running.set_rate(Some(Rate::per_second(1_000)));
        }
    }
    // The last sender goes: the source has ended.
    drop(shop);
    let drained = running.finished().await;
    println!(
        "{} done, {} failed, {} open",
        drained.stats.acked_done, drained.stats.acked_failed, drained.unacked
    );
    Ok(())
}
