//! What an orders desk does, seen from outside.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt as _;
use futures::future::{Either, join, join_all, select};
use labs_orders_db::changeset::Changeset;
use labs_orders_db::db::Sql as _;
use labs_orders_db::edit::{EditError, amend, cancel, deliver, product, reprice};
use labs_orders_db::multi::Multi;
use labs_orders_db::place::{PlaceError, Shortage, place};
use labs_orders_db::{DbError, NewOrder, OrderId, list};
use sea_orm::DbBackend;
use serde_json::json;

use crate::desk::{held, on_both, order, orders, stock, stocked};

/// A person mends a form once: every mistake is named, with the place where it is.
///
/// Hole: `items`.
#[test]
fn everything_that_is_wrong_is_named_at_once() {
    gate::check(|| {
        let sent = json!({ "buyer": "", "lines": [
            { "sku": "A", "quantity": 1 }, { "sku": "B", "quantity": 0 }, { "quantity": "two" }, { "sku": "A", "quantity": 2 },
        ] });
        let errors = NewOrder::cast(&sent).expect_err("this order is wrong").0;
        let said: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.code)).collect();
        assert_eq!(
            said,
            [
                ("key", "required"),
                ("buyer", "length"),
                ("lines[1].quantity", "range"),
                ("lines[2].sku", "required"),
                ("lines[2].quantity", "type"),
            ],
            "what is wrong, and where"
        );
    });
}

/// A product stands in an order once, and the second line of it is the one that is refused.
///
/// Hole: `items`.
#[test]
fn a_product_that_is_there_twice_is_pointed_at() {
    gate::check(|| {
        let line = json!({ "sku": "A", "quantity": 1 });
        let sent =
            json!({ "key": "k", "buyer": "ann", "lines": [line, { "sku": "B", "quantity": 1 }, line] });
        let errors = NewOrder::cast(&sent).expect_err("this order is wrong").0;
        let said: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.code)).collect();
        assert_eq!(said, [("lines[2].sku", "twice")], "what is wrong, and where");
        let sent = json!({ "buyer": "ann", "lines": [line, line] });
        let errors = NewOrder::cast(&sent).expect_err("this order is wrong, too").0;
        let said: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.code)).collect();
        let both = [("key", "required"), ("lines[1].sku", "twice")];
        assert_eq!(said, both, "the lines are right each by itself, whatever is wrong beside them");
    });
}

/// A mistake is named by its whole way from the outside, in a list within a list, too.
///
/// Hole: `items`.
#[test]
fn a_mistake_in_a_list_within_a_list_is_found_by_its_name() {
    gate::check(|| {
        let sent = json!({ "orders": [
            { "lines": [{ "sku": "A" }] }, { "lines": [{ "sku": "B" }, { "sku": "" }] },
        ] });
        let mut checks = Changeset::new(&sent);
        let orders =
            checks.list("orders", 1..=9, |order| order.list("lines", 1..=9, |line| line.text("sku", 1..=20)));
        let errors = checks.finish(|| orders).expect_err("a line has no code").0;
        let said: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.code)).collect();
        assert_eq!(said, [("orders[1].lines[1].sku", "length")], "the way to the mistake");
    });
}

/// Bounds are in what people count: characters, without the space around them.
///
/// Hole: `items`.
#[test]
fn a_text_is_measured_in_characters_and_without_the_space_around_it() {
    gate::check(|| {
        let sent =
            |buyer: &str| json!({ "key": "k", "buyer": buyer, "lines": [{ "sku": "A", "quantity": 1 }] });
        let name = "ü".repeat(100);
        let cast = NewOrder::cast(&sent(&format!("  {name} "))).expect("a hundred characters");
        assert_eq!(cast.buyer(), name);
        assert!(NewOrder::cast(&sent(&"u".repeat(101))).is_err(), "101 characters are one too many");
        assert!(NewOrder::cast(&sent("   ")).is_err(), "space alone is no name");
    });
}

/// An order keeps the prices of its moment; a later price changes no order.
///
/// Holes: `place`, `take`, `fill`.
#[test]
fn an_order_keeps_its_lines_and_the_prices_of_its_moment() {
    on_both(async |db| {
        stocked(db, &[("A", 5), ("B", 5)]).await;
        let placed = place(db, &order("k", &[("B", 2), ("A", 3)])).await.expect("placed");
        assert_eq!(placed.total, 500, "the total of the order");
        reprice(db, "A", 1, 900).await.expect("repriced");
        assert_eq!(orders(db).await, [placed], "the order as it is stored, after a new price");
        assert_eq!((stock(db, "A").await, stock(db, "B").await), (2, 3), "what is left of A and B");
    });
}

