//! An order's life after the checkout: steps, money, returns, and who may see and do what.

#![expect(clippy::unwrap_used, reason = "a test: to panic is to fail")]

use std::collections::BTreeMap;

use futures::FutureExt as _;
use pulse_core::order::{Channel, PaymentMethod, Status, Step};
use pulse_core::ports::{Bus, Notice};
use pulse_core::pricing::{Promotion, Rule, price};
use pulse_core::{CheckoutKey, Currency, OrderId, Principal, Role, Timestamp, UserId, Version};
use pulse_data::orders::{
    BooksLine, BooksReturn, CAPTURE_SEQ, Demand, GoodsBack, OrderError, OrderQuery, PaymentState,
    ReplayFigures,
};
use pulse_data::{Backend, Repo, Sql as _, db_test};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::shop::{NOW, PAYMENTS, ROOT, Shop, buyer, checkout, delivery, listed, pieces, quoted, sku, user};

fn capture(order: OrderId) -> Demand {
    Demand { order, payment: CAPTURE_SEQ }
}

fn back(key: &str, order: OrderId, lines: &[(i64, i64)]) -> GoodsBack {
    let lines = lines.iter().map(|(line, n)| (*line, pieces(*n))).collect();
    GoodsBack { key: key.to_owned(), order, lines }
}

db_test!(an_order_leads_its_whole_life, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    let ann = buyer(7);
    let id = shop.sell(1, &ann, &[listed("A", 2, 100)]).await.id;
    shop.fulfil(id).await;
    let detail = shop.orders.get(&ann, id).await.unwrap();
    let life: Vec<_> = detail.events.iter().map(|event| event.status).collect();
    assert_eq!(life, [Status::Placed, Status::Paid, Status::Packed, Status::Shipped, Status::Delivered]);
    assert_eq!((detail.order.status, detail.order.version), (Status::Delivered, 5));
    let late = shop.orders.step(&ROOT, id, Step::Cancel).await;
    assert!(matches!(late, Err(OrderError::WrongStep(_))), "{late:?}");
});

db_test!(cancelling_an_unpaid_order_calls_the_payment_off, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    let ann = buyer(7);
    let id = shop.sell(1, &ann, &[listed("A", 2, 100)]).await.id;
    assert!(shop.orders.charge(&PAYMENTS, capture(id)).await.unwrap().is_some());
    let order = shop.orders.step(&ann, id, Step::Cancel).await.unwrap();
    assert_eq!(order.status, Status::Cancelled);
    assert_eq!(shop.stock("A").await, 10);
    assert_eq!(shop.orders.charge(&PAYMENTS, capture(id)).await.unwrap(), None);
    shop.assert_balanced().await;

    // The gateway was faster than the cancellation: what came in goes back.
    shop.orders.settled(&PAYMENTS, capture(id), "ref-1").await.unwrap();
    let payments = shop.orders.get(&ann, id).await.unwrap().payments;
    let states: Vec<_> = payments.iter().map(|p| (p.kind.name(), p.amount.pence, p.state)).collect();
    assert_eq!(states, [("capture", 200, PaymentState::Settled), ("refund", 200, PaymentState::Pending)]);
    assert_eq!(shop.number("SELECT COUNT(*) FROM jobs WHERE worker = 'payment.refund'").await, 1);
});

db_test!(cancelling_a_paid_order_refunds_it, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    let ann = buyer(7);
    let id = shop.sell(1, &ann, &[listed("A", 2, 100)]).await.id;
    let paid = shop.orders.settled(&PAYMENTS, capture(id), "ref-1").await.unwrap();
    assert_eq!(paid.status, Status::Paid);
    let again = shop.orders.settled(&PAYMENTS, capture(id), "ref-1").await.unwrap();
    assert_eq!(again, paid);
    shop.orders.step(&ann, id, Step::Cancel).await.unwrap();
    assert_eq!(shop.stock("A").await, 10);
    let refund = Demand { order: id, payment: 1 };
    let charge = shop.orders.charge(&PAYMENTS, refund).await.unwrap().unwrap();
    assert_eq!((charge.key.as_str(), charge.amount.pence), ("refund:key-1:1", 200));
    shop.orders.settled(&PAYMENTS, refund, "ref-2").await.unwrap();
    assert_eq!(shop.orders.charge(&PAYMENTS, refund).await.unwrap(), None);
    assert_eq!(shop.number("SELECT COUNT(*) FROM jobs WHERE worker = 'payment.refund'").await, 1);
});

