//! Connections that are cut, and calls that nobody waits for any more.

use std::time::Duration;

use futures::future::join_all;
use labs_orders_db::db::Sql as _;
use labs_orders_db::edit::{EditError, cancel};
use labs_orders_db::place::{PlaceError, place};

use crate::desk::{held, on_both, on_postgres, order, orders, patiently, stock, stocked};

/// A connection that is cut at any statement leaves a whole order or none; the same key then ends with one.
///
/// Holes: `attempt`, `place`.
#[test]
fn a_cut_at_any_statement_leaves_all_or_nothing() {
    on_both(async |db| {
        stocked(db, &[("A", 1_000), ("B", 1_000)]).await;
        for n in 0..12 {
            let wanted = order(&format!("cut{n}"), &[("A", 2), ("B", 3)]);
            db.cut_after(n);
            let first = place(db, &wanted).await;
            db.cut_after(1_000);
            let placed = i64::try_from(orders(db).await.len()).expect("a few");
            assert_eq!(
                (stock(db, "A").await, stock(db, "B").await),
                (1_000 - 2 * placed, 1_000 - 3 * placed)
            );
            match first {
                Ok(_) => {}
                Err(PlaceError::Db(_)) => drop(place(db, &wanted).await.expect("the second time")),
                Err(other) => panic!("cut at statement {n}: {other}"),
            }
            assert_eq!(orders(db).await.len(), n as usize + 1, "cut at statement {n}: one order a key");
        }
    });
}

/// A cancel that is cut has given back everything or nothing.
///
/// Holes: `cancel`, `attempt`.
#[test]
fn a_cancel_that_is_cut_gives_back_all_or_nothing() {
    on_both(async |db| {
        stocked(db, &[("A", 100)]).await;
        for n in 0..5 {
            let placed = place(db, &order(&format!("cut{n}"), &[("A", 4)])).await.expect("placed");
            db.cut_after(n);
            let first = cancel(db, placed.id).await;
            db.cut_after(1_000);
            let pieces = stock(db, "A").await + held(db, "A").await;
            assert_eq!(pieces, 100, "cut at statement {n}: half a cancel");
            if let Err(EditError::Db(_)) = first {
                cancel(db, placed.id).await.expect("the second time");
            }
            assert_eq!((stock(db, "A").await, held(db, "A").await), (100, 0), "in stock, in orders");
        }
    });
}

/// When the server throws everybody out, each order is still there once after its buyer has asked again.
///
/// Holes: `place`, `classify`.
#[test]
fn the_server_cuts_everybody_and_each_order_is_there_once() {
    gate::running(async || {
        on_postgres(&async |db| {
            stocked(db, &[("A", 1_000), ("B", 1_000)]).await;
            let wanted: Vec<_> = (0..60).map(|n| order(&format!("k{n}"), &[("A", 1), ("B", 2)])).collect();
            let buying = join_all(wanted.iter().map(|order| patiently(db, order)));
            let cutting = async {
                for _ in 0..5 {
                    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()";
                    let _ = db.exec(cut, vec![]).await;
                    tokio::task::yield_now().await;
                }
            };
            let (placed, ()) = futures::join!(buying, cutting);
            assert!(placed.iter().all(Result::is_ok), "everybody ends with an order");
            let left = (orders(db).await.len(), stock(db, "A").await, stock(db, "B").await);
            assert_eq!(left, (60, 940, 880), "orders, pieces of A, pieces of B");
        })
        .await;
    });
}

/// A call that nobody waits for any more holds no row, no lock and no connection.
///
/// Hole: `attempt`.
#[test]
fn who_stops_waiting_holds_nothing() {
    on_both(async |db| {
        stocked(db, &[("A", 1_000)]).await;
        for n in 0..30 {
            let wanted = order(&format!("left{n}"), &[("A", 1)]);
            // Cut short somewhere in its middle; where, the machine decides.
            let _ = tokio::time::timeout(Duration::from_micros(100 * n), place(db, &wanted)).await;
        }
        // Each could be holding the writer, a row or a connection.
        for n in 0..30 {
            patiently(db, &order(&format!("left{n}"), &[("A", 1)])).await.expect("placed now");
        }
        assert_eq!((orders(db).await.len(), stock(db, "A").await), (30, 970), "orders, pieces left");
    });
}
