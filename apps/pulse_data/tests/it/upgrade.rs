//! A shop of an older schema, with goods, people and orders in it, moves to the newest schema and is the same shop.

use futures::FutureExt as _;
use pulse_core::cart::Basis;
use pulse_core::order::{Status, Step};
use pulse_core::ports::{CartStore as _, Clock};
use pulse_core::pricing::{Rule, VatRate};
use pulse_core::{CartId, CheckoutKey, Money, OrderId, Role, Timestamp, Version};
use pulse_data::accounts::{AccountOptions, Accounts, HashCost};
use pulse_data::audit::{AuditQuery, Sealer, VerifyOptions, list, verify};
use pulse_data::carts::{Carts, GuestCarts};
use pulse_data::catalog::Catalog;
use pulse_data::migrations::{ALL, Migrator};
use pulse_data::orders::{AskReturn, OrderQuery, Orders, PaymentState};
use pulse_data::{DbError, Repo, Sql as _, SystemClock, db_test};

use crate::shop::{NOW, ROOT, pieces, sku};

/// The first steps of the schema: goods, carts, orders, accounts and their trail.
const OLD: usize = 5;

/// Argon2id of "correct horse battery", with little memory: a hash as an old row holds it.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$";

/// What the old shop holds, in the words of its time. `{hash}` is a password's.
const ROWS: &str = "
INSERT INTO products (sku, name, name_key, category, description, price_pence, currency, vat, priced_at, stock, delivered,
    adjusted, active, version, created_at, updated_at) VALUES
    ('85123A', 'White hanging heart', 'white hanging heart', 'Hearts', 'It hangs.', 255, 'GBP', 'standard', 1000, 40, 50, 0,
        TRUE, 3, 1000, 2000),
    ('71053', 'Lantern', 'lantern', NULL, '', 339, 'GBP', 'zero', 1000, 0, 10, -10, FALSE, 1, 1000, 1000);
INSERT INTO promotions (code, rule, active, starts_at, ends_at, updated_at) VALUES
    ('HEARTS', '{\"kind\":\"buy_n_get_m\",\"sku\":\"85123A\",\"buy\":2,\"free\":1}', TRUE, NULL, NULL, 1000);
INSERT INTO deliveries (delivery_key, lines, pieces, delivered_at) VALUES ('first', 2, 60, 1000);
INSERT INTO carts (id, version, currency, body, recent) VALUES
    ('000000000000000000000000000000ff', 7, 'GBP', '{\"l\":[[\"85123A\",6,255,\"s\"]]}', '');
INSERT INTO users (email, external_ref, country, role, status, password_hash, created_at) VALUES
    ('ann@example.com', NULL, NULL, 'buyer', 'active', '{hash}', 1000),
    (NULL, '17850', 'United Kingdom', 'buyer', 'active', NULL, 1000),
    ('eve@example.com', NULL, NULL, 'support', 'locked', '{hash}', 1000);
INSERT INTO orders (checkout_key, cart_id, buyer, email, country, payment, invoice, status, currency, subtotal_pence,
    discount_pence, vat_pence, total_pence, placed_at, version) VALUES
    ('shipped', '000000000000000000000000000000ff', 1, 'ann@example.com', 'France', 'card', NULL, 'shipped', 'GBP', 2550, 0,
        425, 2550, 5000, 4),
    ('536365', '000000000000000000000000000000fe', 2, NULL, 'United Kingdom', 'on_account', '536365', 'placed', 'GBP', 510,
        0, 85, 510, 6000, 1);
INSERT INTO order_lines (order_id, line_no, sku, name, quantity, unit_pence, basis, returned) VALUES
    (1, 1, '85123A', 'White hanging heart', 10, 255, 'standard', 0),
    (2, 1, '85123A', 'White hanging heart', 2, 255, 'quoted', 0);
INSERT INTO order_events (order_id, version, status, who, at) VALUES
    (1, 1, 'placed', 'user:1', 5000), (1, 2, 'paid', 'system:payments', 5100), (1, 3, 'packed', 'user:3', 5200),
    (1, 4, 'shipped', 'user:3', 5300), (2, 1, 'placed', 'system:replay', 6000);
INSERT INTO payments (order_id, seq, kind, amount_pence, state, reference, changed_at) VALUES
    (1, 0, 'capture', 2550, 'settled', 'ref-1', 5100), (2, 0, 'capture', 510, 'pending', NULL, 6000);
INSERT INTO audit_log (at, who, action, subject, details) VALUES
    (5000, 'user:1', 'order.place', 'order:1', '{}'), (6000, 'system:replay', 'order.place', 'order:2', '{}');
";

/// An empty database of the old schema, with that in it.
async fn old_shop(repo: &Repo, hash: &str) {
    Migrator::down(repo, None).await.unwrap();
    assert_eq!(Migrator::up(repo, Some(OLD)).await.unwrap().last(), Some(&"m0005_audit"));
    let rows = ROWS.replace("{hash}", hash);
    repo.write_with::<_, (), DbError, _>(rows, |tx, rows| async move { tx.script(rows).await }.boxed())
        .await
        .unwrap();
}

