//! Invoices on their way through the shop: lines into carts, carts to the checkout, credit notes into the books.
//!
//! **Invariant.** The lines of an invoice go through one processor of the pipeline in the order of the file, each done
//! before the next; other invoices run beside it. An invoice is checked out at its last line of the file.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use pipeline::{Failed, Failure, Handler, Message};
use pulse_core::cart::{CartError, Command, Limits};
use pulse_core::order::{Channel, PaymentMethod};
use pulse_core::ports::{PlaceError, StoreError};
use pulse_core::pricing::VatRate;
use pulse_core::{CartId, Timestamp, UserId};
use pulse_data::catalog::{CatalogError, DeliveryLine};
use pulse_data::imports::DeadLetter;
use pulse_data::orders::{BooksLine, BooksReturn};
use pulse_fleet::{Checkout, ShopError};
use tokio_util::sync::CancellationToken;

use super::error::{ReplayError, patiently, shop};
use super::feed::Entry;
use super::names::FileHash;
use super::progress::Progress;
use super::{Shop, WHO};
use crate::retail::Reason;

/// Lines of one credit note that are booked at once.
const NOTE_LINES: usize = 500;
/// How often goods that others bought meanwhile are delivered again for one checkout.
const TOP_UPS: u32 = 10;

/// What all that is done for a file shares.
pub(super) struct Work {
    pub(super) shop: Shop,
    pub(super) hash: FileHash,
    /// The file's number in the import's books.
    pub(super) file: i64,
    /// Whether an earlier run may have done a part of it.
    pub(super) resumed: bool,
    /// Rows that an earlier run was refused.
    pub(super) refused: HashSet<u32>,
    pub(super) buyers: HashMap<i64, UserId>,
    /// Sale rows that the shop refused, in all runs.
    pub(super) refused_sales: AtomicU64,
    pub(super) progress: Arc<Progress>,
    /// Why it ended before its end.
    pub(super) failed: Mutex<Option<ReplayError>>,
    pub(super) stop: CancellationToken,
}

/// A row of an invoice.
#[derive(Debug)]
pub(super) enum Line {
    Sale(Entry),
    Return(Entry),
}

impl Line {
    /// What keeps the rows of an invoice in their order: they go one after the other through one processor.
    pub(super) fn partition(&self) -> u64 {
        let (Self::Sale(Entry { cart: CartId(id), .. }) | Self::Return(Entry { cart: CartId(id), .. })) =
            self;
        // Half of a hash is a hash.
        u64::try_from(id >> 64).unwrap_or_default()
    }
}

/// An invoice of which lines are still to come.
#[derive(Default)]
struct Open {
    /// Rows up to this one are in the cart.
    known_to: u32,
    /// When and where to, of its first accepted line.
    first: Option<(Timestamp, Box<str>)>,
    customer: Option<i64>,
}

/// The pipeline's callbacks, and the invoices that are open.
pub(super) struct Invoices {
    work: Arc<Work>,
    sales: Mutex<HashMap<CartId, Open>>,
    notes: Mutex<HashMap<CartId, BooksReturn>>,
}

impl Invoices {
    pub(super) fn new(work: &Arc<Work>) -> Self {
        Self { work: Arc::clone(work), sales: Mutex::default(), notes: Mutex::default() }
    }

    async fn line(&self, line: &Line) -> Result<(), ReplayError> {
        let work = &self.work;
        match line {
            Line::Sale(entry) => {
                let open = self.sales.lock().remove(&entry.cart);
                let mut open = match open {
                    Some(open) => open,
                    None => Open { known_to: work.known_to(entry).await?, ..Open::default() },
                };
                work.sell(entry, &mut open).await?;
                if entry.last {
                    work.check_out(entry, open).await?;
                } else {
                    self.sales.lock().insert(entry.cart, open);
                }
            }
            Line::Return(entry) => {
                let note = self.notes.lock().remove(&entry.cart);
                let mut note = note.unwrap_or_else(|| work.note(entry));
                note.lines.push(BooksLine {
                    key: work.hash.line(entry.row),
                    sku: entry.sku,
                    quantity: entry.quantity,
                    unit_pence: entry.price.pence,
                });
                if entry.last || note.lines.len() >= NOTE_LINES {
                    work.book(&mut note).await?;
                }
                if entry.last {
                    work.progress.returned();
                } else {
                    self.notes.lock().insert(entry.cart, note);
                }
            }
        }
        Ok(())
    }
}