/// Money is whole pence: a total is exact, however small or large its parts.
///
/// Hole: `place`.
#[test]
fn a_total_is_exact_to_the_penny() {
    on_both(async |db| {
        // One more than a floating-point number can count, and one that has no exact fraction of a pound.
        for (sku, price) in [("A", 9_007_199_254_740_993), ("B", 29)] {
            deliver(db, sku, sku, price, 5).await.expect("delivered");
        }
        for (sku, total) in [("A", 9_007_199_254_740_993), ("B", 29)] {
            let placed = place(db, &order(sku, &[(sku, 1)])).await.expect("placed");
            assert_eq!(placed.total, total, "pence for one piece of {sku}");
        }
        let stored: Vec<_> = orders(db).await.iter().map(|order| order.total).collect();
        assert_eq!(stored, [9_007_199_254_740_993, 29], "pence as they are stored");
    });
}

/// A key makes one order: sent again, it is answered with the order that it has made.
///
/// Hole: `place`.
#[test]
fn the_same_key_again_is_the_same_order() {
    on_both(async |db| {
        // Which of the two codes comes first is asked of Rust here and of the database there.
        let lines = [("a", 3), ("B", 1)];
        stocked(db, &[("a", 5), ("B", 5)]).await;
        let first = place(db, &order("k", &lines)).await.expect("placed");
        let again = place(db, &order("k", &lines)).await.expect("the same order");
        assert_eq!(first, again, "the second answer is another order");
        assert_eq!((stock(db, "a").await, stock(db, "B").await), (2, 4), "what is left of five and five");
    });
}

/// A key makes one order, also where all look before any has written.
///
/// Holes: `place`, `classify`.
#[test]
fn the_same_key_at_the_same_time_is_one_order() {
    on_both(async |db| {
        stocked(db, &[("A", 100)]).await;
        let order = order("k", &[("A", 1)]);
        let placed = join_all((0..16).map(|_| place(db, &order))).await;
        let numbers: Vec<_> =
            placed.into_iter().map(|placed| placed.expect("everybody gets the order").id).collect();
        assert!(numbers.iter().all(|id| *id == numbers[0]), "one key has made several orders: {numbers:?}");
        assert_eq!((stock(db, "A").await, orders(db).await.len()), (99, 1), "pieces left, orders");
    });
}

/// Who sends an order twice at once gets it twice, also where the first of the two took the last piece.
///
/// Hole: `place`.
#[test]
fn the_last_piece_is_not_short_for_the_order_that_has_it() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        let order = order("k", &[("A", 1)]);
        for placed in join_all((0..16).map(|_| place(db, &order))).await {
            assert!(placed.is_ok(), "the order has the last piece, and its buyer is told {placed:?}");
        }
        assert_eq!((stock(db, "A").await, orders(db).await.len()), (0, 1), "pieces left, orders");
    });
}

/// A key names one order; another order under it is refused, and not answered with the first one.
///
/// Hole: `place`.
#[test]
fn another_order_under_a_used_key_is_refused() {
    on_both(async |db| {
        stocked(db, &[("A", 100), ("B", 100)]).await;
        place(db, &order("k", &[("A", 1)])).await.expect("placed");
        let somebody_elses = json!({ "key": "k", "buyer": "bo", "lines": [{ "sku": "A", "quantity": 1 }] });
        for other in [
            order("k", &[("A", 2)]),
            order("k", &[("B", 1)]),
            order("k", &[("A", 1), ("B", 1)]),
            NewOrder::cast(&somebody_elses).expect("a right order"),
        ] {
            assert_eq!(place(db, &other).await, Err(PlaceError::KeyReused), "another order under the key k");
        }
        assert_eq!(
            (stock(db, "A").await, stock(db, "B").await),
            (99, 100),
            "pieces of A and B that are left"
        );
    });
}

