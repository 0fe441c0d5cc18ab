//! The checkout: all or nothing, once, and never more than there is.

#![expect(clippy::unwrap_used, reason = "a test: to panic is to fail")]

use pulse_core::order::{PaymentMethod, Shortage, Status};
use pulse_core::ports::{OrderDesk, PlaceError, StoreError};
use pulse_core::{Principal, Role, UserId};
use pulse_data::testing::Database;
use pulse_data::{Backend, DbError, Sql as _, db_test};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::shop::{PAYMENTS, ROOT, Shop, buyer, checkout, delivery, listed, quoted, sku, user};

db_test!(a_checkout_writes_everything_that_belongs_to_it, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100), ("B", 10, 250)]).await;
    let ann = buyer(7);
    let placed = shop.sell(1, &ann, &[listed("B", 2, 250), listed("A", 3, 100), listed("A", 1, 90)]).await;
    assert_eq!((placed.status, placed.total.pence, placed.buyer), (Status::Placed, 890, Some(UserId(7))));

    let detail = shop.orders.get(&ann, placed.id).await.unwrap();
    let lines: Vec<_> =
        detail.lines.iter().map(|l| (l.line, l.sku.as_str(), l.quantity, l.unit.pence)).collect();
    assert_eq!(lines, [(1, "B", 2, 250), (2, "A", 3, 100), (3, "A", 1, 90)]);
    assert_eq!(detail.lines[0].name, "Product B");
    assert_eq!(detail.events.len(), 1);
    assert_eq!(detail.events[0].who, "user:7");
    assert_eq!(detail.payments.len(), 1);
    assert_eq!(detail.payments[0].amount.pence, 890);
    assert_eq!((shop.stock("A").await, shop.stock("B").await), (6, 8));
    assert_eq!(shop.number("SELECT COUNT(*) FROM carts WHERE version = 2 AND body = '{\"l\":[]}'").await, 1);
    assert_eq!(shop.number("SELECT COUNT(*) FROM jobs WHERE worker = 'payment.capture'").await, 1);
    assert_eq!(shop.number("SELECT COUNT(*) FROM audit_log WHERE action = 'order.place'").await, 1);
    shop.assert_balanced().await;
});

db_test!(an_order_on_account_is_settled_without_a_payment_and_confirmed, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    shop.carts([1]).await;
    let mut order = checkout("k", 1, &ROOT, &[quoted("A", 3, 77)]);
    order.payment = PaymentMethod::OnAccount;
    let placed = shop.orders.place(&ROOT, order).await.unwrap();
    assert_eq!(placed.status, Status::Paid);
    assert_eq!(shop.number("SELECT COUNT(*) FROM payments WHERE state = 'settled'").await, 1);
    assert_eq!(shop.number("SELECT COUNT(*) FROM jobs WHERE worker <> 'mail.send'").await, 0);
    assert_eq!(shop.number("SELECT COUNT(*) FROM jobs WHERE args LIKE '%order-paid:%'").await, 1);
});

db_test!(repeating_a_key_answers_the_same_order, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    let ann = buyer(7);
    let first = shop.sell(1, &ann, &[listed("A", 3, 100)]).await;
    let again = shop.orders.place(&ann, checkout("key-1", 1, &ann, &[listed("A", 3, 100)])).await.unwrap();
    assert_eq!(first, again);
    let desk: &dyn OrderDesk = &shop.orders;
    assert_eq!(desk.find(&first.key).await.unwrap(), Some(first));
    assert_eq!(shop.stock("A").await, 7);
    assert_eq!(shop.number("SELECT COUNT(*) FROM jobs").await, 1);
});

db_test!(a_key_of_another_cart_or_buyer_is_refused, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    let (ann, bob) = (buyer(7), buyer(8));
    shop.sell(1, &ann, &[listed("A", 1, 100)]).await;
    shop.carts([2]).await;
    let lines = [listed("A", 1, 100)];
    for (who, cart) in [(&ann, 2), (&bob, 1)] {
        let refused = shop.orders.place(who, checkout("key-1", cart, who, &lines)).await;
        assert_eq!(refused, Err(PlaceError::KeyReused));
    }
    assert_eq!(shop.stock("A").await, 9);
    assert_eq!(shop.number("SELECT COUNT(*) FROM carts WHERE version = 1").await, 1);
});

db_test!(one_key_at_the_same_time_makes_one_order, |repo| async move {
    let shop = Shop::with(repo, &[("A", 100, 100)]).await;
    shop.carts([1]).await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let orders = shop.orders.clone();
            let order = checkout("k", 1, &Principal::Guest, &[listed("A", 2, 100)]);
            tokio::spawn(async move { orders.place(&Principal::Guest, order).await.unwrap() })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap().id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(shop.stock("A").await, 98);
});

db_test!(two_keys_for_one_cart_make_one_order, |repo| async move {
    let shop = Shop::with(repo, &[("A", 100, 100)]).await;
    shop.carts([1]).await;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let orders = shop.orders.clone();
            let order = checkout(&format!("k{n}"), 1, &Principal::Guest, &[listed("A", 2, 100)]);
            tokio::spawn(async move { orders.place(&Principal::Guest, order).await })
        })
        .collect();
    let mut placed = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => placed += 1,
            Err(error) => assert_eq!(error, PlaceError::CartChanged),
        }
    }
    assert_eq!(placed, 1);
    assert_eq!(shop.stock("A").await, 98);
});