impl Handler for Invoices {
    type In = Line;
    type Out = ();

    async fn handle_message(&self, message: &mut Message<Line>) -> Result<(), Failure> {
        let stopped = || Failure::retry("the replay has stopped");
        if self.work.stop.is_cancelled() {
            return Err(stopped());
        }
        self.line(&message.data).await.map_err(|error| {
            self.work.fail(error);
            stopped()
        })
    }

    /// A panic ends the replay like any other failure.
    async fn handle_failed(&self, failed: &mut [Failed<Line>]) -> Result<(), Failure> {
        if let Some(panic) = failed.iter().find(|failed| failed.failure.is_panic()) {
            self.work.fail(ReplayError::Crashed(panic.failure.to_string()));
        }
        Ok(())
    }
}

impl Work {
    /// Ends the replay; the first failure is its answer.
    pub(super) fn fail(&self, error: ReplayError) {
        self.failed.lock().get_or_insert(error);
        self.stop.cancel();
    }

    /// Up to which row an earlier run has filled the invoice's cart: rows go in in order, and a cart remembers its last
    /// commands even when it was checked out, for as long as it is kept.
    async fn known_to(&self, entry: &Entry) -> Result<u32, ReplayError> {
        if !self.resumed {
            return Ok(0);
        }
        let fleet = self.shop.door.fleet();
        let reading = |error| shop("reading the cart", &entry.invoice, error);
        let view = || async { fleet.view(entry.cart).await.map_err(ShopError::from) };
        let mut cart = patiently(view).await.map_err(reading)?;
        // A cart that was left half full for long may be deleted at any time, and what was put into it with it. Stored once
        // more it is young again, or turns out to be gone. A frozen one has all its lines; were it gone, its checkout would
        // say so.
        let first = cart.cart.lines.first().copied().filter(|_| cart.cart.freeze.is_none());
        if let Some(line) = first {
            let as_it_is = Command::SetQuantity { line: line.key(), quantity: line.quantity };
            let store = || async {
                let stored = fleet.command(entry.cart, None, as_it_is.clone(), Limits::TRADE).await;
                stored.map_err(ShopError::from)
            };
            match patiently(store).await {
                Ok(receipt) => cart = receipt.cart,
                Err(ShopError::Cart(CartError::NoSuchLine { .. })) => cart = Arc::default(),
                Err(error) => return Err(reading(error)),
            }
        }
        let known = cart.recent.iter().filter_map(|(command, _)| self.hash.row_of(command)).max();
        match known {
            Some(row) => Ok(row),
            None if self.is_sold(entry).await? => Ok(u32::MAX),
            None => Ok(0),
        }
    }

    /// Whether an earlier run has checked the invoice out: its cart may be gone since.
    async fn is_sold(&self, entry: &Entry) -> Result<bool, ReplayError> {
        let (orders, key) = (&self.shop.orders, self.hash.checkout(entry.cart)?);
        let found = patiently(|| orders.find(&key)).await;
        let failed = |error| shop("looking for its order", &entry.invoice, StoreError::from(error).into());
        Ok(found.map_err(failed)?.is_some())
    }

