//! A small shop for the tests: a catalogue, orders, and a clock that stands still.

#![expect(clippy::unwrap_used, reason = "a test: to panic is to fail")]

use std::sync::Arc;

use pulse_core::cart::{Basis, Line, Price};
use pulse_core::order::{Channel, PaymentMethod, PlaceOrder, PlacedOrder};
use pulse_core::ports::Clock;
use pulse_core::pricing::{VatRate, price};
use pulse_core::{
    CartId, CheckoutKey, Money, OrderId, Principal, Quantity, Role, Sku, Timestamp, UserId, Version,
};
use pulse_data::catalog::{Catalog, DeliveryLine};
use pulse_data::orders::Orders;
use pulse_data::{Repo, Sql as _};

/// 2010-12-01T08:26:00Z, when the replayed shop sold its first line.
pub(crate) const NOW: Timestamp = Timestamp(1_291_191_960_000);

pub(crate) const ROOT: Principal = Principal::System("test");
pub(crate) const PAYMENTS: Principal = Principal::System("payments");

pub(crate) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) repo: Repo,
    pub(crate) catalog: Catalog,
    pub(crate) orders: Orders,
}

pub(crate) fn user(id: i64, role: Role) -> Principal {
    Principal::User { id: UserId(id), role }
}

pub(crate) fn buyer(id: i64) -> Principal {
    user(id, Role::Buyer)
}

pub(crate) fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

pub(crate) fn pieces(n: i64) -> Quantity {
    Quantity::new(n).unwrap()
}

pub(crate) fn listed(code: &str, n: i64, pence: i64) -> Line {
    let price = Price { unit: Money::gbp(pence), basis: Basis::Listed(VatRate::Standard) };
    Line { sku: sku(code), quantity: pieces(n), price }
}

pub(crate) fn quoted(code: &str, n: i64, pence: i64) -> Line {
    let price = Price { unit: Money::gbp(pence), basis: Basis::Quoted };
    Line { sku: sku(code), quantity: pieces(n), price }
}

pub(crate) fn delivery(code: &str, n: i64, pence: i64) -> DeliveryLine {
    DeliveryLine {
        sku: sku(code),
        name: format!("Product {code}"),
        category: None,
        pieces: n,
        price: Money::gbp(pence),
        vat: VatRate::Standard,
        priced_at: NOW,
    }
}

/// A checkout by card of the cart of that number, at its first version.
pub(crate) fn checkout(key: &str, cart: u128, of: &Principal, lines: &[Line]) -> PlaceOrder {
    PlaceOrder {
        key: CheckoutKey::new(key).unwrap(),
        cart: CartId(cart),
        cart_version: Version(1),
        priced: price(lines, &[]).unwrap(),
        buyer: of.user(),
        email: Some("ann@example.com".to_owned()),
        country: "United Kingdom".to_owned(),
        payment: PaymentMethod::Card,
        channel: Channel::Web,
        placed_at: NOW,
    }
}

impl Shop {
    pub(crate) fn new(repo: Repo) -> Self {
        let catalog = Catalog::new(repo.clone(), Arc::new(StoppedClock));
        let orders = Orders::new(repo.clone(), catalog.changes(), Arc::new(StoppedClock));
        Self { repo, catalog, orders }
    }

    /// A shop with these products: code, stock, pence.
    pub(crate) async fn with(repo: Repo, products: &[(&str, i64, i64)]) -> Self {
        let shop = Self::new(repo);
        let lines = products.iter().map(|(code, n, pence)| delivery(code, *n, *pence)).collect();
        shop.catalog.deliver(&ROOT, "opening", lines).await.unwrap();
        shop
    }

    /// Carts of these numbers, as if each had been stored once.
    pub(crate) async fn carts(&self, numbers: impl IntoIterator<Item = u128>) {
        let ids: Vec<String> = numbers.into_iter().map(|n| CartId(n).to_string()).collect();
        self.repo
            .write_with(ids, |tx, ids| {
                Box::pin(async move {
                    for id in ids {
                        let sql = "INSERT INTO carts (id, version, currency, body, recent) \
                                   VALUES ($1, 1, 'GBP', '{\"l\":[[\"A\",1,100,\"s\"]]}', '')";
                        tx.exec(sql, vec![id.as_str().into()]).await?;
                    }
                    Ok::<_, pulse_data::DbError>(())
                })
            })
            .await
            .unwrap();
    }

    /// Places an order from a new cart of that number.
    pub(crate) async fn sell(&self, cart: u128, of: &Principal, lines: &[Line]) -> PlacedOrder {
        self.carts([cart]).await;
        self.orders.place(of, checkout(&format!("key-{cart}"), cart, of, lines)).await.unwrap()
    }

    /// Pays, packs, ships and delivers.
    pub(crate) async fn fulfil(&self, id: OrderId) {
        use pulse_core::order::Step;
        for step in [Step::Pay, Step::Pack, Step::Ship, Step::Deliver] {
            self.orders.step(&ROOT, id, step).await.unwrap();
        }
    }

    pub(crate) async fn stock(&self, code: &str) -> i64 {
        self.catalog.get(&ROOT, sku(code)).await.unwrap().stock
    }

    /// One number that a query answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.repo.reader().row(sql, vec![]).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    pub(crate) async fn assert_balanced(&self) {
        for balance in self.orders.stock_balance(&ROOT).await.unwrap() {
            assert!(balance.holds(), "{balance:?}");
        }
    }
}
