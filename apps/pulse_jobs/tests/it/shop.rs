//! A small shop with its jobs: one product, orders, a gateway, a mailer, a clock that the test turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jobs::{Engine, Options};
use parking_lot::Mutex;
use pulse_core::cart::{Basis, Line, Price};
use pulse_core::order::{Channel, PaymentMethod, PlaceOrder, PlacedOrder, Status};
use pulse_core::ports::{Clock, Mail, MailError, Mailer, PaymentGateway, PortFuture};
use pulse_core::pricing::{VatRate, price};
use pulse_core::{
    CartId, CheckoutKey, Money, OrderId, Principal, Quantity, Role, Sku, Timestamp, UserId, Version,
};
use pulse_data::accounts::{AccountOptions, Accounts};
use pulse_data::catalog::{Catalog, DeliveryLine};
use pulse_data::orders::Orders;
use pulse_data::reminders::Reminders;
use pulse_data::webhooks::Webhooks;
use pulse_data::{DbError, Repo, Sql as _};
use pulse_jobs::{
    ClientOptions, EffectStats, Entry, Movement, Reach, Runner, RunnerOptions, SimulatedGateway, Surroundings,
};

pub(crate) const ROOT: Principal = Principal::System("test");
pub(crate) const BUYER: Principal = Principal::User { id: UserId(7), role: Role::Buyer };

/// Starts at the machine's time, which is what an enqueue writes, and a little ahead of it.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(jobs::system_clock()() + 600_000)))
    }

    pub(crate) fn millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn turn(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Keeps letters, refuses while it is told to.
#[derive(Clone, Default)]
pub(crate) struct Postbox {
    pub(crate) letters: Arc<Mutex<Vec<Mail>>>,
    pub(crate) closed: Arc<std::sync::atomic::AtomicBool>,
}

impl Mailer for Postbox {
    fn send(&self, mail: Mail) -> PortFuture<'_, Result<(), MailError>> {
        Box::pin(async move {
            if self.closed.load(Ordering::SeqCst) {
                return Err(MailError::Later("closed".to_owned()));
            }
            self.letters.lock().push(mail);
            Ok(())
        })
    }
}

pub(crate) struct Shop {
    pub(crate) repo: Repo,
    pub(crate) catalog: Catalog,
    pub(crate) orders: Orders,
    pub(crate) accounts: Accounts,
    pub(crate) gateway: SimulatedGateway,
    pub(crate) postbox: Postbox,
    pub(crate) hands: Hands,
    pub(crate) webhooks: Webhooks,
    pub(crate) reminders: Reminders,
    pub(crate) stats: Arc<EffectStats>,
}

/// How long an endpoint may take nothing.
pub(crate) const PATIENCE: Duration = Duration::from_hours(72);

/// No machine is so loaded that something takes so long.
const STUCK: Duration = Duration::from_mins(1);

pub(crate) fn sku() -> Sku {
    Sku::new("85123A").unwrap()
}

impl Shop {
    /// A hundred pieces at 2.55 each.
    pub(crate) async fn new(repo: Repo, gateway: SimulatedGateway) -> Self {
        let hands = Hands::new();
        let catalog = Catalog::new(repo.clone(), Arc::new(hands.clone()));
        let orders = Orders::new(repo.clone(), catalog.changes(), Arc::new(hands.clone()));
        let accounts = Accounts::new(repo.clone(), Arc::new(hands.clone()), AccountOptions::default());
        let opening = DeliveryLine {
            sku: sku(),
            name: "Heart".to_owned(),
            category: None,
            pieces: 100,
            price: Money::gbp(255),
            vat: VatRate::Standard,
            priced_at: hands.now(),
        };
        catalog.deliver(&ROOT, "opening", vec![opening]).await.unwrap();
        let webhooks = Webhooks::new(repo.clone(), Arc::new(hands.clone()), PATIENCE);
        let reminders = Reminders::new(repo.clone(), Arc::new(hands.clone()), "https://shop.example");
        let (postbox, stats) = (Postbox::default(), Arc::default());
        Self { repo, catalog, orders, accounts, gateway, postbox, hands, webhooks, reminders, stats }
    }

