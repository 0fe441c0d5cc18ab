//! Simulated shoppers: each fills a cart through the front door, changes its mind now and then, and often buys.
//!
//! **Invariant.** What shoppers do depends on the seed alone; at most so many of them begin a second, and so many are
//! in the shop at once. Whatever the shop answers (sold out, too busy) they take it like people: they leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pulse_core::order::{Channel, PaymentMethod};
use pulse_core::ports::PlaceError;
use pulse_core::{CartId, CheckoutKey, CommandId, Principal, Quantity, Role, Sku, UserId};
use pulse_fleet::{Checkout, FrontDoor, ShopError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;

const COUNTRIES: [&str; 5] = ["United Kingdom", "United Kingdom", "Germany", "France", "EIRE"];

/// Who shops, how fast, for how long.
#[derive(Debug, Clone)]
pub struct Shoppers {
    /// Draws everything that they do.
    pub seed: u64,
    /// Makes the carts of this run others than those of earlier runs (the time of the start, say).
    pub run: u64,
    /// Shoppers who come in a second; brought into 1 to 1,000.
    pub a_second: u32,
    /// Shoppers who are in the shop at once, at most; who comes then goes away again.
    pub at_once: usize,
    /// How long a shopper looks around before the next thing.
    pub pause: Duration,
    /// Stop after so many; `None` is for ever.
    pub count: Option<u64>,
    /// What they know of.
    pub goods: Arc<[Sku]>,
    /// Accounts that some of them have; the rest are guests.
    pub buyers: Arc<[UserId]>,
}

/// What became of the shoppers.
#[derive(Debug, Default)]
pub struct Visits {
    came: AtomicU64,
    bought: AtomicU64,
    left: AtomicU64,
    failed: AtomicU64,
}

/// One look at [`Visits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VisitCounts {
    /// Came in.
    pub came: u64,
    /// Bought.
    pub bought: u64,
    /// Went without: changed their mind, found it sold out, or the shop full.
    pub left: u64,
    /// Met an error that the shop should not give.
    pub failed: u64,
}

impl Visits {
    /// The counts so far.
    pub fn look(&self) -> VisitCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        VisitCounts {
            came: read(&self.came),
            bought: read(&self.bought),
            left: read(&self.left),
            failed: read(&self.failed),
        }
    }
}

/// Lets shoppers in until `stop`, or until all have come; then waits for those inside.
pub async fn visit(door: &FrontDoor, shoppers: &Shoppers, visits: &Arc<Visits>, stop: &CancellationToken) {
    let mut dice = Dice::new(shoppers.seed);
    let mut come = tokio::time::interval(Duration::from_secs(1) / shoppers.a_second.clamp(1, 1000));
    come.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let room = Arc::new(Semaphore::new(shoppers.at_once.clamp(1, Semaphore::MAX_PERMITS)));
    let mut inside = JoinSet::new();
    let mut number = 0;
    while shoppers.count.is_none_or(|count| number < count) && !shoppers.goods.is_empty() {
        if stop.run_until_cancelled(come.tick()).await.is_none() {
            break;
        }
        number += 1;
        visits.came.fetch_add(1, Ordering::Relaxed);
        let mut own = Dice::new(dice.roll());
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            visits.left.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let cart = CartId((u128::from(shoppers.run) << 64) | u128::from(own.roll()));
        let visit = Visit { door: door.clone(), shoppers: shoppers.clone(), cart, dice: own };
        let (visits, stop) = (Arc::clone(visits), stop.clone());
        inside.spawn(async move {
            let counter = match stop.run_until_cancelled(visit.run()).await {
                Some(Ok(true)) => &visits.bought,
                Some(Ok(false)) | None => &visits.left,
                Some(Err(error)) => {
                    tracing::warn!(%error, "a demo shopper met an error");
                    &visits.failed
                }
            };
            counter.fetch_add(1, Ordering::Relaxed);
            drop(place);
        });
        while inside.try_join_next().is_some() {}
    }
    while inside.join_next().await.is_some() {}
}

struct Visit {
    door: FrontDoor,
    shoppers: Shoppers,
    cart: CartId,
    dice: Dice,
}

impl Visit {
    /// Whether it ended with an order.
    async fn run(mut self) -> Result<bool, ShopError> {
        match self.shop().await {
            // Sold out, taken from the range, or full: what people meet in shops.
            Err(
                ShopError::Place(PlaceError::OutOfStock(_))
                | ShopError::UnknownProduct(_)
                | ShopError::Overloaded { .. },
            ) => Ok(false),
            ended => ended,
        }
    }

    async fn shop(&mut self) -> Result<bool, ShopError> {
        let buyer = self.buyer();
        let who = buyer.map_or(Principal::Guest, |id| Principal::User { id, role: Role::Buyer });
        for _ in 0..=self.dice.below(5) {
            self.look_around().await;
            let sku = *self.dice.pick(&self.shoppers.goods, true);
            let quantity = Quantity::new(self.dice.between(1, 4)).unwrap_or(Quantity::ONE);
            let id = self.command();
            let view = self.door.add(&who, self.cart, id, sku, quantity).await?;
            // Some put the first thing back.
            if let [first, _, ..] = &*view.cart.cart.lines
                && self.dice.chance(100)
            {
                let id = self.command();
                self.door.remove(&who, self.cart, id, first.key()).await?;
            }
        }
        self.look_around().await;
        if self.dice.chance(300) {
            return Ok(false);
        }
        let Ok(key) = CheckoutKey::new(&format!("demo-{}", self.cart)) else { return Ok(false) };
        let checkout = Checkout {
            key,
            buyer,
            email: Some(format!("shopper-{:08x}@example.com", self.dice.below(1 << 32))),
            country: (*self.dice.pick::<&str>(&COUNTRIES, false)).to_owned(),
            payment: PaymentMethod::Card,
            channel: Channel::Web,
            placed_at: None,
        };
        self.door.checkout(&who, self.cart, checkout).await?;
        Ok(true)
    }

    fn buyer(&mut self) -> Option<UserId> {
        let known = !self.shoppers.buyers.is_empty() && self.dice.chance(600);
        known.then(|| *self.dice.pick(&self.shoppers.buyers, false))
    }

    fn command(&mut self) -> CommandId {
        CommandId(self.dice.roll())
    }

    /// Half to one and a half pauses.
    async fn look_around(&mut self) {
        let share = u32::try_from(self.dice.between(50, 150)).unwrap_or(100);
        tokio::time::sleep(self.shoppers.pause * share / 100).await;
    }
}
