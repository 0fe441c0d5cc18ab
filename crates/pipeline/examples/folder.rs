//! A folder of feeds: prices in CSV and NDJSON, validated and stored five hundred at a time.
//!
//! `cargo run -p pipeline --features files --example folder -- FOLDER`; without a folder it makes one.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pipeline::producers::files::{FileEnd, Files, Format, Row};
use pipeline::{Batch, Batcher, Failed, Failure, Handler, Message, Pipeline};

/// Prices in cents, by product.
#[derive(Default, Clone)]
struct Prices(Arc<Mutex<BTreeMap<String, u64>>>);

impl Handler for Prices {
    type In = Row;
    type Out = (String, u64);

    async fn handle_message(&self, message: &mut Message<Row>) -> Result<Self::Out, Failure> {
        let row = &message.data;
        if row.file().format() != Format::Csv {
            return Err(Failure::reject(format_args!("{}: only CSV is understood here", row.file().name())));
        }
        let cents = row.named("cents")?.parse().map_err(|_| row.reject("cents", "not a whole number"))?;
        Ok((row.named("sku")?.to_owned(), cents))
    }

    async fn handle_batch(&self, batch: &mut Batch<Row, Self::Out>) -> Result<(), Failure> {
        // The same row stored twice is stored once: a file may be read again after a crash.
        let mut prices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        prices.extend(batch.iter().map(|item| item.data.clone()));
        Ok(())
    }

    async fn handle_failed(&self, failed: &mut [Failed<Row>]) -> Result<(), Failure> {
        for one in failed {
            println!("dead letter: {} ({})", one.failure, one.message.data.text_lossy());
        }
        Ok(())
    }
}

fn sample(folder: &Path) -> std::io::Result<()> {
    std::fs::write(folder.join("monday.csv"), "sku,cents\n85123A,255\n71053,339\n71053,free\n")?;
    std::fs::write(folder.join("tuesday.csv"), "sku,cents\n85123A,295\n\"22,423\",1275\n")
}

async fn ended(end: FileEnd) {
    println!("{}: {} rows, {} failed", end.file.name(), end.done, end.failed);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let made = tempfile::tempdir()?;
    let folder = if let Some(folder) = std::env::args().nth(1) {
        folder.into()
    } else {
        sample(made.path())?;
        made.path().to_path_buf()
    };
    let prices = Prices::default();
    let mut running = Pipeline::builder(prices.clone())
        .name("prices")
        .producer(Files::folder(folder).on_end(ended))
        // A later price of a product must not be overtaken by an earlier one.
        .partition_by(|row| {
            row.field(0)
                .unwrap_or_default()
                .iter()
                .fold(0, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
        })
        .batcher(Batcher::new("store").size(500))
        .start()?;
    running.finished().await;
    println!("{:?}", prices.0.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(())
}