db_test!(a_declined_payment_gives_the_order_up, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    let id = shop.sell(1, &buyer(7), &[listed("A", 2, 100)]).await.id;
    let order = shop.orders.declined(&PAYMENTS, capture(id), "no funds").await.unwrap();
    assert_eq!(order.status, Status::Cancelled);
    assert_eq!(shop.stock("A").await, 10);
    assert_eq!(shop.number("SELECT COUNT(*) FROM payments WHERE reference = 'no funds'").await, 1);
});

db_test!(goods_come_back_in_parts, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100), ("B", 10, 250)]).await;
    let id = shop.sell(1, &buyer(7), &[listed("A", 4, 100), listed("B", 1, 250)]).await.id;
    let early = shop.orders.return_goods(&ROOT, back("r0", id, &[(1, 1)])).await;
    assert!(matches!(early, Err(OrderError::WrongStep(_))), "{early:?}");
    shop.fulfil(id).await;

    let note = shop.orders.return_goods(&ROOT, back("r1", id, &[(1, 3)])).await.unwrap();
    assert_eq!(note.refund.pence, 300);
    assert_eq!(shop.orders.return_goods(&ROOT, back("r1", id, &[(1, 3)])).await.unwrap(), note);
    assert_eq!((shop.stock("A").await, shop.stock("B").await), (9, 9));
    let greedy = shop.orders.return_goods(&ROOT, back("r2", id, &[(1, 1), (1, 1)])).await;
    assert!(matches!(greedy, Err(OrderError::TooManyBack { line: 1, wanted: 2, left: 1 })), "{greedy:?}");
    let unknown = shop.orders.return_goods(&ROOT, back("r2", id, &[(9, 1)])).await;
    assert!(matches!(unknown, Err(OrderError::TooManyBack { line: 9, left: 0, .. })), "{unknown:?}");

    shop.orders.return_goods(&ROOT, back("r3", id, &[(1, 1), (2, 1)])).await.unwrap();
    let detail = shop.orders.get(&ROOT, id).await.unwrap();
    assert_eq!(detail.order.status, Status::Returned);
    assert_eq!(detail.notes.iter().map(|note| note.refund.pence).sum::<i64>(), 650);
    assert_eq!((shop.stock("A").await, shop.stock("B").await), (10, 10));
    assert_eq!(shop.number("SELECT COUNT(*) FROM jobs WHERE worker = 'payment.refund'").await, 2);
    shop.assert_balanced().await;
});

db_test!(refunds_of_a_discounted_order_add_up_to_what_was_paid, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 333), ("B", 10, 101)]).await;
    shop.carts([1]).await;
    let rule = Rule::Percentage { sku: None, percent: 7 };
    let promotions = [Promotion { code: "SEVEN".to_owned(), rule }];
    let lines = [listed("A", 3, 333), listed("B", 4, 101), quoted("B", 1, 55)];
    let mut order = checkout("k", 1, &ROOT, &lines);
    order.priced = price(&lines, &promotions).unwrap();
    let paid = order.priced.total().pence;
    assert!(order.priced.discount().pence > 0, "the promotion applies");
    let id = shop.orders.place(&ROOT, order).await.unwrap().id;
    shop.fulfil(id).await;
    let mut refunded = 0;
    for (n, line) in [(1, 1), (2, 2), (3, 1), (4, 2), (5, 3), (6, 2), (7, 1), (8, 2)] {
        let note = shop.orders.return_goods(&ROOT, back(&format!("r{n}"), id, &[(line, 1)])).await.unwrap();
        refunded += note.refund.pence;
        assert!(refunded <= paid);
    }
    assert_eq!(refunded, paid);
    assert_eq!(shop.orders.get(&ROOT, id).await.unwrap().order.status, Status::Returned);
});

db_test!(the_step_return_takes_everything_back, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    let id = shop.sell(1, &buyer(7), &[listed("A", 4, 100)]).await.id;
    shop.fulfil(id).await;
    shop.orders.return_goods(&ROOT, back("r1", id, &[(1, 1)])).await.unwrap();
    let order = shop.orders.step(&user(1, Role::Support), id, Step::Return).await.unwrap();
    assert_eq!(order.status, Status::Returned);
    assert_eq!(shop.stock("A").await, 10);
    let payments = shop.orders.get(&ROOT, id).await.unwrap().payments;
    assert_eq!(payments.iter().map(|p| p.amount.pence).collect::<Vec<_>>(), [400, 100, 300]);
});

