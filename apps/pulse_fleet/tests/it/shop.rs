//! A shop in memory: store, catalogue, order desk and clock, with bad weather.
//!
//! It keeps the promises of the real one: a save is fenced by its version, and a checkout's order, stock and row change
//! together or not at all.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use pulse_core::access::Principal;
use pulse_core::cart::{Basis, Event, Price, StoredCart};
use pulse_core::order::{Channel, PaymentMethod, PlaceOrder, PlacedOrder, Shortage, Status};
use pulse_core::ports::{
    CartStore, Catalogue, Clock, Offer, OrderDesk, PlaceError, PortFuture, SaveError, StoreError,
};
use pulse_core::pricing::{Promotion, VatRate};
use pulse_core::{CartId, CheckoutKey, CommandId, Money, OrderId, Quantity, Sku, Timestamp, Version};
use pulse_fleet::{Checkout, Fleet, FleetOptions, FleetPorts, FrontDoor};

/// How often (of 1,000) an operation goes wrong, and how long each takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    /// Loads that fail.
    pub(crate) load_fails: u64,
    /// Writes that fail and change nothing.
    pub(crate) lost: u64,
    /// Writes that happen and fail.
    pub(crate) unanswered: u64,
    /// Saves that panic.
    pub(crate) panics: u64,
    /// Each operation takes this long.
    pub(crate) delay: Duration,
    /// Each operation lets others run this often.
    pub(crate) yields: u32,
}

#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) rows: HashMap<CartId, StoredCart>,
    pub(crate) orders: BTreeMap<CheckoutKey, PlacedOrder>,
    /// Pieces by cart and product that were sold.
    pub(crate) sold: HashMap<(CartId, Sku), i64>,
    pub(crate) stock: HashMap<Sku, i64>,
    pub(crate) promotions: Vec<Promotion>,
}

pub(crate) struct Shop {
    tables: Mutex<Tables>,
    weather: Mutex<Weather>,
    dice: Mutex<u64>,
    now: Mutex<Timestamp>,
}

impl Shop {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            tables: Mutex::default(),
            weather: Mutex::default(),
            dice: Mutex::new(0x9E37_79B9_7F4A_7C15),
            now: Mutex::new(Timestamp(1_300_000_000_000)),
        })
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    pub(crate) fn weather(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
    }

    pub(crate) fn later(&self, by: Duration) {
        let mut now = self.now.lock().unwrap();
        *now = now.after(by);
    }

    /// How often a row was stored, where the clock has stood still since its first store.
    pub(crate) fn stores(&self, row: &StoredCart) -> u64 {
        row.version.0 + 1 - Version::first(self.now()).0
    }

    pub(crate) fn row(&self, cart: CartId) -> StoredCart {
        self.tables().rows.get(&cart).cloned().unwrap_or_default()
    }

    pub(crate) async fn fleet(self: &Arc<Self>, options: FleetOptions) -> Fleet {
        let ports = FleetPorts {
            store: self.clone(),
            orders: self.clone(),
            clock: self.clone(),
            bus: Arc::new(pulse_core::ports::NoBus),
        };
        Fleet::start(ports, options).await.unwrap()
    }

    pub(crate) async fn door(self: &Arc<Self>, options: FleetOptions) -> FrontDoor {
        FrontDoor::new(self.fleet(options).await, self.clone(), self.clone(), self.clone())
    }

    async fn pass(&self) -> Weather {
        let weather = *self.weather.lock().unwrap();
        if !weather.delay.is_zero() {
            tokio::time::sleep(weather.delay).await;
        }
        for _ in 0..weather.yields {
            tokio::task::yield_now().await;
        }
        weather
    }

    fn happens(&self, of_thousand: u64) -> bool {
        of_thousand > 0 && self.roll() % 1000 < of_thousand
    }

    /// A number nobody has chosen (splitmix64).
    pub(crate) fn roll(&self) -> u64 {
        let mut dice = self.dice.lock().unwrap();
        *dice = dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*dice ^ (*dice >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

fn down() -> StoreError {
    StoreError::Unavailable("the test says so".into())
}

impl CartStore for Shop {
    fn load(&self, id: CartId) -> PortFuture<'_, Result<Option<StoredCart>, StoreError>> {
        Box::pin(async move {
            let weather = self.pass().await;
            if self.happens(weather.load_fails) {
                return Err(down());
            }
            Ok(self.tables().rows.get(&id).cloned())
        })
    }

    fn save(&self, id: CartId, over: Version, cart: &StoredCart) -> PortFuture<'_, Result<(), SaveError>> {
        let cart = cart.clone();
        Box::pin(async move {
            let weather = self.pass().await;
            if self.happens(weather.lost) {
                return Err(down().into());
            }
            assert!(!self.happens(weather.panics), "the test says so");
            {
                let mut tables = self.tables();
                let stored = tables.rows.get(&id).map_or(Version::NONE, |row| row.version);
                assert!(over == Version::NONE || cart.version == over.next());
                if over != stored {
                    return Err(SaveError::Fenced);
                }
                tables.rows.insert(id, cart);
            }
            self.pass().await;
            if self.happens(weather.unanswered) { Err(down().into()) } else { Ok(()) }
        })
    }
}

