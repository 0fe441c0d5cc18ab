//! What it costs, in statements.

#[path = "gate/desk.rs"]
#[expect(dead_code, reason = "shared with the gate, which asks for more")]
mod desk;

use futures::future::join_all;
use labs_orders_db::list;
use labs_orders_db::place::place;

use desk::{on_both, order, stocked};

/// A number of statements from the lab's budgets.
fn limit(name: &str) -> u64 {
    format!("{}", gate::limit(include_str!("../lab.toml"), name)).parse().expect("whole statements")
}

/// An order costs one statement a line and four: its key, the order, its lines, the commit.
///
/// Holes: `take`, `place`.
#[test]
fn an_order_costs_one_statement_a_line_and_four() {
    on_both(async |db| {
        let skus: Vec<String> = (0..30).map(|n| format!("S{n:02}")).collect();
        let lines: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
        stocked(db, &skus.iter().map(|sku| (sku.as_str(), 100)).collect::<Vec<_>>()).await;
        let before = db.statements();
        place(db, &order("k", &lines)).await.expect("placed");
        let spent = db.statements() - before;
        let most = 30 + limit("statements_beside_the_lines");
        assert!(spent <= most, "{spent} statements for 30 lines: key, order, lines and commit are four");
    });
}

/// A page costs two statements, however many orders are on it.
///
/// Hole: `fill`.
#[test]
fn a_page_costs_two_statements() {
    on_both(async |db| {
        stocked(db, &[("A", 1_000), ("B", 1_000)]).await;
        for n in 0..40 {
            place(db, &order(&format!("k{n}"), &[("A", 1), ("B", 1)])).await.expect("placed");
        }
        let before = db.statements();
        assert_eq!(list::page(db, None, 100).await.expect("a page").len(), 40);
        let spent = db.statements() - before;
        let most = limit("statements_a_page");
        assert!(spent <= most, "{spent} statements for a page of 40 orders");
    });
}

/// A page reads its own orders and their lines, and nothing of the others.
///
/// Hole: `fill`.
#[test]
fn a_page_reads_no_lines_of_other_orders() {
    on_both(async |db| {
        stocked(db, &[("A", 1_000), ("B", 1_000)]).await;
        for n in 0..40 {
            place(db, &order(&format!("k{n}"), &[("A", 1), ("B", 1)])).await.expect("placed");
        }
        let before = db.rows_read();
        assert_eq!(list::page(db, None, 10).await.expect("a page").len(), 10);
        let read = db.rows_read() - before;
        let most = 10 + 2 * 10 + limit("rows_beside_the_page");
        assert!(read <= most, "{read} rows read for a page of 10 orders with two lines each");
    });
}

/// Buyers who name their products in opposite orders don't deadlock, so nobody repeats any work.
///
/// Hole: `take`.
#[test]
fn buyers_in_opposite_orders_never_repeat_their_work() {
    on_both(async |db| {
        stocked(db, &[("A", 1_000), ("B", 1_000), ("C", 1_000)]).await;
        let there = [("A", 1), ("B", 1), ("C", 1)];
        let back = [("C", 1), ("B", 1), ("A", 1)];
        let wanted: Vec<_> =
            (0..60).map(|n| order(&format!("k{n}"), if n % 2 == 0 { &there } else { &back })).collect();
        let before = db.statements();
        for placed in join_all(wanted.iter().map(|order| place(db, order))).await {
            placed.expect("placed");
        }
        let spent = db.statements() - before;
        assert!(spent <= 60 * 7, "{spent} statements for 60 orders: some were repeated after a deadlock");
    });
}