/// Of two orders that use one key at once, one is placed, and the other is refused and not answered with the first.
///
/// Hole: `place`.
#[test]
fn two_orders_under_one_key_at_the_same_time_are_one() {
    on_both(async |db| {
        stocked(db, &[("A", 100)]).await;
        for n in 0..8 {
            let key = format!("k{n}");
            let (one, two) = (order(&key, &[("A", 1)]), order(&key, &[("A", 2)]));
            let placed = join(place(db, &one), place(db, &two)).await;
            for (wanted, placed) in [(&one, placed.0), (&two, placed.1)] {
                match placed {
                    Ok(order) => assert!(wanted.is(&order), "{wanted:?} was answered with {order:?}"),
                    Err(error) => assert_eq!(error, PlaceError::KeyReused, "another order has the key {key}"),
                }
            }
        }
        assert_eq!(orders(db).await.len(), 8, "orders of eight keys");
    });
}

/// A database that can't take an order now will not take it by being asked for ever.
///
/// Hole: `place`.
#[test]
fn an_order_that_the_database_can_not_take_is_given_up() {
    on_both(async |db| {
        stocked(db, &[("A", 5)]).await;
        db.exec("DROP TABLE lines", vec![]).await.expect("dropped");
        let before = db.statements();
        let order = order("k", &[("A", 1)]);
        let goes_on = async {
            while db.statements() - before < 500 {
                tokio::task::yield_now().await;
            }
        };
        match select(pin!(place(db, &order)), pin!(goes_on)).await {
            Either::Left((placed, _)) => {
                let failed = matches!(placed, Err(PlaceError::Db(DbError::Other(_))));
                assert!(failed, "the database has no lines, and the answer is {placed:?}");
            }
            Either::Right(_) => panic!("500 statements for an order that can't be placed, and it goes on"),
        }
        assert_eq!(stock(db, "A").await, 5, "pieces left");
    });
}

/// All or nothing: who is refused has taken no piece, and is told of every line that is short.
///
/// Holes: `take`, `attempt`.
#[test]
fn who_is_refused_has_changed_nothing_and_hears_of_every_shortage() {
    on_both(async |db| {
        stocked(db, &[("A", 10), ("B", 1), ("C", 10)]).await;
        let wanted = order("k", &[("A", 1), ("B", 2), ("C", 1), ("D", 1)]);
        let short = |sku: &str, available| Shortage { sku: sku.to_owned(), available };
        let refused = place(db, &wanted).await;
        assert_eq!(
            refused,
            Err(PlaceError::Short(vec![short("B", 1), short("D", 0)])),
            "every line that is short"
        );
        let left = (stock(db, "A").await, stock(db, "B").await, stock(db, "C").await);
        assert_eq!(left, (10, 1, 10), "who was refused has taken pieces");
        assert_eq!(orders(db).await, [], "who was refused has an order");
        place(db, &order("k", &[("A", 1)])).await.expect("the key is still free");
    });
}

/// The last piece goes to one buyer.
///
/// Hole: `take`.
#[test]
fn the_last_pieces_go_to_one_buyer_each() {
    on_both(async |db| {
        stocked(db, &[("A", 7)]).await;
        let wanted: Vec<_> = (0..40).map(|n| order(&format!("k{n}"), &[("A", 1)])).collect();
        let placed = join_all(wanted.iter().map(|order| place(db, order))).await;
        let sold = placed.iter().filter(|placed| placed.is_ok()).count();
        assert_eq!(sold, 7, "seven pieces went to {sold} buyers");
        assert!(
            placed
                .iter()
                .filter_map(|placed| placed.as_ref().err())
                .all(|e| matches!(e, PlaceError::Short(_)))
        );
        assert_eq!((stock(db, "A").await, held(db, "A").await), (0, 7), "in stock, in orders");
    });
}

/// An edit is stored over the version that it was made from, or not at all.
///
/// Hole: `reprice`.
#[test]
fn an_edit_of_what_has_changed_is_refused_and_the_first_one_stands() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        let seen = product(db, "A").await.expect("there").version;
        reprice(db, "A", seen, 300).await.expect("the first edit");
        assert_eq!(reprice(db, "A", seen, 400).await, Err(EditError::Stale), "an edit of an old version");
        let now = product(db, "A").await.expect("there");
        assert_eq!((now.price, now.version), (300, seen + 1), "price and version after the first edit");
        assert_eq!(reprice(db, "B", 1, 400).await, Err(EditError::NotThere), "an edit of no product");
    });
}

/// The version counts edits by people: a sale must not make an editor's work stale.
///
/// Holes: `take`, `reprice`.
#[test]
fn a_sale_is_no_edit() {
    on_both(async |db| {
        stocked(db, &[("A", 10)]).await;
        let seen = product(db, "A").await.expect("there").version;
        place(db, &order("k", &[("A", 1)])).await.expect("placed");
        reprice(db, "A", seen, 300).await.expect("nobody has edited the product");
    });
}