db_test!(a_buyer_sees_its_own_orders_and_no_others, |repo| async move {
    let shop = Shop::with(repo, &[("A", 100, 100)]).await;
    let (ann, bob) = (buyer(7), buyer(8));
    let first = shop.sell(1, &ann, &[listed("A", 1, 100)]).await.id;
    let other = shop.sell(2, &bob, &[listed("A", 1, 100)]).await.id;
    let second = shop.sell(3, &ann, &[listed("A", 1, 100)]).await.id;
    for who in [&bob, &Principal::Guest] {
        let hidden = shop.orders.get(who, first).await;
        assert!(matches!(hidden, Err(OrderError::NotFound(id)) if id == first), "{hidden:?}");
        let hidden = shop.orders.step(who, first, Step::Cancel).await;
        assert!(matches!(hidden, Err(OrderError::NotFound(_))), "{hidden:?}");
    }
    let ids = |page: &pulse_data::page::Page<pulse_data::orders::Order>| {
        page.items.iter().map(|order| order.id).collect::<Vec<_>>()
    };
    let query = OrderQuery { limit: 1, ..OrderQuery::default() };
    let page = shop.orders.list(&ann, &query).await.unwrap();
    assert_eq!(ids(&page), [second]);
    let page = shop.orders.list(&ann, &OrderQuery { after: page.next, ..query.clone() }).await.unwrap();
    assert_eq!((ids(&page), page.next), (vec![first], None));
    let all = OrderQuery { everybody: true, limit: 10, ..query };
    let page = shop.orders.list(&user(1, Role::Support), &all).await.unwrap();
    assert_eq!(ids(&page), [second, other, first]);
    let refused = shop.orders.list(&ann, &all).await;
    assert!(matches!(refused, Err(OrderError::Forbidden(_))), "{refused:?}");
    assert_eq!(shop.orders.list(&Principal::Guest, &OrderQuery::default()).await.unwrap().items.len(), 0);
});

db_test!(who_may_move_an_order_on, |repo| async move {
    let shop = Shop::with(repo, &[("A", 1000, 100)]).await;
    let owner = buyer(7);
    let mut cart = 0;
    // For each step: the state to try it from, and the first role that may; the owner is tried beside them.
    let table = [
        (Step::Cancel, 0, Role::Manager, true),
        (Step::Cancel, 1, Role::Manager, true),
        (Step::Cancel, 2, Role::Manager, false),
        (Step::Pack, 1, Role::Manager, false),
        (Step::Ship, 2, Role::Manager, false),
        (Step::Deliver, 3, Role::Manager, false),
        (Step::Return, 4, Role::Support, false),
    ];
    let way = [Step::Pay, Step::Pack, Step::Ship, Step::Deliver];
    for (step, steps, least, by_owner) in table {
        let mut who: Vec<(Principal, bool)> =
            [Role::Support, Role::Manager, Role::Admin].map(|role| (user(1, role), role >= least)).to_vec();
        who.push((owner.clone(), by_owner));
        who.push((ROOT, true));
        for (who, allowed) in who {
            cart += 1;
            let id = shop.sell(cart, &owner, &[listed("A", 1, 100)]).await.id;
            for step in &way[..steps] {
                shop.orders.step(&ROOT, id, *step).await.unwrap();
            }
            let result = shop.orders.step(&who, id, step).await;
            assert_eq!(result.is_ok(), allowed, "{who} {step:?} after {steps}: {result:?}");
            assert_eq!(
                matches!(result, Err(OrderError::Forbidden(_))),
                !allowed,
                "{who} {step:?}: {result:?}"
            );
        }
    }
    let id = shop.sell(cart + 1, &owner, &[listed("A", 1, 100)]).await.id;
    for who in [owner, user(1, Role::Admin)] {
        let refused = shop.orders.step(&who, id, Step::Pay).await;
        assert!(matches!(refused, Err(OrderError::Forbidden(_))), "{who} {refused:?}");
        let refused = shop.orders.settled(&who, capture(id), "mine").await;
        assert!(matches!(refused, Err(OrderError::Forbidden(_))), "{who} {refused:?}");
    }
    let refused = shop.orders.return_goods(&buyer(7), back("r", id, &[(1, 1)])).await;
    assert!(matches!(refused, Err(OrderError::Forbidden(_))), "{refused:?}");
});

