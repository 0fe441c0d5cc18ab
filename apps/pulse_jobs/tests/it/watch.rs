//! What the shop looks after by itself: carts that were left, stock that runs low, payments that hang, the audit trail.

use std::time::Duration;

use jobs::NewJob;
use pulse_core::order::Status;
use pulse_core::ports::{Charge, ChargeOutcome, PaymentGateway as _};
use pulse_core::{Money, OrderId, Principal, Role, Sku, UserId};
use pulse_data::audit::{AuditQuery, Sealer};
use pulse_data::catalog::DeliveryLine;
use pulse_data::orders::CALL_OFF_WORKER;
use pulse_data::webhooks::{DeliveryQuery, EventKind, NewEndpoint};
use pulse_data::{DbError, Sql as _, db_test};
use pulse_jobs::{Behaviour, Look, Runner, RunnerOptions, SimulatedGateway, WATCH_QUEUE, WatchOptions};

use crate::shop::{ROOT, Shop, sku};

impl Shop {
    /// Has the shop look, and whatever follows from it done.
    async fn look(&self, look: Look) {
        let job = NewJob::new(look.worker(), serde_json::json!({})).queue(WATCH_QUEUE);
        self.repo
            .write_with(job, |tx, job| {
                Box::pin(async move { jobs::enqueue(tx, job).await.map(drop).map_err(DbError::from) })
            })
            .await
            .unwrap();
        self.engine().run_due().await.unwrap();
    }

    /// An account with something in its cart.
    async fn buyer_with_cart(&self, email: &str, lines: &str) -> UserId {
        let user = self.accounts.bootstrap(email, "a long password", Role::Buyer).await.unwrap().id;
        self.cart(user, 1, lines).await;
        user
    }

    /// Stores a version of an account's cart.
    async fn cart(&self, user: UserId, version: i64, lines: &str) {
        let input = (pulse_data::carts::of_user(user).to_string(), version, format!("{{\"l\":[{lines}]}}"));
        self.repo
            .write_with(input, |tx, (id, version, body)| {
                Box::pin(async move {
                    let sql = "INSERT INTO carts (id, version, currency, body, recent) VALUES ($1, $2, 'GBP', $3, '') \
                               ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body";
                    let values = vec![id.as_str().into(), (*version).into(), body.as_str().into()];
                    tx.exec(sql, values).await
                })
            })
            .await
            .unwrap();
    }

    fn keys(&self) -> Vec<String> {
        self.letters().into_iter().map(|mail| mail.key).collect()
    }
}

async fn shop(repo: pulse_data::Repo) -> Shop {
    Shop::new(repo, SimulatedGateway::in_memory()).await
}

const HEART: &str = r#"["85123A",2,255,"s"]"#;

db_test!(a_cart_that_was_left_is_reminded_of_once_a_version, |repo| async move {
    let shop = shop(repo).await;
    let ann = shop.buyer_with_cart("ann@example.com", HEART).await;
    let hours = |n| Duration::from_hours(n);
    for _ in 0..24 {
        shop.look(Look::Carts).await;
        assert_eq!(shop.letters(), [], "not before a day has passed");
        shop.hands.turn(hours(1));
    }
    shop.look(Look::Carts).await;
    assert_eq!(shop.keys(), [format!("cart-reminder:{ann}:1")]);
    let letter = &shop.letters()[0];
    assert!(
        letter.body.contains("2 x Heart at 2.55 GBP") && letter.body.contains("https://shop.example/cart")
    );
    for _ in 0..5 {
        shop.hands.turn(hours(24));
        shop.look(Look::Carts).await;
    }
    assert_eq!(shop.letters().len(), 1, "once");
    // Whoever comes back and leaves again is reminded again, a day after that.
    shop.cart(ann, 2, &format!("{HEART},{HEART}")).await;
    shop.look(Look::Carts).await;
    shop.hands.turn(hours(23));
    shop.look(Look::Carts).await;
    assert_eq!(shop.letters().len(), 1);
    shop.hands.turn(hours(1));
    shop.look(Look::Carts).await;
    assert_eq!(shop.keys()[1..], [format!("cart-reminder:{ann}:2")]);
});

