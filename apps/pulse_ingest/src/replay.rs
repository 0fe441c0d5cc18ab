//! A year of a real shop, played through the front door.
//!
//! Each invoice becomes a buyer's cart that is filled line by line and checked out; a credit note takes goods back; a
//! row that makes no sense becomes a dead letter. Nothing is written past the shop's rooms.
//!
//! **Invariant.** Whatever is done carries a name derived from the file ([`FileHash`], row, invoice), so a replay that
//! was killed at any instant and started again with the same files ends with the same report, and feeding a file
//! twice changes nothing.
//!
//! # How a file goes
//!
//! 1. *Survey.* The file is read once: its hash, its products, its customers, and the last row of each invoice.
//! 2. *Delivery.* The supplier brings, per product, what the file will sell.
//! 3. *Lines.* The file is read again, and its rows go through a [`pipeline`] whose partitions are the invoices: lines of
//!    one invoice stay in order, one done before the next, while others run beside it and share the store's commits. At
//!    an invoice's last line of the file its cart is checked out; a credit note is booked at its last line, or every 500 lines.
//! 4. *Books.* When every row is acknowledged, the file is noted as done: the next time it is skipped.
//!
//! After a crash the file is read from the beginning again: a cart's remembered commands say which of its lines are
//! in, the checkout's key finds an order that was already made, and everything else recognises its own name.

mod buyers;
mod error;
mod feed;
mod file;
mod invoice;
mod names;
mod pace;
mod prices;
mod progress;
mod rows;
mod survey;
mod texts;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use pulse_core::Principal;
use pulse_data::accounts::Accounts;
use pulse_data::catalog::Catalog;
use pulse_data::imports::Imports;
use pulse_data::orders::Orders;
use pulse_fleet::FrontDoor;
use tokio_util::sync::CancellationToken;

pub use error::ReplayError;
pub(crate) use error::{Passing, patiently};
pub use names::FileHash;
pub use pace::{InvalidSpeed, Speed};
pub use progress::{Progress, Standing};

/// Who replays, in the audit.
const WHO: Principal = Principal::System("replay");

/// The rooms that a replay goes through. Cheap to clone.
#[derive(Clone)]
pub struct Shop {
    /// Carts and checkouts.
    pub door: FrontDoor,
    /// Deliveries and prices.
    pub catalog: Catalog,
    /// Returns.
    pub orders: Orders,
    /// The customers.
    pub accounts: Accounts,
    /// Which files are in, and dead letters.
    pub imports: Imports,
}

/// How to replay.
#[derive(Debug, Clone)]
pub struct Options {
    /// How fast the year passes.
    pub speed: Speed,
    /// Invoices that are worked on at once.
    pub workers: usize,
    /// Stops the replay between two steps. Started again, it goes on from there.
    pub stop: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        Self { speed: Speed::Max, workers: 1024, stop: CancellationToken::new() }
    }
}

/// How a replay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Files that were replayed to their end.
    pub done: usize,
    /// Files that had been replayed before.
    pub known: usize,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// Replays files one after the other.
pub async fn replay(
    shop: &Shop,
    files: &[PathBuf],
    options: &Options,
    progress: &Arc<Progress>,
) -> Result<Replayed, ReplayError> {
    let mut sizes = Vec::with_capacity(files.len());
    for path in files {
        let meta = tokio::fs::metadata(path).await;
        let meta = meta.map_err(|source| ReplayError::Read { path: path.clone(), source })?;
        if !meta.is_file() {
            return Err(ReplayError::NotAFile(path.clone()));
        }
        progress.expect(meta.len());
        sizes.push(meta.len());
    }
    let mut replayed = Replayed::default();
    let pace = Arc::new(Mutex::new(pace::Pace::new(options.speed)));
    let mut bytes = 0;
    for (path, size) in files.iter().zip(sizes) {
        match file::replay(shop, path, options, &pace, progress, bytes).await? {
            file::Outcome::Done => replayed.done += 1,
            file::Outcome::Known => replayed.known += 1,
            file::Outcome::Stopped => return Ok(Replayed { stopped: true, ..replayed }),
        }
        tracing::info!(file = %path.display(), "replayed");
        bytes += size;
        progress.read_to(bytes);
        progress.file();
    }
    Ok(replayed)
}
