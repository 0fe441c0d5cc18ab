//! Connections that are cut, and calls that nobody waits for any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::join_all;
use labs_orders_db::db::Sql as _;
use labs_orders_db::edit::{EditError, cancel};
use labs_orders_db::multi::Multi;
use labs_orders_db::place::{PlaceError, place};
use labs_orders_db::{Db, DbError};
use sea_orm::DbBackend;
use tokio::sync::{Barrier, Notify};

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

/// Takes these rows in this order; the first time only once somebody else has taken the other one, and later only once
/// that one has ended. Counts how often it has begun.
fn both_rows(rows: [&'static str; 2], met: &Arc<Barrier>, ended: &Arc<Notify>) -> Multi<u32, DbError> {
    const PIECE: &str = "UPDATE products SET stock = stock + 1 WHERE sku = $1";
    let (met, ended, begun) = (Arc::clone(met), Arc::clone(ended), Arc::new(AtomicU32::new(0)));
    Multi::new()
        .step("first", move |tx, times| {
            let (met, ended) = (Arc::clone(&met), Arc::clone(&ended));
            *times = begun.fetch_add(1, Ordering::Relaxed) + 1;
            async move {
                if *times > 1 {
                    ended.notified().await;
                }
                tx.exec(PIECE, vec![rows[0].into()]).await?;
                if *times == 1 {
                    met.wait().await;
                }
                Ok(())
            }
            .boxed()
        })
        .step("second", move |tx, _| {
            async move { tx.exec(PIECE, vec![rows[1].into()]).await.map(drop) }.boxed()
        })
}

/// Two that wait for each other: the database takes one of them back, and that one begins again.
///
/// Holes: `attempt`, `classify`.
#[test]
fn who_was_taken_back_for_a_deadlock_begins_again() {
    gate::running(async || {
        on_postgres(&async |db| {
            stocked(db, &[("A", 0), ("B", 0)]).await;
            let (met, ended) = (Arc::new(Barrier::new(2)), Arc::new(Notify::new()));
            let moved = async |rows| {
                let times = both_rows(rows, &met, &ended).run(db, 0).await;
                ended.notify_one();
                times.expect("a deadlock is a conflict")
            };
            let times = futures::join!(moved(["A", "B"]), moved(["B", "A"]));
            assert!(times == (1, 2) || times == (2, 1), "one of them was taken back: {times:?} times");
            assert_eq!((stock(db, "A").await, stock(db, "B").await), (2, 2), "pieces that both have put");
        })
        .await;
    });
}

/// Who has read what somebody else has changed since then is taken back, and begins again with what is there now.
///
/// Holes: `attempt`, `classify`.
#[test]
fn who_has_read_an_old_state_begins_again() {
    on_both(async |db| {
        stocked(db, &[("A", 1)]).await;
        let is_sqlite = db.backend() == DbBackend::Sqlite;
        // A transaction that reads first and wants to write later; ours begin otherwise.
        let begins: &[&str] = if is_sqlite {
            &["ROLLBACK", "BEGIN DEFERRED"]
        } else {
            &["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"]
        };
        let other = if is_sqlite { beside(db).await } else { db.clone() };
        let (faster, begun) = (other.clone(), Arc::new(AtomicU32::new(0)));
        let adds = Multi::<u32, DbError>::new().step("add", move |tx, times| {
            let faster = faster.clone();
            *times = begun.fetch_add(1, Ordering::Relaxed) + 1;
            async move {
                const PIECE: &str = "UPDATE products SET stock = stock + 1 WHERE sku = 'A'";
                for begin in begins {
                    tx.exec(begin, vec![]).await?;
                }
                tx.rows("SELECT stock FROM products WHERE sku = 'A'", vec![]).await?;
                if *times == 1 {
                    faster.exec(PIECE, vec![]).await?;
                }
                tx.exec(PIECE, vec![]).await.map(drop)
            }
            .boxed()
        });
        let times = adds.run(db, 0).await.expect("an old state is a conflict");
        assert_eq!((times, stock(db, "A").await), (2, 3), "times begun, pieces");
        if is_sqlite {
            other.close().await;
        }
    });
}

/// Runs something that takes A and B while somebody holds A; answers whether B was free while it waited.
async fn while_a_is_held<T>(db: &Db, acts: impl Future<Output = T>) -> (T, bool) {
    const WAITING: &str = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                           AND application_name = current_setting('application_name')";
    let holds = db.begin().await.expect("begun");
    holds.exec("UPDATE products SET stock = stock WHERE sku = 'A'", vec![]).await.expect("A is held");
    let ended = AtomicBool::new(false);
    let acting = async {
        let acted = acts.await;
        ended.store(true, Ordering::Relaxed);
        acted
    };
    let looking = async {
        while !ended.load(Ordering::Relaxed) && db.rows(WAITING, vec![]).await.expect("asked").is_empty() {
            tokio::task::yield_now().await;
        }
        let next = "SELECT 1 FROM products WHERE sku = 'B' FOR UPDATE SKIP LOCKED";
        let free = holds.rows(next, vec![]).await.expect("asked").len();
        holds.commit().await.expect("committed");
        free == 1
    };
    futures::join!(acting, looking)
}

/// Whoever takes several rows takes them in one order, or the two wait for each other; those who give back, too.
///
/// Hole: `cancel`.
#[test]
fn a_cancel_takes_its_rows_in_the_order_of_the_buyers() {
    gate::running(async || {
        on_postgres(&async |db| {
            stocked(db, &[("A", 10), ("B", 10)]).await;
            let placed = place(db, &order("k", &[("A", 1), ("B", 1)])).await.expect("placed");
            // Written anew, A lies behind B.
            db.exec("UPDATE products SET name = 'a' WHERE sku = 'A'", vec![]).await.expect("changed");
            let (cancelled, is_free) = while_a_is_held(db, cancel(db, placed.id)).await;
            assert!(is_free, "it holds B and waits for A, whose buyer will wait for B");
            assert_eq!(cancelled, Ok(true), "the cancel, after the buyer");
            assert_eq!((stock(db, "A").await, stock(db, "B").await), (10, 10), "pieces that came back");
        })
        .await;
    });
}

/// Whoever takes several rows takes them in one order, however much it needs of each.
///
/// Hole: `take`.
#[test]
fn a_buyer_takes_its_rows_in_the_order_of_all_buyers() {
    gate::running(async || {
        on_postgres(&async |db| {
            stocked(db, &[("A", 10), ("B", 10)]).await;
            let order = order("k", &[("B", 9), ("A", 1)]);
            let (placed, is_free) = while_a_is_held(db, place(db, &order)).await;
            assert!(is_free, "it holds B and waits for A, whose buyer will wait for B");
            placed.expect("there is enough");
        })
        .await;
    });
}

/// A lock that was not had in time is a conflict and no mistake of the program: the caller may come again.
///
/// Hole: `classify`.
#[test]
fn a_lock_that_was_not_had_is_a_conflict() {
    on_both(async |db| {
        stocked(db, &[("A", 10)]).await;
        let is_sqlite = db.backend() == DbBackend::Sqlite;
        // Somebody else holds the row; in SQLite, the file.
        let other = if is_sqlite { beside(db).await } else { db.clone() };
        let holds = other.begin().await.expect("begun");
        holds.exec("UPDATE products SET stock = stock WHERE sku = 'A'", vec![]).await.expect("locked");
        if is_sqlite {
            db.exec("PRAGMA busy_timeout = 0", vec![]).await.expect("set");
        }
        let takes = Multi::<(), DbError>::new().step("take", move |tx, ()| {
            async move {
                if !is_sqlite {
                    tx.exec("SET LOCAL lock_timeout = '10ms'", vec![]).await?;
                }
                tx.exec("UPDATE products SET stock = stock - 1 WHERE sku = 'A'", vec![]).await.map(drop)
            }
            .boxed()
        });
        let refused = takes.run(db, ()).await.expect_err("somebody else has it").error;
        assert!(matches!(refused, DbError::Conflict(_)), "a lock that was not had is {refused:?}");
        drop(holds);
        other.close().await;
    });
}

/// The same file, as another program opens it.
async fn beside(db: &Db) -> Db {
    let rows =
        db.rows("SELECT file FROM pragma_database_list WHERE name = 'main'", vec![]).await.expect("read");
    let file: String = rows[0].try_get_by_index(0).expect("a path");
    Db::open(&format!("sqlite://{file}")).await.expect("SQLite opens")
}

/// A server that throws us out is not there: that is no mistake of the program, and whoever asks again may have an answer.
///
/// Hole: `classify`.
#[test]
fn a_server_that_goes_away_is_unavailable() {
    gate::running(async || {
        on_postgres(&async |db| {
            let out = db.exec("SELECT pg_terminate_backend(pg_backend_pid())", vec![]).await;
            let error = out.expect_err("the server has ended this connection");
            assert!(matches!(error, DbError::Unavailable(_)), "a server that goes away is {error:?}");
        })
        .await;
    });
}