fn accounts(repo: &Repo) -> Accounts {
    let hash_cost = HashCost { memory_kib: 8, passes: 1 };
    let options = AccountOptions { hash_cost, ..AccountOptions::default() };
    Accounts::new(repo.clone(), std::sync::Arc::new(SystemClock), options)
}

/// So many days after the upgrade.
struct At(i64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp(NOW.0 + self.0 * 24 * 3_600_000)
    }
}

const PASSWORD: &str = "correct horse battery";

/// A password's hash, as any version has stored it.
async fn hash(repo: &Repo) -> String {
    accounts(repo).bootstrap("root@example.com", PASSWORD, Role::Admin).await.unwrap();
    let sql = "SELECT password_hash AS hash FROM users WHERE email = 'root@example.com'";
    let hash: String = repo.reader().row(sql, vec![]).await.unwrap().unwrap().try_get("", "hash").unwrap();
    assert!(hash.starts_with(HASH), "the form of a stored hash has changed: {hash}");
    hash
}

db_test!(an_old_shop_with_goods_people_and_orders_goes_on_after_an_upgrade, |repo| async move {
    let hash = hash(&repo).await;
    old_shop(&repo, &hash).await;
    let newer = Migrator::up(&repo, None).await.unwrap();
    assert_eq!(newer.len(), ALL.len() - OLD);

    let clock = std::sync::Arc::new(SystemClock);
    let catalog = Catalog::new(repo.clone(), clock.clone());
    let heart = catalog.get(&ROOT, sku("85123A")).await.unwrap();
    assert_eq!((heart.price, heart.stock, heart.version), (Money::gbp(255), 40, 3));
    assert_eq!((heart.category.as_deref(), heart.description.as_str()), (Some("Hearts"), "It hangs."));
    assert!(!catalog.get(&ROOT, sku("71053")).await.unwrap().active);
    let promotions = catalog.promotions(&ROOT).await.unwrap();
    assert_eq!(promotions[0].promotion.rule, Rule::BuyNGetM { sku: sku("85123A"), buy: 2, free: 1 });

    let cart = Carts::new(&repo).load(CartId(0xff)).await.unwrap().unwrap();
    assert_eq!((cart.version, cart.cart.lines[0].quantity), (Version(7), pieces(6)));

    // It is as old as the first look at it, not as its row.
    for (days, gone) in [(0, 0), (29, 0), (30, 1)] {
        let mut sweep = GuestCarts::new(repo.clone(), std::sync::Arc::new(At(days)))
            .sweep(&ROOT, std::time::Duration::from_hours(30 * 24))
            .await
            .unwrap();
        assert_eq!(sweep.page().await.unwrap(), Some(gone), "after {days} days");
    }

    let accounts = accounts(&repo);
    let ann = accounts.sign_in("ann@example.com", PASSWORD, "a browser").await.unwrap();
    assert!(accounts.authenticate("eve@example.com", PASSWORD).await.is_err(), "a lock stays");

    let orders = Orders::new(repo.clone(), catalog.changes(), clock);
    let shipped = orders.get(&ann.principal, OrderId(1)).await.unwrap();
    assert_eq!((shipped.order.status, shipped.order.total), (Status::Shipped, Money::gbp(2_550)));
    assert_eq!((shipped.lines[0].basis, shipped.events.len()), (Basis::Listed(VatRate::Standard), 4));
    assert_eq!(shipped.payments[0].state, PaymentState::Settled);
    let key = CheckoutKey::new("shipped").unwrap();
    assert_eq!(orders.find(&key).await.unwrap().unwrap().id, OrderId(1));
    let placed =
        OrderQuery { everybody: true, status: Some(Status::Placed), limit: 9, ..OrderQuery::default() };
    let placed = orders.list(&ROOT, &placed).await.unwrap().items;
    assert_eq!(placed.iter().map(|order| order.id).collect::<Vec<_>>(), [OrderId(2)]);
    assert_eq!(placed[0].invoice.as_deref(), Some("536365"));

    // What came later works on what was there before.
    let ask = AskReturn { order: OrderId(1), lines: vec![(1, pieces(2))], reason: "Too white".to_owned() };
    let asked = orders.ask_return(&ann.principal, ask).await.unwrap();
    orders.accept_return(&ROOT, asked.id).await.unwrap();
    assert_eq!(catalog.get(&ROOT, sku("85123A")).await.unwrap().stock, 42);
    orders.step(&ROOT, OrderId(2), Step::Cancel).await.unwrap();
    assert_eq!(catalog.get(&ROOT, sku("85123A")).await.unwrap().stock, 44);

    let trail = AuditQuery { subject: Some("order:1".to_owned()), limit: 9, ..AuditQuery::default() };
    assert!(list(&repo, &ROOT, &trail).await.unwrap().iter().any(|row| row.action == "order.place"));
    Sealer::new(repo.clone()).seal().await.unwrap();
    let report = verify(&repo, &ROOT, NOW, &VerifyOptions::default()).await.unwrap();
    assert!(report.is_whole() && report.sealed > 2, "{report:?}");
});