/// Random sales, cancellations, returns, deliveries and corrections beside a model of the stock.
async fn random_shop(shop: &Shop, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let codes = ["A", "B", "C"];
    let mut stock: BTreeMap<&str, i64> = codes.iter().map(|code| (*code, 20)).collect();
    let lines = codes.iter().map(|code| delivery(code, 20, 100)).collect();
    shop.catalog.deliver(&ROOT, "opening", lines).await.unwrap();
    let mut open: Vec<(OrderId, Vec<(&str, i64)>)> = Vec::new();
    let mut sent: Vec<(OrderId, Vec<(&str, i64)>)> = Vec::new();
    for n in 0..40_u128 {
        match random.random_range(0..6) {
            0..=2 => {
                let goods: Vec<(&str, i64)> = (0..random.random_range(1..4))
                    .map(|_| (codes[random.random_range(0..3)], random.random_range(1..6)))
                    .collect();
                let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
                for (code, n) in &goods {
                    *wanted.entry(code).or_insert(0) += n;
                }
                let enough = wanted.iter().all(|(code, n)| stock[code] >= *n);
                shop.carts([n]).await;
                let lines: Vec<_> =
                    goods.iter().zip(90..).map(|((code, n), pence)| listed(code, *n, pence)).collect();
                let who = buyer(7);
                let placed = shop.orders.place(&who, checkout(&format!("k{n}"), n, &who, &lines)).await;
                assert_eq!(placed.is_ok(), enough, "{placed:?}");
                if let Ok(placed) = placed {
                    for (code, n) in wanted {
                        *stock.entry(code).or_insert(0) -= n;
                    }
                    open.push((placed.id, goods));
                }
            }
            3 if !open.is_empty() => {
                let (id, goods) = open.swap_remove(random.random_range(0..open.len()));
                if random.random_bool(0.5) {
                    shop.orders.step(&ROOT, id, Step::Cancel).await.unwrap();
                    for (code, n) in goods {
                        *stock.entry(code).or_insert(0) += n;
                    }
                } else {
                    shop.fulfil(id).await;
                    sent.push((id, goods));
                }
            }
            4 if !sent.is_empty() => {
                let at = random.random_range(0..sent.len());
                let (id, goods) = &mut sent[at];
                let line = random.random_range(0..goods.len());
                let (code, left) = goods[line];
                let wanted = random.random_range(1..7);
                let no = i64::try_from(line).unwrap() + 1;
                let result =
                    shop.orders.return_goods(&ROOT, back(&format!("r{n}"), *id, &[(no, wanted)])).await;
                assert_eq!(result.is_ok(), wanted <= left, "{result:?}");
                if result.is_ok() {
                    goods[line].1 -= wanted;
                    *stock.entry(code).or_insert(0) += wanted;
                    if goods.iter().all(|(_, left)| *left == 0) {
                        sent.swap_remove(at);
                    }
                }
            }
            _ => {
                let code = codes[random.random_range(0..3)];
                let pieces = random.random_range(0..20);
                shop.catalog.set_stock(&ROOT, sku(code), pieces).await.unwrap();
                stock.insert(code, pieces);
            }
        }
        for (code, n) in &stock {
            assert_eq!(shop.stock(code).await, *n, "{code} after step {n} of seed {seed}");
        }
    }
    shop.assert_balanced().await;
}

db_test!(whatever_happens_no_piece_is_lost_or_made, |repo| async move {
    let shop = Shop::new(repo);
    random_shop(&shop, 1).await;
});

db_test!(whatever_happens_no_piece_is_lost_or_made_in_another_shop, |repo| async move {
    let shop = Shop::new(repo);
    random_shop(&shop, 20_101_201).await;
});

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