    async fn sell(&self, entry: &Entry, open: &mut Open) -> Result<(), ReplayError> {
        if self.refused.contains(&entry.row) {
            self.refused_sales.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        if entry.row > open.known_to {
            let Entry { cart, sku, quantity, price, .. } = *entry;
            let (door, command) = (&self.shop.door, self.hash.command(entry.row));
            match patiently(|| door.quote_line(&WHO, cart, command, sku, quantity, price)).await {
                Ok(_) => {}
                Err(ShopError::Cart(refusal)) => return self.refuse(entry, &refusal.to_string()).await,
                Err(error) => return Err(shop("a line", &entry.invoice, error)),
            }
        }
        open.first.get_or_insert_with(|| (entry.at, entry.country.clone()));
        open.customer = open.customer.or(entry.customer);
        Ok(())
    }

    /// The cart said no: the row is dead, and told with the reason.
    async fn refuse(&self, entry: &Entry, refusal: &str) -> Result<(), ReplayError> {
        self.refused_sales.fetch_add(1, Ordering::Relaxed);
        self.progress.dead();
        let letter = DeadLetter {
            row: u64::from(entry.row),
            reason: Reason::Refused.name().to_owned(),
            payload: format!("{}, {}: {refusal}", entry.invoice, entry.sku),
        };
        let imports = &self.shop.imports;
        Ok(patiently(|| imports.bury(&WHO, self.file, vec![letter.clone()])).await?)
    }

    async fn check_out(&self, last: &Entry, open: Open) -> Result<(), ReplayError> {
        // Every line was refused: there is nothing to check out.
        let Some((at, country)) = open.first else { return Ok(()) };
        let checkout = Checkout {
            key: self.hash.checkout(last.cart)?,
            buyer: open.customer.and_then(|customer| self.buyers.get(&customer).copied()),
            email: None,
            country: country.into(),
            payment: PaymentMethod::OnAccount,
            channel: Channel::Replay { invoice: last.invoice.to_string() },
            placed_at: Some(at),
        };
        let mut top_ups = 0;
        loop {
            let door = &self.shop.door;
            match patiently(|| door.checkout(&WHO, last.cart, checkout.clone())).await {
                Ok(_) => break,
                Err(ShopError::Place(PlaceError::OutOfStock(short))) if top_ups < TOP_UPS => {
                    // Others bought what was delivered for this file: the supplier comes again.
                    let lines = short.iter().map(|short| DeliveryLine {
                        sku: short.sku,
                        name: short.sku.to_string(),
                        category: None,
                        pieces: short.wanted.saturating_sub(short.left).max(0),
                        price: last.price,
                        vat: VatRate::Standard,
                        priced_at: Timestamp(0),
                    });
                    self.top_up(&format!("{}-{top_ups}", checkout.key), lines.collect()).await?;
                    top_ups += 1;
                }
                Err(error) => return Err(shop("the checkout", &last.invoice, error)),
            }
        }
        // Nobody comes back to this cart, and the replay of a long file must not fill the fleet with empty ones.
        self.shop.door.fleet().put_to_sleep(last.cart).await;
        self.progress.order();
        Ok(())
    }

    async fn top_up(&self, key: &str, lines: Vec<DeliveryLine>) -> Result<(), ReplayError> {
        let catalog = &self.shop.catalog;
        match patiently(|| catalog.deliver(&WHO, key, lines.clone())).await {
            // An earlier run was short of something else; the next round has another key.
            Ok(_) | Err(CatalogError::KeyReused(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn note(&self, first: &Entry) -> BooksReturn {
        BooksReturn {
            invoice: first.invoice.to_string(),
            buyer: first.customer.and_then(|customer| self.buyers.get(&customer).copied()),
            country: first.country.to_string(),
            returned_at: first.at,
            currency: first.price.currency,
            lines: Vec::new(),
        }
    }

    async fn book(&self, note: &mut BooksReturn) -> Result<(), ReplayError> {
        let orders = &self.shop.orders;
        patiently(|| orders.return_from_books(&WHO, note.clone()))
            .await
            .map_err(|error| ReplayError::Return { invoice: note.invoice.clone(), error })?;
        note.lines.clear();
        Ok(())
    }
}
