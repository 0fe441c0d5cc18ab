//! A payment gateway without a bank: for demos, tests, and the shop's first steps.
//!
//! **Invariant.** A key moves money at most once, however often it is sent; a repeated key gets the first answer. It can
//! be told to behave badly (slow, declining, silent, answering twice), as real ones do, but never to break that promise.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use pulse_core::ports::{Charge, ChargeOutcome, GatewayError, PaymentGateway, PaymentNews, PortFuture};
use sha2::{Digest as _, Sha256};

use crate::ledger::{Entry, Ledger, LedgerError, Movement};

/// How the gateway treats one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Moves the money and says so.
    Answer,
    /// Says no, for ever.
    Decline(String),
    /// Moves the money and is not heard: the caller must ask again.
    MoveSilently,
    /// Does nothing and is not heard.
    Ignore,
    /// Takes its time, then does that.
    Slow(Duration, Box<Behaviour>),
    /// Does that, and after so long says by itself what came of it, whether that was heard or not.
    Again(Duration, Box<Behaviour>),
}

/// How often the gateway misbehaves, by the key's hash: the same key always meets the same fate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FaultRates {
    /// Captures that are declined, 0 to 1.
    pub decline: f64,
    /// First calls that move the money without an answer, 0 to 1.
    pub silent: f64,
    /// How long each call takes.
    pub delay: Duration,
    /// Calls whose answer comes once more by itself, 0 to 1.
    pub twice: f64,
    /// How long after the first one.
    pub twice_after: Duration,
}

type Plan = dyn Fn(&Charge, Movement, u64) -> Behaviour + Send + Sync;

/// The gateway. Cheap to clone; clones share the ledger.
#[derive(Clone)]
pub struct SimulatedGateway {
    ledger: Arc<Mutex<Ledger>>,
    plan: Arc<Plan>,
    calls: Arc<AtomicU64>,
    news: Option<Arc<dyn PaymentNews>>,
}

impl SimulatedGateway {
    /// One that always answers and forgets with the process.
    pub fn in_memory() -> Self {
        Self::with(Ledger::default())
    }