db_test!(replayed_invoices_are_reported, |repo| async move {
    let replay = Principal::System("replay");
    let shop = Shop::with(repo, &[("A", 100, 100), ("B", 100, 100), ("C", 0, 100)]).await;
    let place = async |cart: u128, invoice: &str, of: Option<i64>, when: &str, country: &str, lines: &[_]| {
        shop.carts([cart]).await;
        let mut order = checkout(&format!("{invoice}/{cart}"), cart, &replay, lines);
        order.buyer = of.map(UserId);
        order.payment = PaymentMethod::OnAccount;
        order.channel = Channel::Replay { invoice: invoice.to_owned() };
        order.placed_at = at(when);
        order.country = country.to_owned();
        shop.orders.place(&replay, order).await.unwrap().id
    };
    place(
        1,
        "536365",
        Some(1),
        "2010-12-31T23:59:59Z",
        "France",
        &[quoted("A", 6, 255), quoted("B", 1, 339)],
    )
    .await;
    // The same invoice in a later file: counted once, where its first line stands.
    place(2, "536365", Some(1), "2011-01-01T00:00:00Z", "Norway", &[quoted("A", 1, 255)]).await;
    place(3, "536366", None, "2011-01-01T00:00:00Z", "Norway", &[quoted("B", 3, 1)]).await;
    let given_up = place(4, "536367", Some(2), "2011-01-01T00:00:00Z", "Norway", &[quoted("B", 3, 1)]).await;
    shop.orders.step(&ROOT, given_up, Step::Cancel).await.unwrap();
    shop.sell(5, &buyer(9), &[listed("A", 1, 100)]).await;

    let line = |key: &str, code: &str, n: i64, unit_pence: i64| BooksLine {
        key: key.to_owned(),
        sku: sku(code),
        quantity: pieces(n),
        unit_pence,
    };
    let note = |when: &str, lines: Vec<BooksLine>| BooksReturn {
        invoice: "C536379".to_owned(),
        buyer: None,
        country: "France".to_owned(),
        returned_at: at(when),
        currency: Currency::Gbp,
        lines,
    };
    let parts = [line("f1:3", "A", 2, 255), line("f1:9", "C", 1, 40)];
    let first = note("2010-12-31T10:00:00Z", parts.to_vec());
    shop.orders.return_from_books(&replay, first.clone()).await.unwrap();
    shop.orders.return_from_books(&replay, first).await.unwrap();
    let late = note("2011-02-01T00:00:00Z", vec![parts[0].clone(), line("f2:1", "A", 1, 255)]);
    let booked = shop.orders.return_from_books(&replay, late).await.unwrap();
    assert_eq!(booked.refund.pence, 2 * 255 + 40 + 255);
    let unknown = shop
        .orders
        .return_from_books(&replay, note("2011-02-01T00:00:00Z", vec![line("f2:2", "NEW", 1, 1)]))
        .await;
    assert!(matches!(unknown, Err(OrderError::UnknownProduct(_))), "{unknown:?}");

    let months = |list: &[(&str, i64)]| list.iter().map(|(key, n)| ((*key).to_owned(), *n)).collect();
    let expected = ReplayFigures {
        orders: 2,
        returns: 1,
        return_lines: 3,
        customers: 1,
        revenue_pence: 2127,
        refunds_pence: 805,
        by_month: months(&[("2010-12", 2124), ("2011-01", 3)]),
        refunds_by_month: months(&[("2010-12", 805)]),
        by_country: months(&[("France", 2124), ("Norway", 3)]),
        products_sold: 2,
        pieces_sold: 11,
        top: vec![(sku("A"), 1785), (sku("B"), 342)],
    };
    assert_eq!(shop.orders.replay_figures(&replay).await.unwrap(), expected);
    shop.assert_balanced().await;
    for who in [Principal::Guest, user(1, Role::Support)] {
        assert!(matches!(shop.orders.replay_figures(&who).await, Err(OrderError::Forbidden(_))));
    }
});

db_test!(an_edit_between_freeze_and_checkout_is_noticed, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    shop.carts([1]).await;
    let mut order = checkout("k", 1, &Principal::Guest, &[listed("A", 1, 100)]);
    order.cart_version = Version(2);
    let refused = shop.orders.place(&Principal::Guest, order).await;
    assert_eq!(refused, Err(pulse_core::ports::PlaceError::CartChanged));
    assert_eq!(shop.orders.find(&CheckoutKey::new("k").unwrap()).await.unwrap(), None);
    assert_eq!(shop.stock("A").await, 10);
});