db_test!(whoever_bought_emptied_or_has_no_cart_is_left_in_peace, |repo| async move {
    let shop = shop(repo).await;
    let bought = shop.buyer_with_cart("bought@example.com", HEART).await;
    shop.buyer_with_cart("empty@example.com", "").await;
    let changed = shop.buyer_with_cart("changed@example.com", HEART).await;
    let locked = shop.buyer_with_cart("locked@example.com", HEART).await;
    shop.accounts.bootstrap("none@example.com", "a long password", Role::Buyer).await.unwrap();
    shop.look(Look::Carts).await;
    shop.hands.turn(Duration::from_hours(24));
    shop.cart(bought, 2, "").await;
    shop.accounts.set_status(&ROOT, locked, pulse_data::accounts::UserStatus::Locked).await.unwrap();
    // The cart is changed between the look and the letter.
    let reminders = shop.reminders.clone();
    assert_eq!(reminders.watch(&ROOT, Duration::from_hours(24)).await.unwrap(), 1, "all but one are out");
    shop.cart(changed, 2, HEART).await;
    shop.engine().run_due().await.unwrap();
    assert_eq!(shop.letters(), []);
});

db_test!(a_link_in_the_letter_stops_reminders_and_the_account_can_have_them_back, |repo| async move {
    let shop = shop(repo).await;
    let ann = shop.buyer_with_cart("ann@example.com", HEART).await;
    let who = Principal::User { id: ann, role: Role::Buyer };
    shop.look(Look::Carts).await;
    shop.hands.turn(Duration::from_hours(24));
    shop.look(Look::Carts).await;
    let link = shop.letters()[0].unsubscribe.clone().unwrap();
    assert!(shop.letters()[0].body.contains(&link));
    let token = link.strip_prefix("https://shop.example/reminders/stop?token=").unwrap();
    assert!(!shop.reminders.stop("guessed").await.unwrap());
    assert!(shop.reminders.wanted(&who).await.unwrap());
    assert!(shop.reminders.stop(token).await.unwrap());
    assert!(shop.reminders.stop(token).await.unwrap(), "again is no error");
    assert!(!shop.reminders.wanted(&who).await.unwrap());
    let rows = shop.repo.reader().rows("SELECT args || meta AS all_of_it FROM jobs", vec![]).await.unwrap();
    let jobs: String = rows.iter().map(|row| row.try_get::<String>("", "all_of_it").unwrap()).collect();
    assert!(!jobs.contains(token), "no job has the link");
    shop.cart(ann, 2, HEART).await;
    for _ in 0..3 {
        shop.look(Look::Carts).await;
        shop.hands.turn(Duration::from_hours(24));
    }
    assert_eq!(shop.letters().len(), 1);
    shop.reminders.want(&who, true).await.unwrap();
    for _ in 0..3 {
        shop.look(Look::Carts).await;
        shop.hands.turn(Duration::from_hours(24));
    }
    assert_eq!(shop.keys()[1..], [format!("cart-reminder:{ann}:2")]);
    shop.hands.turn(Duration::from_hours(200 * 24));
    shop.look(Look::Old).await;
    assert!(!shop.reminders.stop(token).await.unwrap(), "old links are forgotten");
});