/// An edit changes what was edited: pieces that were sold since it looked stay sold.
///
/// Holes: `reprice`, `amend`.
#[test]
fn a_sale_during_an_edit_stays_sold() {
    on_both(async |db| {
        stocked(db, &[("A", 20)]).await;
        for n in 0..8 {
            let order = order(&format!("k{n}"), &[("A", 1)]);
            let (edited, placed) = join(reprice(db, "A", n + 1, 200 + n), place(db, &order)).await;
            edited.expect("a sale is no edit");
            placed.expect("there are twenty");
        }
        assert_eq!(stock(db, "A").await, 12, "pieces left of twenty, after eight edits and eight sales");
        let amended = amend(db, "A", |seen| {
            // While the rule thinks, somebody buys.
            let (db, order) = (db.clone(), order("meanwhile", &[("A", 2)]));
            let buyer = std::thread::spawn(move || alone(place(&db, &order)));
            buyer.join().expect("the buyer").expect("there are twelve");
            seen.price + 1
        });
        assert_eq!(amended.await, Ok(208), "the rule's price");
        assert_eq!(stock(db, "A").await, 10, "pieces left of twelve, after an edit and a sale of two");
    });
}

/// Eight edits at once are eight edits: none is lost under another.
///
/// Holes: `amend`, `reprice`.
#[test]
fn edits_by_a_rule_at_the_same_time_are_all_in() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        let edits = join_all((0..8).map(|_| amend(db, "A", |seen| seen.price + 1))).await;
        let mut prices: Vec<_> = edits.into_iter().map(|price| price.expect("amended")).collect();
        prices.sort_unstable();
        assert_eq!(product(db, "A").await.expect("there").price, 108, "eight edits of one penny each");
        assert_eq!(prices, (101..=108).collect::<Vec<_>>(), "what each of them was told");
    });
}

/// Runs something on a thread that has no runtime.
fn alone<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("the machine gives a runtime").block_on(what)
}

/// Whoever amends is told the price that was stored, also where somebody else stores the next one in the same moment.
///
/// Hole: `amend`.
#[test]
fn who_amends_is_told_its_own_price() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        // Somebody who is always there right behind.
        let somebody: &[&str] = if db.backend() == DbBackend::Sqlite {
            &["CREATE TRIGGER behind AFTER UPDATE ON products WHEN NEW.price = 101 BEGIN \
               UPDATE products SET price = 7, version = version + 1 WHERE sku = NEW.sku; END"]
        } else {
            &[
                "CREATE FUNCTION behind() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 UPDATE products SET price = 7, version = version + 1 WHERE sku = NEW.sku; RETURN NULL; END $$",
                "CREATE TRIGGER behind AFTER UPDATE ON products FOR EACH ROW WHEN (NEW.price = 101) \
                 EXECUTE FUNCTION behind()",
            ]
        };
        for sql in somebody {
            db.exec(sql, vec![]).await.expect("somebody is there");
        }
        assert_eq!(
            amend(db, "A", |seen| seen.price + 1).await,
            Ok(101),
            "the price that this rule has stored"
        );
        assert_eq!(
            product(db, "A").await.expect("there").price,
            7,
            "the price that somebody stored behind it"
        );
    });
}

/// Nothing is repeated for ever: after a bound the answer is that it was changed.
///
/// Hole: `amend`.
#[test]
fn a_rule_that_meets_a_change_each_time_gives_up() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        let asked = AtomicUsize::new(0);
        let other = db.clone();
        let amended = amend(db, "A", |seen| {
            let times = asked.fetch_add(1, Ordering::Relaxed) + 1;
            assert!(times <= 100, "the rule was asked {times} times, and it goes on");
            // Somebody else is faster, whatever this rule sees.
            let (db, version) = (other.clone(), seen.version);
            let faster = std::thread::spawn(move || alone(reprice(&db, "A", version, 7)));
            faster.join().expect("the other editor").expect("the other edit");
            seen.price + 1
        })
        .await;
        assert_eq!(amended, Err(EditError::Stale), "somebody was faster each time");
        assert_eq!(product(db, "A").await.expect("there").price, 7, "the faster editor's price");
        assert!(asked.into_inner() >= 2, "the rule was asked once: nothing was repeated");
    });
}