    pub(crate) fn options(&self) -> RunnerOptions {
        let hands = self.hands.clone();
        let clock: jobs::Clock = Arc::new(move || hands.now().0);
        let engine = Options { clock, poll: Duration::from_millis(20), ..Options::default() };
        let client = ClientOptions { reach: Reach::Anywhere, timeout: Duration::from_secs(20) };
        RunnerOptions { engine, client, ..RunnerOptions::default() }
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            repo: self.repo.clone(),
            clock: Arc::new(self.hands.clone()),
            accounts: self.accounts.clone(),
            catalog: self.catalog.clone(),
            orders: self.orders.clone(),
            reminders: self.reminders.clone(),
            webhooks: self.webhooks.clone(),
            gateway: Arc::new(self.gateway.clone()),
            mailer: Arc::new(self.postbox.clone()),
            stats: Arc::clone(&self.stats),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        Runner::engine(self.surroundings(), self.options())
    }

    pub(crate) fn engine_with(&self, gateway: Arc<dyn PaymentGateway>) -> Engine {
        Runner::engine(Surroundings { gateway, ..self.surroundings() }, self.options())
    }

    pub(crate) fn engine_mailing(&self, mailer: Arc<dyn Mailer>) -> Engine {
        Runner::engine(Surroundings { mailer, ..self.surroundings() }, self.options())
    }

    /// Whether a job could be run now.
    pub(crate) async fn is_due(&self) -> bool {
        let sql = "SELECT 1 AS one FROM jobs WHERE state IN ('available', 'scheduled', 'retryable') \
                   AND scheduled_at <= $1 LIMIT 1";
        self.repo.reader().row(sql, vec![self.hands.millis().into()]).await.unwrap().is_some()
    }

    /// Looks until it is so.
    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let looking = async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(STUCK, looking).await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    pub(crate) async fn until_paid(&self, id: OrderId) {
        self.until("the order is paid", async || self.status(id).await == Status::Paid).await;
    }

    /// Sells two pieces by card, from a new cart of that number.
    pub(crate) async fn sell(&self, cart: u128) -> PlacedOrder {
        let order = self.checkout(cart).await;
        self.orders.place(&BUYER, order).await.unwrap()
    }

    /// A frozen cart of that number, and its checkout.
    pub(crate) async fn checkout(&self, cart: u128) -> PlaceOrder {
        self.repo
            .write_with(CartId(cart).to_string(), |tx, id| {
                Box::pin(async move {
                    let sql = "INSERT INTO carts (id, version, currency, body, recent) \
                               VALUES ($1, 1, 'GBP', '{\"l\":[[\"85123A\",2,255,\"s\"]]}', '')";
                    tx.exec(sql, vec![id.as_str().into()]).await?;
                    Ok::<_, DbError>(())
                })
            })
            .await
            .unwrap();
        let unit = Price { unit: Money::gbp(255), basis: Basis::Listed(VatRate::Standard) };
        let lines = [Line { sku: sku(), quantity: Quantity::new(2).unwrap(), price: unit }];
        PlaceOrder {
            key: CheckoutKey::new(&format!("key-{cart}")).unwrap(),
            cart: CartId(cart),
            cart_version: Version(1),
            priced: price(&lines, &[]).unwrap(),
            buyer: BUYER.user(),
            email: Some("ann@example.com".to_owned()),
            country: "United Kingdom".to_owned(),
            payment: PaymentMethod::Card,
            channel: Channel::Web,
            placed_at: self.hands.now(),
        }
    }

    pub(crate) async fn status(&self, id: OrderId) -> Status {
        self.orders.get(&ROOT, id).await.unwrap().order.status
    }

    pub(crate) async fn stock(&self) -> i64 {
        self.catalog.get(&ROOT, sku()).await.unwrap().stock
    }

    /// What has moved to the shop, less what went back, in pence.
    pub(crate) fn taken(&self) -> i64 {
        let signed = |entry: &Entry| match (&entry.answer, entry.movement) {
            (Err(_), _) => 0,
            (Ok(_), Movement::Capture) => entry.pence,
            (Ok(_), Movement::Refund) => -entry.pence,
        };
        self.gateway.entries().iter().map(signed).sum()
    }

    pub(crate) fn letters(&self) -> Vec<Mail> {
        self.postbox.letters.lock().clone()
    }
}
