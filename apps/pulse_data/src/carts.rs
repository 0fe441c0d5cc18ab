//! Where carts are kept: one row each, and many of them in one commit.
//!
//! Saves that arrive while a batch is on its way to the disk wait and make the next batch; a lone save waits for
//! nobody. So the disk's latency sets how long a save takes, and not how many there are a second.
//!
//! **Invariant.** A save is answered after the commit that holds it. Each row has its own fence: it is replaced by
//! version `n + 1` over version `n` only, and one row that is refused does not touch its neighbours in the batch. A
//! row goes only when it is a guest's that was left alone ([`GuestCarts`]), and under the same fence.

mod batch;
mod body;
mod guests;

use std::collections::HashSet;
use std::sync::Arc;

use pulse_core::cart::StoredCart;
use pulse_core::ports::{CartStore, PortFuture, SaveError, StoreError};
use pulse_core::{CartId, Currency, UserId, Version};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use body::{EMPTY_BODY, decode_recent, encode_recent};
pub use guests::{GuestCarts, Sweep, SweepError};

use self::batch::Row;
use crate::sql::Sql as _;
use crate::{Backend, DbError, Repo};

/// Saves that may wait for the store; beyond it they are answered `Overloaded`.
const QUEUE: usize = 16_384;

/// Saves that share a statement's transaction at most.
const BATCH: usize = 512;

/// The cart of an account: it has one, whatever it signs in from.
pub fn of_user(user: UserId) -> CartId {
    let digest = Sha256::new().chain_update("cart of user ").chain_update(user.to_string()).finalize();
    CartId(digest.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte)))
}

/// The store of carts, on a [`Repo`]. Cheap to clone.
///
/// ```
/// # pulse_data::db_test!(carts, |repo| async move {
/// use pulse_core::{CartId, Version, cart::StoredCart, ports::CartStore as _};
/// let carts = pulse_data::carts::Carts::new(&repo);
/// let cart = StoredCart { version: Version(1), ..StoredCart::default() };
/// carts.save(CartId(7), Version::NONE, &cart).await.unwrap();
/// assert_eq!(carts.load(CartId(7)).await.unwrap(), Some(cart));
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct Carts {
    repo: Repo,
    queue: mpsc::Sender<Save>,
}

#[derive(Debug)]
struct Save {
    row: Row,
    reply: oneshot::Sender<Result<(), SaveError>>,
}

impl Carts {
    /// Starts the store; it ends when its last clone is dropped. Needs a tokio runtime.
    pub fn new(repo: &Repo) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(collect(repo.clone(), waiting));
        Self { repo: repo.clone(), queue }
    }

    async fn store(&self, row: Row) -> Result<(), SaveError> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Save { row, reply }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        answer.await.unwrap_or_else(|_| Err(stopped().into()))
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the cart store has stopped".to_owned())
}

impl CartStore for Carts {
    fn load(&self, id: CartId) -> PortFuture<'_, Result<Option<StoredCart>, StoreError>> {
        Box::pin(async move { Ok(load(&self.repo, id).await?) })
    }

    fn save(&self, id: CartId, over: Version, cart: &StoredCart) -> PortFuture<'_, Result<(), SaveError>> {
        let row = Row::of(id, over, cart);
        Box::pin(self.store(row))
    }
}

pub(crate) async fn load(repo: &Repo, id: CartId) -> Result<Option<StoredCart>, DbError> {
    let sql = "SELECT version, currency, body, recent FROM carts WHERE id = $1";
    let Some(row) = repo.reader().row(sql, vec![id.to_string().into()]).await? else { return Ok(None) };
    let (version, currency): (i64, String) = (row.try_get("", "version")?, row.try_get("", "currency")?);
    let (body, recent): (String, String) = (row.try_get("", "body")?, row.try_get("", "recent")?);
    let corrupt = |what: &str| DbError::Corrupt(format!("cart {id}: {what}"));
    let currency = Currency::from_code(&currency).ok_or_else(|| corrupt("its currency is unknown"))?;
    Ok(Some(StoredCart {
        version: Version(u64::try_from(version).map_err(|_| corrupt("its version is negative"))?),
        cart: body::decode(&body, currency).ok_or_else(|| corrupt("its body can't be read"))?,
        recent: body::decode_recent(&recent).ok_or_else(|| corrupt("its recent commands can't be read"))?,
    }))
}

/// Makes batches of what waits, and keeps two of them on their way: one is written while the next is prepared.
async fn collect(repo: Repo, mut waiting: mpsc::Receiver<Save>) {
    let flights = Arc::new(Semaphore::new(match repo.backend() {
        Backend::Sqlite => 2,
        Backend::Postgres => 3,
    }));
    let mut held: Option<Save> = None;
    loop {
        // First the room, then the saves: what arrives while there is none joins this batch.
        let Ok(flight) = Arc::clone(&flights).acquire_owned().await else { return };
        let first = match held.take() {
            Some(save) => save,
            None => match waiting.recv().await {
                Some(save) => save,
                None => return,
            },
        };
        let mut ids = HashSet::from([first.row.id]);
        let mut batch = vec![first];
        while batch.len() < BATCH {
            let Ok(save) = waiting.try_recv() else { break };
            // Two saves of one cart have an order, which a batch does not keep: the second waits for the next.
            if !ids.insert(save.row.id) {
                held = Some(save);
                break;
            }
            batch.push(save);
        }
        let repo = repo.clone();
        tokio::spawn(async move {
            store(&repo, batch).await;
            drop(flight);
        });
    }
}

/// Writes a batch and answers each of its saves.
async fn store(repo: &Repo, batch: Vec<Save>) {
    let (rows, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|save| (save.row, save.reply)).unzip();
    let kept = batch::write(repo, rows).await;
    for (n, reply) in replies.into_iter().enumerate() {
        let answer = match &kept {
            Ok(kept) if kept.get(n).copied().unwrap_or(false) => Ok(()),
            Ok(_) => Err(SaveError::Fenced),
            Err(error) => Err(SaveError::Store(error.clone().into())),
        };
        // Who no longer waits will load the cart again.
        let _ = reply.send(answer);
    }
}