/// What is refused would be refused again: nobody is faster, and the rule is not asked a second time.
///
/// Hole: `amend`.
#[test]
fn a_price_that_is_refused_is_not_tried_again() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        let asked = AtomicUsize::new(0);
        let amended = amend(db, "A", |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            0
        })
        .await;
        assert_eq!(amended, Err(EditError::Refused("ck_products_price")), "a price of nothing");
        assert_eq!(asked.into_inner(), 1, "times that a refused price was worked out");
        assert_eq!(amend(db, "B", |_| 1).await, Err(EditError::NotThere), "a rule for no product");
    });
}

/// However many call an order off at once, its pieces come back once.
///
/// Hole: `cancel`.
#[test]
fn an_order_gives_its_pieces_back_once() {
    on_both(async |db| {
        stocked(db, &[("A", 10), ("B", 10)]).await;
        let placed = place(db, &order("k", &[("A", 4), ("B", 1)])).await.expect("placed");
        place(db, &order("other", &[("A", 1)])).await.expect("placed");
        let cancelled = join_all((0..8).map(|_| cancel(db, placed.id))).await;
        let times = cancelled.into_iter().filter(|mine| *mine == Ok(true)).count();
        assert_eq!(
            (stock(db, "A").await, stock(db, "B").await),
            (9, 10),
            "in stock after one order came back"
        );
        assert_eq!(times, 1, "the order was called off {times} times");
        assert_eq!(cancel(db, placed.id).await, Ok(false), "called off again");
        let nobodys = cancel(db, OrderId(placed.id.0 + 1_000)).await;
        assert_eq!(nobodys, Err(EditError::NotThere), "an order that is not there");
    });
}

/// What the schema refuses comes back under its constraint's name, not as a broken database.
///
/// Holes: `classify`, `reprice`.
#[test]
fn a_price_that_the_schema_refuses_is_a_persons_mistake() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        let refused = reprice(db, "A", 1, 0).await;
        assert_eq!(refused, Err(EditError::Refused("ck_products_price")), "a price of nothing");
        assert_eq!(product(db, "A").await.expect("there").price, 100, "the price after a refusal");
    });
}

/// Both databases say which rule was broken, and what is no broken rule is not taken for one.
///
/// Hole: `classify`.
#[test]
fn both_databases_name_what_was_violated() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        place(db, &order("k", &[("A", 1)])).await.expect("placed");
        let cases = [
            ("INSERT INTO orders (key, buyer, total) VALUES ('k', 'bo', 1)", "uq_orders_key"),
            ("INSERT INTO orders (key, buyer, total) VALUES ('l', 'bo', -1)", "ck_orders_total"),
            ("UPDATE products SET stock = stock - 1", "ck_products_stock"),
            ("INSERT INTO products (sku, name, price, stock) VALUES ('A', 'a', 1, 1)", "pk_products"),
            ("INSERT INTO lines SELECT id, 'none', 1, 1 FROM orders", "fk_lines_sku"),
        ];
        for (sql, constraint) in cases {
            let error = db.exec(sql, vec![]).await.expect_err(constraint);
            assert!(error.violates(constraint), "{constraint} was violated, and it says {error:?}");
            assert!(!error.violates("uq_products_name"), "no name was taken, and it says {error:?}");
        }
        let error = db.exec("INSERT INTO orders (buyer, total) VALUES ('bo', 1)", vec![]).await;
        let error = error.expect_err("an order without a key");
        assert!(matches!(error, DbError::Violated(_)), "the schema refused no key, and it says {error:?}");
        let error = db.exec("SELECT nothing FROM nowhere", vec![]).await.expect_err("no such table");
        assert!(matches!(error, DbError::Other(_)), "a mistake in the program was taken for {error:?}");
    });
}

/// A step that adds a piece and notes it.
fn piece() -> Multi<u64, DbError> {
    Multi::new().step("piece", |tx, noted| {
        async move {
            *noted += tx.exec("UPDATE products SET stock = stock + 1 WHERE sku = 'A'", vec![]).await?;
            Ok(())
        }
        .boxed()
    })
}