    /// One that remembers in a file, which is made where it is missing.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self::with(Ledger::open(path)?))
    }

    fn with(ledger: Ledger) -> Self {
        Self {
            ledger: Arc::new(Mutex::new(ledger)),
            plan: Arc::new(|_, _, _| Behaviour::Answer),
            calls: Arc::default(),
            news: None,
        }
    }

    /// Tells `news` what it says by itself; without, that is heard by nobody.
    #[must_use]
    pub fn telling(mut self, news: Arc<dyn PaymentNews>) -> Self {
        self.news = Some(news);
        self
    }

    /// Behaves as `plan` says of the charge, its way, and the number of calls before this one; calling a capture off is
    /// a call like the capture itself. A key that is in the
    /// ledger already gets its answer whatever the plan's wish to decline.
    #[must_use]
    pub fn behaving(
        mut self,
        plan: impl Fn(&Charge, Movement, u64) -> Behaviour + Send + Sync + 'static,
    ) -> Self {
        self.plan = Arc::new(plan);
        self
    }

    /// Misbehaves that often.
    #[must_use]
    pub fn with_faults(self, rates: FaultRates) -> Self {
        let ledger = Arc::clone(&self.ledger);
        self.behaving(move |charge, movement, _| {
            let known = ledger.lock().get(&charge.key).is_some();
            let fate = if movement == Movement::Capture && chance("decline", &charge.key) < rates.decline {
                Behaviour::Decline("the card was declined".to_owned())
            } else if !known && chance("silent", &charge.key) < rates.silent {
                Behaviour::MoveSilently
            } else {
                Behaviour::Answer
            };
            let fate = if chance("twice", &charge.key) < rates.twice {
                Behaviour::Again(rates.twice_after, Box::new(fate))
            } else {
                fate
            };
            if rates.delay.is_zero() { fate } else { Behaviour::Slow(rates.delay, Box::new(fate)) }
        })
    }

    /// What was answered so far, in no order.
    pub fn entries(&self) -> Vec<Entry> {
        self.ledger.lock().entries().cloned().collect()
    }

    /// How often it was called.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// `fresh` is what becomes of a key that is not in the ledger yet, where the plan has no other wish.
    async fn call(
        &self,
        charge: Charge,
        movement: Movement,
        fresh: Result<(), &str>,
    ) -> Result<ChargeOutcome, GatewayError> {
        let before = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut behaviour = (self.plan)(&charge, movement, before);
        let mut again = None;
        loop {
            let wish = match behaviour {
                Behaviour::Slow(time, then) => {
                    tokio::time::sleep(time).await;
                    behaviour = *then;
                    continue;
                }
                Behaviour::Again(time, then) => {
                    again = Some(time);
                    behaviour = *then;
                    continue;
                }
                Behaviour::Ignore => return Err(GatewayError("timed out".to_owned())),
                Behaviour::Decline(ref reason) => Err(reason.clone()),
                Behaviour::Answer | Behaviour::MoveSilently => fresh.map_err(str::to_owned),
            };
            let (ledger, asked) = (Arc::clone(&self.ledger), charge.clone());
            // The disk is waited for on a thread of its own.
            let noted =
                tokio::task::spawn_blocking(move || note(&mut ledger.lock(), &charge, movement, wish)).await;
            let entry = match noted {
                Ok(noted) => noted?,
                Err(error) => return Err(GatewayError(error.to_string())),
            };
            let outcome = match entry.answer {
                Ok(reference) => ChargeOutcome::Done(reference),
                Err(reason) => ChargeOutcome::Declined(reason),
            };
            if let (Some(time), Some(news)) = (again, self.news.clone()) {
                let outcome = outcome.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    news.told(asked, outcome).await;
                });
            }
            if behaviour == Behaviour::MoveSilently {
                return Err(GatewayError("timed out".to_owned()));
            }
            return Ok(outcome);
        }
    }
}

/// The entry of a charge's key, made where there is none.
fn note(
    ledger: &mut Ledger,
    charge: &Charge,
    movement: Movement,
    wish: Result<(), String>,
) -> Result<Entry, GatewayError> {
    if let Some(known) = ledger.get(&charge.key) {
        let same =
            known.movement == movement && known.order == charge.order.0 && known.pence == charge.amount.pence;
        // Another demand under a known key is a mistake of the shop's: no gateway takes that.
        return if same {
            Ok(known.clone())
        } else {
            Err(GatewayError(format!("the key {:?} was used for another demand", charge.key)))
        };
    }
    let number = u64::from_be_bytes(hash("reference", &charge.key));
    let entry = Entry {
        key: charge.key.clone(),
        movement,
        order: charge.order.0,
        pence: charge.amount.pence,
        answer: wish.map(|()| format!("sim_{number:016x}")),
    };
    ledger
        .add(entry.clone())
        .map_err(|error| GatewayError(format!("the ledger can't be written: {error}")))?;
    Ok(entry)
}

/// A number from 0 to 1 that a key always gets.
fn chance(what: &str, key: &str) -> f64 {
    let [a, b, c, d, ..] = hash(what, key);
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}

fn hash(what: &str, key: &str) -> [u8; 8] {
    let mut first = [0; 8];
    let digest: [u8; 32] =
        Sha256::new().chain_update(what).chain_update([0]).chain_update(key).finalize().into();
    first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    first
}

impl PaymentGateway for SimulatedGateway {
    fn capture(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        Box::pin(self.call(charge, Movement::Capture, Ok(())))
    }

    fn call_off(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        Box::pin(self.call(charge, Movement::Capture, Err("it was called off")))
    }

    fn refund(&self, charge: Charge) -> PortFuture<'_, Result<ChargeOutcome, GatewayError>> {
        Box::pin(self.call(charge, Movement::Refund, Ok(())))
    }
}