db_test!(every_shortage_is_told_and_nothing_is_taken, |repo| async move {
    let shop = Shop::with(repo, &[("A", 1, 100), ("B", 5, 100), ("C", 3, 100)]).await;
    shop.carts([1]).await;
    let lines = [
        listed("C", 2, 100),
        listed("C", 2, 90),
        listed("B", 5, 100),
        listed("A", 2, 100),
        listed("X", 1, 1),
    ];
    let refused = shop.orders.place(&Principal::Guest, checkout("k", 1, &Principal::Guest, &lines)).await;
    let shortage = |code, wanted, left| Shortage { sku: sku(code), wanted, left };
    let expected = vec![shortage("A", 2, 1), shortage("C", 4, 3), shortage("X", 1, 0)];
    assert_eq!(refused, Err(PlaceError::OutOfStock(expected)));
    assert_eq!((shop.stock("A").await, shop.stock("B").await, shop.stock("C").await), (1, 5, 3));
    assert_eq!(shop.number("SELECT COUNT(*) FROM orders").await, 0);
    assert_eq!(shop.number("SELECT COUNT(*) FROM carts WHERE version = 1").await, 1);
});

db_test!(what_is_no_longer_sold_is_a_shortage, |repo| async move {
    let shop = Shop::with(repo, &[("A", 9, 100)]).await;
    let edit = pulse_data::catalog::ProductEdit { active: Some(false), ..Default::default() };
    shop.catalog.update(&ROOT, sku("A"), 1, edit).await.unwrap();
    shop.carts([1]).await;
    let refused = shop
        .orders
        .place(&Principal::Guest, checkout("k", 1, &Principal::Guest, &[listed("A", 1, 100)]))
        .await;
    assert_eq!(refused, Err(PlaceError::OutOfStock(vec![Shortage { sku: sku("A"), wanted: 1, left: 0 }])));
});

/// Makes every write of a kind to a table fail.
async fn break_table(shop: &Shop, table: &'static str, kind: &'static str) {
    let sql = match shop.repo.backend() {
        Backend::Sqlite => {
            format!("CREATE TRIGGER fault BEFORE {kind} ON {table} BEGIN SELECT RAISE(ABORT, 'a fault'); END")
        }
        Backend::Postgres => format!(
            "CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'a fault'; END $$; \
             CREATE TRIGGER fault BEFORE {kind} ON {table} FOR EACH ROW EXECUTE FUNCTION fault()"
        ),
    };
    script(shop, sql).await;
}

async fn script(shop: &Shop, sql: String) {
    shop.repo
        .write_with(sql, |tx, sql| Box::pin(async move { tx.script(sql).await }))
        .await
        .map_err(|error: DbError| error)
        .unwrap();
}

db_test!(a_fault_at_any_step_leaves_no_trace, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    shop.carts([1]).await;
    let audit = shop.number("SELECT COUNT(*) FROM audit_log").await;
    let ann = buyer(7);
    for (table, kind) in [
        ("orders", "INSERT"),
        ("carts", "UPDATE"),
        ("products", "UPDATE"),
        ("order_lines", "INSERT"),
        ("payments", "INSERT"),
        ("order_events", "INSERT"),
        ("audit_log", "INSERT"),
        ("jobs", "INSERT"),
    ] {
        break_table(&shop, table, kind).await;
        let failed = shop.orders.place(&ann, checkout("k", 1, &ann, &[listed("A", 1, 100)])).await;
        assert!(matches!(failed, Err(PlaceError::Store(_))), "{table}: {failed:?}");
        for empty in ["orders", "order_lines", "payments", "order_events", "jobs"] {
            let rows = shop.number(&format!("SELECT COUNT(*) FROM {empty}")).await;
            assert_eq!(rows, 0, "{empty} after a fault in {table}");
        }
        assert_eq!(shop.stock("A").await, 10, "after a fault in {table}");
        assert_eq!(shop.number("SELECT COUNT(*) FROM carts WHERE version = 1").await, 1);
        assert_eq!(shop.number("SELECT COUNT(*) FROM audit_log").await, audit);
        let on = if shop.repo.backend() == Backend::Postgres { format!("ON {table}") } else { String::new() };
        script(&shop, format!("DROP TRIGGER fault {on}")).await;
    }
    shop.orders.place(&ann, checkout("k", 1, &ann, &[listed("A", 1, 100)])).await.unwrap();
});