impl OrderDesk for Shop {
    fn find(&self, key: &CheckoutKey) -> PortFuture<'_, Result<Option<PlacedOrder>, StoreError>> {
        let key = key.clone();
        Box::pin(async move {
            self.pass().await;
            Ok(self.tables().orders.get(&key).cloned())
        })
    }

    fn place(&self, _: &Principal, order: PlaceOrder) -> PortFuture<'_, Result<PlacedOrder, PlaceError>> {
        Box::pin(async move {
            let weather = self.pass().await;
            if self.happens(weather.lost) {
                return Err(down().into());
            }
            let placed = self.tables().place(order)?;
            self.pass().await;
            if self.happens(weather.unanswered) { Err(down().into()) } else { Ok(placed) }
        })
    }
}

impl Tables {
    fn place(&mut self, order: PlaceOrder) -> Result<PlacedOrder, PlaceError> {
        if let Some(known) = self.orders.get(&order.key) {
            let same = known.cart == order.cart && known.buyer == order.buyer;
            return if same { Ok(known.clone()) } else { Err(PlaceError::KeyReused) };
        }
        let row = self.rows.get(&order.cart).filter(|row| row.version == order.cart_version);
        let Some(mut row) = row.cloned() else { return Err(PlaceError::CartChanged) };
        let mut wanted: BTreeMap<Sku, i64> = BTreeMap::new();
        for line in order.priced.lines() {
            *wanted.entry(line.sku).or_default() += line.quantity.get();
        }
        let left = |sku| self.stock.get(sku).copied().unwrap_or(i64::MAX);
        let short: Vec<Shortage> = wanted
            .iter()
            .filter(|(sku, wanted)| left(sku) < **wanted)
            .map(|(sku, wanted)| Shortage { sku: *sku, wanted: *wanted, left: left(sku) })
            .collect();
        if !short.is_empty() {
            return Err(PlaceError::OutOfStock(short));
        }
        for (sku, wanted) in wanted {
            if let Some(stock) = self.stock.get_mut(&sku) {
                *stock -= wanted;
            }
            *self.sold.entry((order.cart, sku)).or_default() += wanted;
        }
        row.cart.apply(&Event::CheckedOut);
        row.version = row.version.next();
        self.rows.insert(order.cart, row);
        let placed = PlacedOrder {
            id: OrderId(i64::try_from(self.orders.len()).unwrap() + 1),
            key: order.key.clone(),
            cart: order.cart,
            buyer: order.buyer,
            status: Status::Placed,
            total: order.priced.total(),
            placed_at: order.placed_at,
        };
        self.orders.insert(order.key, placed.clone());
        Ok(placed)
    }
}

impl Catalogue for Shop {
    fn offer(&self, sku: Sku) -> PortFuture<'_, Result<Option<Arc<Offer>>, StoreError>> {
        let sold = !sku.as_str().starts_with("GONE");
        let offer = Offer { sku, name: format!("Product {sku}"), price: listed(), stock: 1_000_000 };
        Box::pin(async move { Ok(sold.then(|| Arc::new(offer))) })
    }

    fn promotions(&self) -> PortFuture<'_, Result<Arc<[Promotion]>, StoreError>> {
        Box::pin(async move { Ok(self.tables().promotions.clone().into()) })
    }
}

impl Clock for Shop {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }
}

/// What everything costs.
pub(crate) fn listed() -> Price {
    Price { unit: Money::gbp(250), basis: Basis::Listed(VatRate::Standard) }
}

pub(crate) fn sku(n: u64) -> Sku {
    Sku::new(&format!("8512{n}")).unwrap()
}

pub(crate) fn pieces(n: i64) -> Quantity {
    Quantity::new(n).unwrap()
}

pub(crate) fn add(n: u64) -> pulse_core::cart::Command {
    pulse_core::cart::Command::Add { sku: sku(n), quantity: Quantity::ONE, price: listed() }
}

#[expect(clippy::unnecessary_wraps, reason = "what a fleet takes, so that tests read well")]
pub(crate) fn id(n: u64) -> Option<CommandId> {
    Some(CommandId(n))
}

pub(crate) fn checkout(key: &str) -> Checkout {
    Checkout {
        key: CheckoutKey::new(key).unwrap(),
        buyer: None,
        email: None,
        country: "United Kingdom".into(),
        payment: PaymentMethod::Card,
        channel: Channel::Web,
        placed_at: None,
    }
}
