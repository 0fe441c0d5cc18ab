//! A store, an order desk and a clock in memory, with faults that a test puts in front of the next operations.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otp::{Addr, Spec};
use pulse_cart::{CartEnv, CartFailure, CartServer, Msg, NoRoll, Receipt};
use pulse_core::cart::{Basis, Command, Limits, LineKey, Price, StoredCart};
use pulse_core::order::{PlaceOrder, PlacedOrder, Status};
use pulse_core::ports::{
    Bus, CartStore, Clock, Notice, OrderDesk, PlaceError, PortFuture, SaveError, StoreError,
};
use pulse_core::pricing::VatRate;
use pulse_core::{
    CartId, CheckoutKey, CommandId, Money, OrderId, Principal, Quantity, Sku, Timestamp, Version,
};

pub(crate) const CART: CartId = CartId(7);

/// What happens to a save.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing is written, and the store says that it failed.
    Lost,
    /// It is written, and the store says that it failed.
    WrittenButFailed,
    /// Somebody else stores this first.
    Overtaken(Box<StoredCart>),
    /// It takes this long.
    Slow(Duration),
    /// The store's code panics.
    Panics,
}

#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) rows: Mutex<HashMap<CartId, StoredCart>>,
    pub(crate) faults: Mutex<VecDeque<Fault>>,
    pub(crate) load_fails: Mutex<u32>,
    pub(crate) loads: Mutex<u32>,
    pub(crate) orders: Mutex<HashMap<CheckoutKey, PlacedOrder>>,
    pub(crate) now: Mutex<i64>,
    /// What the bus was told, with the version that the row had then.
    pub(crate) told: Mutex<Vec<(Notice, Version)>>,
    /// A row that appears when the orders are asked.
    pub(crate) placed_meanwhile: Mutex<Option<StoredCart>>,
}

impl Stage {
    pub(crate) fn row(&self) -> StoredCart {
        self.rows.lock().unwrap().get(&CART).cloned().unwrap_or_default()
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.faults.lock().unwrap().push_back(fault);
    }

    pub(crate) fn order_placed(&self, key: &CheckoutKey, cart: CartId) {
        let order = PlacedOrder {
            id: OrderId(1),
            key: key.clone(),
            cart,
            buyer: None,
            status: Status::Placed,
            total: Money::gbp(1),
            placed_at: Timestamp(0),
        };
        self.orders.lock().unwrap().insert(key.clone(), order);
    }
}

fn down() -> StoreError {
    StoreError::Unavailable("the test says so".into())
}

impl CartStore for Stage {
    fn load(&self, id: CartId) -> PortFuture<'_, Result<Option<StoredCart>, StoreError>> {
        Box::pin(async move {
            *self.loads.lock().unwrap() += 1;
            let mut fails = self.load_fails.lock().unwrap();
            if *fails > 0 {
                *fails -= 1;
                return Err(down());
            }
            Ok(self.rows.lock().unwrap().get(&id).cloned())
        })
    }

    fn save(&self, id: CartId, over: Version, cart: &StoredCart) -> PortFuture<'_, Result<(), SaveError>> {
        let cart = cart.clone();
        Box::pin(async move {
            let fault = self.faults.lock().unwrap().pop_front();
            let mut failure = None;
            match fault {
                Some(Fault::Lost) => return Err(down().into()),
                Some(Fault::WrittenButFailed) => failure = Some(down().into()),
                Some(Fault::Overtaken(other)) => {
                    self.rows.lock().unwrap().insert(id, *other);
                }
                Some(Fault::Slow(by)) => tokio::time::sleep(by).await,
                Some(Fault::Panics) => panic!("the test says so"),
                None => {}
            }
            let mut rows = self.rows.lock().unwrap();
            let stored = rows.get(&id).map_or(Version::NONE, |row| row.version);
            assert!(over == Version::NONE || cart.version == over.next());
            if over != stored {
                return Err(SaveError::Fenced);
            }
            rows.insert(id, cart);
            failure.map_or(Ok(()), Err)
        })
    }
}

impl OrderDesk for Stage {
    fn find(&self, key: &CheckoutKey) -> PortFuture<'_, Result<Option<PlacedOrder>, StoreError>> {
        let key = key.clone();
        Box::pin(async move {
            if let Some(row) = self.placed_meanwhile.lock().unwrap().take() {
                self.rows.lock().unwrap().insert(CART, row);
            }
            Ok(self.orders.lock().unwrap().get(&key).cloned())
        })
    }

    fn place(&self, _: &Principal, _: PlaceOrder) -> PortFuture<'_, Result<PlacedOrder, PlaceError>> {
        Box::pin(async { Err(PlaceError::CartChanged) })
    }
}

impl Bus for Stage {
    fn tell(&self, notice: Notice) {
        let version = self.row().version;
        self.told.lock().unwrap().push((notice, version));
    }
}

impl Clock for Stage {
    fn now(&self) -> Timestamp {
        Timestamp(*self.now.lock().unwrap())
    }
}

pub(crate) async fn start(stage: &Arc<Stage>, idle: Duration) -> (Addr<Msg>, Arc<CartEnv>) {
    let env = Arc::new(CartEnv {
        store: stage.clone(),
        orders: stage.clone(),
        clock: stage.clone(),
        bus: stage.clone(),
        idle,
        roll: Arc::new(NoRoll),
        counters: pulse_cart::CartCounters::default(),
    });
    let spec = Spec::<CartServer>::temporary((CART, env.clone()));
    (otp::start(spec).await.unwrap(), env)
}

/// A cart over an empty store, awake for long.
pub(crate) async fn awake() -> (Arc<Stage>, Addr<Msg>) {
    let stage = Arc::new(Stage::default());
    let (cart, _) = start(&stage, Duration::from_hours(1)).await;
    (stage, cart)
}

pub(crate) fn line(n: u8) -> LineKey {
    let price = Price { unit: Money::gbp(250), basis: Basis::Listed(VatRate::Standard) };
    LineKey { sku: Sku::new(&format!("8512{n}")).unwrap(), price }
}

pub(crate) fn add(n: u8, pieces: i64) -> Command {
    let LineKey { sku, price } = line(n);
    Command::Add { sku, quantity: Quantity::new(pieces).unwrap(), price }
}

pub(crate) fn key(text: &str) -> CheckoutKey {
    CheckoutKey::new(text).unwrap()
}

pub(crate) async fn send(
    cart: &Addr<Msg>,
    id: impl Into<Option<u64>>,
    command: Command,
) -> Result<Receipt, CartFailure> {
    let id = id.into().map(CommandId);
    cart.ask(|reply| Msg::Command { id, command, limits: Limits::BUYER, reply }).await.unwrap()
}

pub(crate) async fn view(cart: &Addr<Msg>) -> Result<Arc<StoredCart>, CartFailure> {
    cart.ask(|reply| Msg::View { reply }).await.unwrap()
}
