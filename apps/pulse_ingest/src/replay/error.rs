//! Why a replay stopped, and what is worth trying again.
//!
//! **Invariant.** Whatever the error, what was acknowledged is kept: the same command starts where this one stopped.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use pulse_core::InvalidId;
use pulse_core::cart::CartError;
use pulse_core::ports::{PlaceError, StoreError};
use pulse_data::DbError;
use pulse_data::accounts::AccountError;
use pulse_data::catalog::CatalogError;
use pulse_data::feeds::FeedError;
use pulse_data::imports::ImportError;
use pulse_data::orders::OrderError;
use pulse_fleet::ShopError;

/// Why a replay stopped before its end. Run it again with the same files: it goes on where it was.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A pipe or a folder: a file is read twice, so it must be one.
    #[error("{} is not a regular file: a replay reads each file twice, so copy it to one", .0.display())]
    NotAFile(PathBuf),
    /// A file was overwritten while it was replayed.
    #[error("{} was changed while it was replayed: replay the file that it is now", .0.display())]
    Changed(PathBuf),
    /// The shop refused what no file can be to blame for.
    #[error("{what} of invoice {invoice} failed: {error}")]
    Shop {
        /// What was tried.
        what: &'static str,
        /// For which invoice.
        invoice: String,
        /// The shop's words.
        error: ShopError,
    },
    /// The catalogue did not take a delivery or a price.
    #[error("the catalogue failed: {0}")]
    Catalog(#[from] CatalogError),
    /// A credit note was not booked.
    #[error("credit note {invoice} failed: {error}")]
    Return {
        /// Which one.
        invoice: String,
        /// The order room's words.
        error: OrderError,
    },
    /// The books of imports failed.
    #[error("the import's books failed: {0}")]
    Import(#[from] ImportError),
    /// A customer's account was not made.
    #[error("the accounts failed: {0}")]
    Account(#[from] AccountError),
    /// A name that is made here did not fit; a fault of this program.
    #[error(transparent)]
    Name(#[from] InvalidId),
    /// A part of the replay panicked; a fault of this program.
    #[error("the replay crashed: {0}")]
    Crashed(String),
}

/// Which errors pass by themselves.
pub(crate) trait Passing {
    /// After how long it is worth to try again; `None` for never.
    fn passes(&self) -> Option<Duration>;
}

const SOON: Duration = Duration::from_millis(20);

impl Passing for StoreError {
    fn passes(&self) -> Option<Duration> {
        match self {
            Self::Unavailable(_) | Self::Overloaded => Some(SOON),
            Self::Corrupt(_) => None,
        }
    }
}

impl Passing for DbError {
    fn passes(&self) -> Option<Duration> {
        match self {
            Self::Overloaded | Self::Unavailable(_) | Self::Conflict(_) => Some(SOON),
            _ => None,
        }
    }
}

impl Passing for ShopError {
    fn passes(&self) -> Option<Duration> {
        match self {
            // A checkout that an earlier run left behind: its lease ends within a minute.
            Self::Cart(CartError::Frozen { .. }) => Some(Duration::from_secs(1)),
            Self::Overloaded { retry_after } => Some(*retry_after),
            Self::Crashed | Self::Place(PlaceError::CartChanged) => Some(SOON),
            Self::Store(error) | Self::Place(PlaceError::Store(error)) => error.passes(),
            Self::Cart(_) | Self::UnknownProduct(_) | Self::Place(_) | Self::Forbidden(_) => None,
        }
    }
}

macro_rules! passes_as_its_database {
    ($($error:ty),*) => {$(
        impl Passing for $error {
            fn passes(&self) -> Option<Duration> {
                match self {
                    Self::Db(error) => error.passes(),
                    _ => None,
                }
            }
        }
    )*};
}

passes_as_its_database!(CatalogError, FeedError, ImportError, OrderError, AccountError);

/// How long one step is tried again before the replay gives up: longer than any lease.
const PATIENCE: Duration = Duration::from_secs(90);

/// Tries a step again while its error passes by itself. Each step here has a name of its own, so doing it again is
/// safe.
pub(crate) async fn patiently<T, E: Passing, F>(mut step: impl FnMut() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let give_up = tokio::time::Instant::now() + PATIENCE;
    let mut pause = Duration::ZERO;
    loop {
        let error = match step().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let Some(at_least) = error.passes() else { return Err(error) };
        pause = (pause * 2).clamp(at_least, at_least.max(Duration::from_secs(2)));
        if tokio::time::Instant::now() + pause > give_up {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Names the invoice of a refusal.
pub(super) fn shop(what: &'static str, invoice: &str, error: ShopError) -> ReplayError {
    ReplayError::Shop { what, invoice: invoice.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_and_the_rest_is_not() {
        let mut left = 3;
        let done = patiently(|| {
            left -= 1;
            std::future::ready(if left > 0 { Err(StoreError::Overloaded) } else { Ok("done") })
        });
        assert_eq!(done.await, Ok("done"));
        let mut tries = 0;
        let failed: Result<(), _> = patiently(|| {
            tries += 1;
            std::future::ready(Err(StoreError::Corrupt(String::new())))
        })
        .await;
        assert!(failed.is_err());
        assert_eq!(tries, 1);
        let start = tokio::time::Instant::now();
        let given_up: Result<(), _> = patiently(|| std::future::ready(Err(ShopError::Crashed))).await;
        assert_eq!(given_up, Err(ShopError::Crashed));
        assert!(start.elapsed() <= PATIENCE && start.elapsed() > PATIENCE / 2, "{:?}", start.elapsed());
    }
}