db_test!(a_thousand_buyers_get_the_last_hundred_pieces_once, |repo| async move {
    let shop = Shop::with(repo, &[("A", 100, 100)]).await;
    shop.carts(0..1000).await;
    let tasks: Vec<_> = (0..1000_u128)
        .map(|n| {
            let orders = shop.orders.clone();
            let order = checkout(&format!("k{n}"), n, &Principal::Guest, &[listed("A", 1, 100)]);
            tokio::spawn(async move {
                // On a slow machine some of a thousand wait longer for a connection than the pool lets them; a buyer
                // who is told so tries again under the same key.
                loop {
                    match orders.place(&Principal::Guest, order.clone()).await {
                        Err(PlaceError::Store(StoreError::Overloaded)) => {}
                        answer => return answer,
                    }
                }
            })
        })
        .collect();
    let (mut sold, mut told) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => sold += 1,
            Err(PlaceError::OutOfStock(shortages)) => {
                assert_eq!(shortages, [Shortage { sku: sku("A"), wanted: 1, left: 0 }]);
                told += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((sold, told), (100, 900));
    assert_eq!(shop.stock("A").await, 0);
    assert_eq!(shop.number("SELECT COUNT(*) FROM orders").await, 100);
    shop.assert_balanced().await;
});

/// Checkouts with many products in random order, beside deliveries, prices and cart saves in random order.
async fn crowd(shop: &Shop, seed: u64) {
    let codes: Vec<String> = (0..25).map(|n| format!("P{n:02}")).collect();
    let lines = codes.iter().map(|code| delivery(code, 1_000, 100)).collect();
    shop.catalog.deliver(&ROOT, "opening", lines).await.unwrap();
    shop.carts(0..80).await;
    let mut tasks = Vec::new();
    let mut random = StdRng::seed_from_u64(seed);
    for n in 0..80_u128 {
        let mut basket = codes.clone();
        basket.shuffle(&mut random);
        basket.truncate(random.random_range(5..20));
        let shop = shop.clone();
        tasks.push(tokio::spawn(async move {
            let goods: Vec<_> = basket.iter().map(|code| listed(code, 1, 100)).collect();
            shop.orders
                .place(&Principal::Guest, checkout(&format!("k{n}"), n, &Principal::Guest, &goods))
                .await
                .unwrap();
            if n % 4 == 0 {
                let lines = basket.iter().map(|code| delivery(code, 1, 100)).collect();
                shop.catalog.deliver(&ROOT, &format!("d{n}"), lines).await.unwrap();
            }
            if n % 5 == 0 {
                let id = shop
                    .orders
                    .find(&checkout(&format!("k{n}"), n, &ROOT, &goods).key)
                    .await
                    .unwrap()
                    .unwrap()
                    .id;
                shop.orders.step(&ROOT, id, pulse_core::order::Step::Cancel).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    shop.assert_balanced().await;
}

db_test!(baskets_in_random_order_get_through, |repo| async move {
    crowd(&Shop::new(repo), 7).await;
});

/// A retry would hide a deadlock: the server's own count shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baskets_in_random_order_never_deadlock_on_postgres() {
    let database = Database::create(Backend::Postgres).await;
    let repo = database.repo().await;
    crowd(&Shop::new(repo.clone()), 8).await;
    // A connection reports what it counted when it ends, at the latest.
    repo.close().await;
    let repo = database.repo().await;
    let shop = Shop::new(repo.clone());
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(shop.number(deadlocks).await, 0);
    repo.close().await;
    database.drop().await;
}

db_test!(what_the_schema_would_refuse_is_told_by_field, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    shop.carts([1]).await;
    let ann = buyer(7);
    let order = || checkout("k", 1, &ann, &[listed("A", 1, 100)]);
    let mut nowhere = order();
    nowhere.country = String::new();
    let mut nobody = order();
    nobody.email = Some("nobody".to_owned());
    let empty = checkout("k", 1, &ann, &[]);
    for (order, expected) in [(nowhere, "country"), (nobody, "email"), (empty, "cart")] {
        match shop.orders.place(&ann, order).await {
            Err(PlaceError::Invalid { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
});

db_test!(who_may_place_which_order, |repo| async move {
    let shop = Shop::with(repo, &[("A", 1000, 100)]).await;
    let everybody = [
        Principal::Guest,
        buyer(7),
        user(7, Role::Support),
        user(7, Role::Manager),
        user(7, Role::Admin),
        PAYMENTS,
    ];
    let mut cart = 0;
    for who in &everybody {
        let trusted =
            matches!(who, Principal::System(_) | Principal::User { role: Role::Manager | Role::Admin, .. });
        for kind in ["own", "other", "quoted", "account", "replay"] {
            cart += 1;
            shop.carts([cart]).await;
            let line = if kind == "quoted" { quoted("A", 1, 9) } else { listed("A", 1, 100) };
            let mut order = checkout(&format!("k{cart}"), cart, who, &[line]);
            match kind {
                "other" => order.buyer = Some(UserId(9)),
                "account" => order.payment = PaymentMethod::OnAccount,
                "replay" => {
                    order.channel = pulse_core::order::Channel::Replay { invoice: format!("{cart}") };
                }
                _ => {}
            }
            let result = shop.orders.place(who, order).await;
            let allowed = kind == "own" || trusted;
            assert_eq!(result.is_ok(), allowed, "{who} {kind}: {result:?}");
            assert_eq!(matches!(result, Err(PlaceError::Forbidden(_))), !allowed, "{who} {kind}: {result:?}");
        }
    }
});
