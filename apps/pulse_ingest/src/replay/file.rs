//! One file: surveyed, delivered, sold line by line, and closed in the books.
//!
//! **Invariant.** The steps are in the order in which they may be repeated: nothing is sold before it is delivered, and
//! the books are closed only when every row has been dealt with.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use pipeline::Pipeline;
use pulse_core::Timestamp;
use pulse_core::pricing::VatRate;
use pulse_data::catalog::DeliveryLine;
use pulse_data::imports::Counts;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::{ReplayError, patiently};
use super::invoice::{Invoices, Line, Work};
use super::pace::Pace;
use super::progress::Progress;
use super::rows::Rows;
use super::survey::{self, Survey};
use super::{Options, Shop, WHO, buyers, feed};
use crate::retail::Reason;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// It was wholly replayed before.
    Known,
    Stopped,
}

/// Replays one file. `before` is how many bytes of other files are dealt with.
pub(super) async fn replay(
    shop: &Shop,
    path: &Path,
    options: &Options,
    pace: &Arc<Mutex<Pace>>,
    progress: &Arc<Progress>,
    before: u64,
) -> Result<Outcome, ReplayError> {
    let Some(survey) = surveyed(path, &options.stop).await? else { return Ok(Outcome::Stopped) };
    let (hash, name) = (survey.hash.to_string(), path.file_name().unwrap_or_default().to_string_lossy());
    let (file, resumed) = patiently(|| shop.imports.begin(&WHO, &hash, &name)).await?;
    if file.done {
        return Ok(Outcome::Known);
    }
    deliver(shop, &survey).await?;
    let refused = if resumed { refused(shop, file.id).await? } else { HashSet::new() };
    let work = Arc::new(Work {
        shop: shop.clone(),
        hash: survey.hash,
        file: file.id,
        resumed,
        refused,
        buyers: buyers::ensure(shop, &survey.customers).await?,
        refused_sales: AtomicU64::new(0),
        progress: Arc::clone(progress),
        failed: Mutex::new(None),
        // A line that fails stops the others, and not the caller's token.
        stop: options.stop.child_token(),
    });
    let (to, batches) = mpsc::channel(feed::AHEAD);
    let (content, hash, ends) = (survey.content, survey.hash, survey.ends);
    let reader = tokio::task::spawn_blocking(move || feed::feed(content, hash, &ends, &to));

    let (rows, ended) = Rows::new(&work, &file, batches, pace, before);
    through(&work, rows, options.workers).await?;
    let counts = ended.lock().take();
    let read = reader.await.map_err(|error| ReplayError::Crashed(error.to_string()))?;
    let read = read.map_err(|source| ReplayError::Read { path: path.to_owned(), source })?;
    if options.stop.is_cancelled() {
        return Ok(Outcome::Stopped);
    }
    if read != Some(survey.hash) {
        return Err(ReplayError::Changed(path.to_owned()));
    }
    let counts = counts.ok_or_else(|| ReplayError::Crashed("the rows ended without a word".to_owned()))?;
    let sale_lines = counts.sale_lines.saturating_sub(work.refused_sales.load(Ordering::Relaxed));
    let counts = Counts { sale_lines, ..counts };
    let customers: Vec<i64> = survey.customers.into_keys().collect();
    patiently(|| shop.imports.finish(&WHO, file.id, counts, customers.clone())).await?;
    Ok(Outcome::Done)
}

/// Rows that one processor holds at most. Over all of them this bounds the memory of the second pass.
const ROWS_HELD: usize = 48;

/// The rows through a pipeline of so many processors. The first failure is the answer.
async fn through(work: &Arc<Work>, rows: Rows, processors: usize) -> Result<(), ReplayError> {
    let running = Pipeline::builder(Invoices::new(work))
        .name("replay")
        .producer(rows)
        .processors(processors.max(1))
        .demand(ROWS_HELD, ROWS_HELD / 2)
        .partition_by(Line::partition)
        .start();
    let mut running = running.map_err(|error| ReplayError::Crashed(error.to_string()))?;
    let handle = running.handle().clone();
    let drained = tokio::select! {
        drained = running.finished() => drained,
        () = work.stop.cancelled() => {
            // What is under way is done, what waits is left: the same files go on from there.
            handle.stop();
            running.finished().await
        }
    };
    if let Some(error) = work.failed.lock().take() {
        return Err(error);
    }
    if let Some(gave_up) = drained.gave_up {
        return Err(ReplayError::Crashed(gave_up.to_string()));
    }
    // The books are closed over rows that are done, and no others.
    if !work.stop.is_cancelled() && drained.stats.acked_done != drained.stats.produced {
        return Err(ReplayError::Crashed("a row was not acknowledged".to_owned()));
    }
    Ok(())
}

async fn surveyed(path: &Path, stop: &CancellationToken) -> Result<Option<Survey>, ReplayError> {
    let (of, stop) = (path.to_owned(), stop.clone());
    tokio::task::spawn_blocking(move || survey::survey(&of, &stop))
        .await
        .map_err(|error| ReplayError::Crashed(error.to_string()))?
        .map_err(|source| ReplayError::Read { path: path.to_owned(), source })
}

/// Rows that an earlier run was refused: they stay dead.
async fn refused(shop: &Shop, file: i64) -> Result<HashSet<u32>, ReplayError> {
    let rows = patiently(|| shop.imports.buried(&WHO, file, Reason::Refused.name())).await?;
    Ok(rows.into_iter().filter_map(|row| u32::try_from(row).ok()).collect())
}

/// The supplier brings what the file will sell. Products that only come back are made known with nothing.
async fn deliver(shop: &Shop, survey: &Survey) -> Result<(), ReplayError> {
    if survey.products.is_empty() {
        return Ok(());
    }
    let line = |(sku, product): (&pulse_core::Sku, &survey::Product)| DeliveryLine {
        sku: *sku,
        name: product.name.clone(),
        category: None,
        pieces: product.sold,
        price: product.price,
        vat: VatRate::Standard,
        // A moment before the row, so that whichever row of that time is the last one sets the price.
        priced_at: Timestamp(product.at.0.saturating_sub(1)),
    };
    let lines: Vec<DeliveryLine> = survey.products.iter().map(line).collect();
    let key = survey.hash.delivery();
    patiently(|| shop.catalog.deliver(&WHO, &key, lines.clone())).await?;
    Ok(())
}