db_test!(sales_are_counted_once_by_whoever_asks_again, |repo| async move {
    let shop = Shop::with(repo, &[("A", 100, 100)]).await;
    let ann = buyer(7);
    let none = shop.orders.sales_after(&ROOT, OrderId(0)).await.unwrap();
    assert_eq!((none.last, none.orders, none.pence), (OrderId(0), 0, 0));
    shop.sell(1, &ann, &[listed("A", 2, 100)]).await;
    let given_up = shop.sell(2, &ann, &[listed("A", 1, 100)]).await.id;
    shop.orders.step(&ann, given_up, Step::Cancel).await.unwrap();
    let first = shop.orders.sales_after(&ROOT, none.last).await.unwrap();
    assert_eq!((first.last, first.orders, first.pence), (given_up, 1, 200));
    let third = shop.sell(3, &ann, &[listed("A", 3, 100)]).await.id;
    let second = shop.orders.sales_after(&ROOT, first.last).await.unwrap();
    assert_eq!((second.last, second.orders, second.pence), (third, 1, 300));
    let minutes = shop.orders.minutes(&ROOT, NOW).await.unwrap();
    assert_eq!(minutes.iter().map(|m| (m.orders, m.pence)).collect::<Vec<_>>(), [(2, 500)]);
    assert_eq!(shop.orders.minutes(&ROOT, Timestamp(NOW.0 + 60_000)).await.unwrap(), []);
    assert!(matches!(shop.orders.sales_after(&ann, first.last).await, Err(OrderError::Forbidden(_))));
});

db_test!(a_step_of_an_order_is_told_once_it_is_durable, |repo| async move {
    let bus = std::sync::Arc::new(Told::default());
    let mut shop = Shop::with(repo, &[("A", 10, 100)]).await;
    shop.orders = shop.orders.clone().telling(bus.clone());
    let ann = buyer(7);
    let id = shop.sell(1, &ann, &[listed("A", 2, 100)]).await.id;
    let late = shop.orders.step(&ROOT, id, Step::Ship).await;
    assert!(late.is_err(), "what did not happen is not told");
    shop.fulfil(id).await;
    shop.orders.return_goods(&ROOT, back("b", id, &[(1, 2)])).await.unwrap();
    let told: Vec<_> = std::mem::take(&mut *bus.0.lock().unwrap());
    let order = |status| Notice::Order { id, buyer: ann.user(), status };
    let life =
        [Status::Placed, Status::Paid, Status::Packed, Status::Shipped, Status::Delivered, Status::Returned];
    assert_eq!(told, life.map(order));
});

/// Everything that was told.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<Notice>>);

impl Bus for Told {
    fn tell(&self, notice: Notice) {
        self.0.lock().unwrap().push(notice);
    }
}

/// The database's plan for a page of the packers' list.
async fn plan(repo: &Repo) -> String {
    let (explain, column) = match repo.backend() {
        Backend::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        Backend::Postgres => ("EXPLAIN", 0),
    };
    let sql = format!(
        "{explain} SELECT id FROM orders WHERE status = 'paid' AND id < 4000 ORDER BY id DESC LIMIT 21"
    );
    let rows = repo.reader().rows(&sql, vec![]).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(column).unwrap() + "\n").collect()
}

db_test!(a_page_of_orders_by_status_is_read_from_an_index, |repo| async move {
    // Thousands of orders that are over, a few that are to be packed.
    let series = match repo.backend() {
        Backend::Sqlite => {
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000) SELECT n FROM s)"
        }
        Backend::Postgres => "(SELECT generate_series(1, 5000) AS n)",
    };
    let sql = format!(
        "INSERT INTO orders (checkout_key, cart_id, country, payment, status, currency, subtotal_pence, \
         discount_pence, vat_pence, total_pence, placed_at, version) \
         SELECT 'k' || n, 'c' || n, 'UK', 'card', CASE WHEN n % 500 = 0 THEN 'paid' ELSE 'delivered' END, 'GBP', \
         100, 0, 0, 100, n, 1 FROM {series} AS s; ANALYZE orders"
    );
    repo.write_with(sql, |tx, sql| async move { tx.script(sql).await }.boxed()).await.unwrap();
    let plan = plan(&repo).await;
    assert!(plan.contains("ix_orders_status") && !plan.to_lowercase().contains("sort"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
});