db_test!(more_accounts_than_a_page_are_all_looked_at, |repo| async move {
    let shop = shop(repo).await;
    shop.repo
        .write(|tx| {
            Box::pin(async move {
                for n in 0..1_100 {
                    let sql = "INSERT INTO users (email, role, status, created_at) VALUES ($1, 'buyer', 'active', 0)";
                    tx.exec(sql, vec![format!("b{n}@example.com").into()]).await?;
                }
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
    let rows = shop.repo.reader().rows("SELECT id FROM users ORDER BY id", vec![]).await.unwrap();
    let mut expected = Vec::new();
    for n in [0, 499, 500, 999, 1_000, 1_099] {
        let user = UserId(rows[n].try_get("", "id").unwrap());
        shop.cart(user, 1, HEART).await;
        expected.push(format!("cart-reminder:{user}:1"));
    }
    shop.look(Look::Carts).await;
    shop.hands.turn(Duration::from_hours(24));
    shop.look(Look::Carts).await;
    let mut keys = shop.keys();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
});

db_test!(a_guests_cart_is_deleted_after_its_days_and_an_accounts_is_kept, |repo| async move {
    let shop = shop(repo).await;
    let ann = shop.buyer_with_cart("ann@example.com", HEART).await;
    let sql =
        "INSERT INTO carts (id, version, currency, body, recent) VALUES ($1, 1, 'GBP', '{\"l\":[]}', '')";
    shop.repo
        .write(move |tx| Box::pin(async move { tx.exec(sql, vec![format!("{:032x}", 7).into()]).await }))
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    for day in 0..=32 {
        shop.look(Look::GuestCarts).await;
        assert_eq!(shop.stats.snapshot().guest_carts, u64::from(day >= 30), "on day {day}");
        shop.hands.turn(Duration::from_hours(24));
    }
    let rows = shop.repo.reader().rows("SELECT id FROM carts", vec![]).await.unwrap();
    let left: Vec<String> = rows.iter().map(|row| row.try_get("", "id").unwrap()).collect();
    assert_eq!(left, [pulse_data::carts::of_user(ann).to_string()]);
});

async fn told_of(shop: &Shop, kind: EventKind) -> Vec<serde_json::Value> {
    let query = DeliveryQuery { limit: 200, ..DeliveryQuery::default() };
    let page = shop.webhooks.deliveries(&ROOT, &query).await.unwrap();
    let of_kind = page.items.iter().filter(|delivery| delivery.event == kind);
    of_kind.map(|delivery| serde_json::from_str(&delivery.payload).unwrap()).collect()
}

db_test!(a_product_that_runs_low_is_told_once_a_dip, |repo| async move {
    let shop = shop(repo).await;
    shop.accounts.bootstrap("boss@example.com", "a long password", Role::Manager).await.unwrap();
    shop.accounts.bootstrap("buyer@example.com", "a long password", Role::Buyer).await.unwrap();
    let new = NewEndpoint {
        url: "http://127.0.0.1:9/".to_owned(),
        events: [EventKind::StockLow].into(),
        description: String::new(),
    };
    shop.webhooks.create(&ROOT, new).await.unwrap();
    let set = async |pieces| {
        shop.catalog.set_stock(&ROOT, sku(), pieces).await.unwrap();
        shop.look(Look::Stock).await;
        shop.hands.turn(Duration::from_mins(15));
    };
    set(6).await;
    assert_eq!((shop.letters().len(), told_of(&shop, EventKind::StockLow).await.len()), (0, 0));
    for (pieces, dips) in [(5, 1), (3, 1), (0, 1), (6, 1), (4, 2), (4, 2)] {
        set(pieces).await;
        assert_eq!(shop.letters().len(), dips, "at {pieces}");
        assert_eq!(told_of(&shop, EventKind::StockLow).await.len(), dips, "at {pieces}");
    }
    let letter = &shop.letters()[0];
    assert_eq!((letter.to.as_str(), letter.subject.as_str()), ("boss@example.com", "Heart has run low"));
    let data = &told_of(&shop, EventKind::StockLow).await[1]["data"];
    assert_eq!((&data["sku"], &data["stock"]), (&"85123A".into(), &5.into()));
});

db_test!(many_products_that_run_low_make_few_letters, |repo| async move {
    let shop = shop(repo).await;
    shop.accounts.bootstrap("boss@example.com", "a long password", Role::Manager).await.unwrap();
    let line = |n: usize| DeliveryLine {
        sku: Sku::new(&format!("L{n:04}")).unwrap(),
        name: format!("Thing {n}"),
        category: None,
        pieces: 1,
        price: Money::gbp(100),
        vat: pulse_core::pricing::VatRate::Standard,
        priced_at: pulse_core::Timestamp(0),
    };
    shop.catalog.deliver(&ROOT, "few", (0..450).map(line).collect()).await.unwrap();
    shop.look(Look::Stock).await;
    let named: usize = shop.letters().iter().map(|mail| mail.body.matches(" left\n").count()).sum();
    assert_eq!((shop.letters().len(), named), (3, 450));
    assert_eq!(shop.stats.snapshot().low_stock, 450);
});

/// A shop whose gateway is silent for the first so many calls.
async fn silent_for(repo: pulse_data::Repo, calls: u64, then: Behaviour) -> Shop {
    let plan = move |_: &Charge, _, before| if before < calls { Behaviour::Ignore } else { then.clone() };
    Shop::new(repo, SimulatedGateway::in_memory().behaving(plan)).await
}

/// The order's payment job is gone: cancelled by a person, or discarded long ago.
async fn forget_jobs(shop: &Shop) {
    shop.repo
        .write(|tx| Box::pin(async move { tx.exec("DELETE FROM jobs", vec![]).await }))
        .await
        .map(drop)
        .map_err(|error: DbError| error)
        .unwrap();
}

db_test!(an_order_whose_payment_hangs_too_long_is_called_off_and_its_goods_are_back, |repo| async move {
    let shop = silent_for(repo, 1, Behaviour::Answer).await;
    let order = shop.sell(1).await;
    shop.engine().run_due().await.unwrap();
    forget_jobs(&shop).await;
    shop.hands.turn(Duration::from_hours(23));
    shop.look(Look::Payments).await;
    assert_eq!(
        (shop.status(order.id).await, shop.stock().await),
        (Status::Placed, 98),
        "not before its time"
    );
    shop.hands.turn(Duration::from_hours(2));
    shop.look(Look::Payments).await;
    assert_eq!((shop.status(order.id).await, shop.stock().await), (Status::Cancelled, 100));
    assert_eq!(shop.keys(), ["order-given-up:1"]);
    // Money can't move under this key any more.
    let late = Charge { key: "capture:key-1".to_owned(), order: order.id, amount: Money::gbp(510) };
    assert!(matches!(shop.gateway.capture(late).await.unwrap(), ChargeOutcome::Declined(_)));
});

db_test!(an_order_that_was_charged_unheard_is_paid_and_not_called_off, |repo| async move {
    let plan = |_: &Charge, _, before| match before {
        0 => Behaviour::MoveSilently,
        _ => Behaviour::Answer,
    };
    let shop = Shop::new(repo, SimulatedGateway::in_memory().behaving(plan)).await;
    let order = shop.sell(1).await;
    shop.engine().run_due().await.unwrap();
    forget_jobs(&shop).await;
    shop.hands.turn(Duration::from_hours(25));
    shop.look(Look::Payments).await;
    assert_eq!((shop.status(order.id).await, shop.stock().await, shop.taken()), (Status::Paid, 98, 510));
});

db_test!(a_gateway_that_says_nothing_gives_up_no_order, |repo| async move {
    let shop = silent_for(repo, u64::MAX, Behaviour::Answer).await;
    let order = shop.sell(1).await;
    shop.engine().run_due().await.unwrap();
    forget_jobs(&shop).await;
    shop.hands.turn(Duration::from_hours(25));
    for _ in 0..50 {
        shop.look(Look::Payments).await;
        shop.hands.turn(Duration::from_hours(1));
    }
    assert_eq!((shop.status(order.id).await, shop.stock().await), (Status::Placed, 98));
    let sql = "SELECT COUNT(*) AS n FROM jobs WHERE worker = $1 \
               AND state IN ('available', 'scheduled', 'executing', 'retryable')";
    let row = shop.repo.reader().row(sql, vec![CALL_OFF_WORKER.into()]).await.unwrap().unwrap();
    assert!(row.try_get::<i64>("", "n").unwrap() <= 1, "one question at a time");
    assert_eq!(order.id, OrderId(1));
});

async fn alarms(shop: &Shop) -> usize {
    let query = AuditQuery { action: Some("audit.alarm".to_owned()), ..AuditQuery::default() };
    pulse_data::audit::list(&shop.repo, &ROOT, &query).await.unwrap().len()
}

db_test!(a_trail_that_was_tampered_with_is_told_to_the_admins, |repo| async move {
    let shop = shop(repo).await;
    shop.accounts.bootstrap("root@example.com", "a long password", Role::Admin).await.unwrap();
    shop.sell(1).await;
    shop.engine().run_due().await.unwrap();
    Sealer::new(shop.repo.clone()).seal().await.unwrap();
    shop.look(Look::Audit).await;
    let stats = shop.stats.snapshot();
    assert_eq!((stats.audit_findings, alarms(&shop).await), (0, 0));
    assert!(stats.audit_verified_at > 0);
    shop.repo
        .write(|tx| {
            Box::pin(async move {
                let sql = "UPDATE audit_log SET who = 'user:8' WHERE action = 'order.place'";
                tx.exec(sql, vec![]).await.map(drop)
            })
        })
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    Sealer::new(shop.repo.clone()).seal().await.unwrap();
    shop.look(Look::Audit).await;
    assert_eq!((shop.stats.snapshot().audit_findings, alarms(&shop).await), (1, 1));
    let letter = shop.letters().into_iter().find(|mail| mail.to == "root@example.com").unwrap();
    assert_eq!(letter.subject, "The audit trail is not whole");
});

db_test!(a_look_at_an_empty_shop_finds_nothing_and_fails_nothing, |repo| async move {
    let shop = shop(repo).await;
    for look in Look::ALL {
        shop.look(look).await;
    }
    let watch = WatchOptions { low_stock: 1_000, ..WatchOptions::default() };
    let engine = Runner::engine(shop.surroundings(), RunnerOptions { watch, ..shop.options() });
    assert_eq!(engine.run_due().await.unwrap(), 0);
    let counts = jobs::counts(shop.repo.reader()).await.unwrap();
    assert!(counts.iter().all(|count| count.state == jobs::State::Completed), "{counts:?}");
});