/// All steps or none; the failure says which step it was.
///
/// Hole: `attempt`.
#[test]
fn the_step_that_fails_is_named_and_undoes_the_others() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        let behind = std::sync::Arc::new(AtomicUsize::new(0));
        let ran = std::sync::Arc::clone(&behind);
        let failing = piece()
            .step("refuses", |_, _| async { Err(DbError::Other("no".to_owned())) }.boxed())
            .step("behind", move |_, _| {
                ran.fetch_add(1, Ordering::Relaxed);
                async { Ok(()) }.boxed()
            });
        let failed = failing.run(db, 0).await.expect_err("the second step refuses");
        assert_eq!(failed.step, "refuses", "the step that failed");
        assert_eq!(behind.load(Ordering::Relaxed), 0, "runs of the step behind the one that failed");
        assert_eq!(stock(db, "A").await, 1, "the first step stands although the second failed");
        assert_eq!(piece().run(db, 0).await.expect("one step"), 1, "what the steps have noted");
        assert_eq!(stock(db, "A").await, 2, "a step that succeeded");
    });
}

/// What fails with the transaction itself is no step's fault: then it is open whether anything was refused at all.
///
/// Hole: `attempt`.
#[test]
fn a_transaction_that_fails_blames_no_step() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        db.cut_after(1);
        let failed = piece().run(db, 0).await.expect_err("it is cut before its commit");
        assert_eq!(failed.step, "commit", "what failed behind the last step");
        assert_eq!(stock(db, "A").await, 1, "pieces after a commit that failed");
        db.clone().close().await;
        let failed = piece().run(db, 0).await.expect_err("there is no connection");
        assert_eq!(failed.step, "begin", "what failed before the first step");
    });
}

/// A conflict is repeated from the beginning, with the state of the beginning, and not for ever.
///
/// Hole: `attempt`.
#[test]
fn what_was_in_anothers_way_is_repeated_from_its_beginning() {
    on_both(async |db| {
        stocked(db, &[("A", 0)]).await;
        let tries = std::sync::Arc::new(AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&tries);
        let third_time = piece().step("in the way", move |_, _| {
            let now = count.fetch_add(1, Ordering::Relaxed) + 1;
            async move { if now < 3 { Err(DbError::Conflict("busy".to_owned())) } else { Ok(()) } }.boxed()
        });
        let noted = third_time.run(db, 10).await.expect("a conflict is repeated");
        assert_eq!(noted, 11, "what the steps have noted, begun anew each time");
        assert_eq!((stock(db, "A").await, tries.load(Ordering::Relaxed)), (1, 3), "pieces, tries");
        let never =
            piece().step("in the way", |_, _| async { Err(DbError::Conflict("busy".to_owned())) }.boxed());
        assert!(never.run(db, 0).await.is_err(), "a conflict each time");
        assert_eq!(stock(db, "A").await, 1, "the pieces after conflicts");
    });
}

/// Pages follow each other without a gap or a repetition, each order with its own lines.
///
/// Hole: `fill`.
#[test]
fn a_page_begins_behind_the_last_number_that_was_seen() {
    on_both(async |db| {
        stocked(db, &[("A", 100), ("B", 100)]).await;
        for n in 0..5 {
            place(db, &order(&format!("k{n}"), &[("A", 1), ("B", n + 1)])).await.expect("placed");
        }
        let first = list::page(db, None, 2).await.expect("a page");
        let second = list::page(db, first.last().map(|order| order.id), 9).await.expect("a page");
        let keys: Vec<_> = first.iter().chain(&second).map(|order| order.key.as_str()).collect();
        assert_eq!(keys, ["k0", "k1", "k2", "k3", "k4"], "the orders of two pages");
        let pieces: Vec<_> =
            first.iter().chain(&second).flat_map(|order| &order.lines).map(|l| l.quantity).collect();
        assert_eq!(pieces, [1, 1, 1, 2, 1, 3, 1, 4, 1, 5], "each order with its own lines");
    });
}

/// Lines come in the order of their codes, wherever the database has put them.
///
/// Hole: `fill`.
#[test]
fn lines_come_in_order_wherever_they_lie() {
    on_both(async |db| {
        stocked(db, &[("A", 10), ("B", 10)]).await;
        let placed = place(db, &order("k", &[("A", 1), ("B", 2)])).await.expect("placed");
        // PostgreSQL writes a changed row behind the others; and it reads a table that it knows to be small as it lies.
        db.exec("UPDATE lines SET price = price WHERE sku = 'A'", vec![]).await.expect("changed");
        db.exec("ANALYZE lines", vec![]).await.expect("counted");
        assert_eq!(orders(db).await, [placed], "an order's lines after one of them was written anew");
    });
}
