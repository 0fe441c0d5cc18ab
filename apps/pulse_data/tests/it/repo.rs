//! Transactions: kept or taken back as a whole, whatever their closures or their callers do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use pulse_data::testing::Database;
use pulse_data::{Backend, DbError, Repo, RepoOptions, Sql as _, Tx, db_test};
use tokio::sync::oneshot;

async fn table(repo: &Repo) {
    let sql = "CREATE TABLE t (n BIGINT NOT NULL CONSTRAINT ck_t_n CHECK (n > 0), text TEXT)";
    repo.write(move |tx| tx.script(sql).boxed()).await.unwrap();
}

async fn insert(repo: &Repo, n: i64) -> Result<u64, DbError> {
    repo.write(move |tx| {
        async move { tx.exec("INSERT INTO t (n) VALUES ($1)", vec![n.into()]).await }.boxed()
    })
    .await
}

async fn number(repo: &Repo, sql: &str) -> i64 {
    repo.reader().row(sql, vec![]).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

db_test!(a_write_is_kept_and_a_failed_one_is_not, |repo| async move {
    table(&repo).await;
    insert(&repo, 1).await.unwrap();
    let refused: Result<(), DbError> = repo
        .write(|tx| {
            async move {
                tx.exec("INSERT INTO t (n) VALUES ($1)", vec![2_i64.into()]).await?;
                tx.exec("INSERT INTO t (n) VALUES ($1)", vec![0_i64.into()]).await?;
                Ok(())
            }
            .boxed()
        })
        .await;
    assert!(matches!(&refused, Err(error) if error.violates("ck_t_n")), "{refused:?}");
    assert_eq!(number(&repo, "SELECT count(*) FROM t").await, 1);
});

db_test!(one_failure_in_a_group_leaves_its_neighbours, |repo| async move {
    table(&repo).await;
    // All at once, so that they share commits on SQLite; every third is refused.
    let writes = (1..=300_i64).map(|n| {
        let repo = repo.clone();
        tokio::spawn(async move { (n, insert(&repo, if n % 3 == 0 { -n } else { n }).await) })
    });
    for write in writes.collect::<Vec<_>>() {
        let (n, answer) = write.await.unwrap();
        assert_eq!(answer.is_err(), n % 3 == 0, "{n}: {answer:?}");
    }
    assert_eq!(number(&repo, "SELECT count(*) FROM t").await, 200);
    assert_eq!(number(&repo, "SELECT count(*) FROM t WHERE n % 3 = 0").await, 0);
});

db_test!(a_panic_takes_its_write_back_and_the_next_one_works, |repo| async move {
    table(&repo).await;
    let answer: Result<(), DbError> = repo
        .write(|tx| {
            async move {
                tx.exec("INSERT INTO t (n) VALUES (7)", vec![]).await?;
                panic!("a mistake in a closure")
            }
            .boxed()
        })
        .await;
    assert!(answer.unwrap_err().to_string().contains("a mistake in a closure"));
    insert(&repo, 1).await.unwrap();
    assert_eq!(number(&repo, "SELECT CAST(sum(n) AS BIGINT) FROM t").await, 1);
});

/// "It has begun" and "it may go on", for the first run of a write.
type Gates = tokio::sync::Mutex<Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>>;

async fn gated(tx: &Tx, gates: &Gates) -> Result<u64, DbError> {
    tx.exec("INSERT INTO t (n) VALUES (1)", vec![]).await?;
    if let Some((begun, may_go)) = gates.lock().await.take() {
        let _ = begun.send(());
        let _ = may_go.await;
    }
    tx.exec("INSERT INTO t (n) VALUES (2)", vec![]).await
}

db_test!(a_dropped_caller_does_not_cut_its_write, |repo| async move {
    table(&repo).await;
    let (begun, has_begun) = oneshot::channel();
    let (go, may_go) = oneshot::channel::<()>();
    let gates = Gates::new(Some((begun, may_go)));
    let writing = repo.clone();
    let caller =
        tokio::spawn(async move { writing.write_with(gates, |tx, gates| gated(tx, gates).boxed()).await });
    has_begun.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    go.send(()).unwrap();
    // On SQLite the next write comes behind it; on PostgreSQL it is waited for.
    insert(&repo, 3).await.unwrap();
    while number(&repo, "SELECT count(*) FROM t").await < 3 {
        tokio::task::yield_now().await;
    }
});

db_test!(a_write_that_hangs_is_taken_back, |repo| async move {
    table(&repo).await;
    let answer: Result<(), DbError> = repo
        .write_within(Duration::from_millis(50), (), |tx, ()| {
            async move {
                tx.exec("INSERT INTO t (n) VALUES (1)", vec![]).await?;
                std::future::pending().await
            }
            .boxed()
        })
        .await;
    assert!(matches!(&answer, Err(DbError::Unavailable(why)) if why.contains("longer than")), "{answer:?}");
    insert(&repo, 2).await.unwrap();
    assert_eq!(number(&repo, "SELECT count(*) FROM t").await, 1);
});

db_test!(sixteen_that_read_and_then_write_are_never_locked_out, |repo| async move {
    table(&repo).await;
    insert(&repo, 1).await.unwrap();
    let increment = |repo: Repo| async move {
        for _ in 0..20 {
            repo.write(|tx| {
                async move {
                    // FOR UPDATE is PostgreSQL's way to say what SQLite's BEGIN IMMEDIATE says.
                    let lock = if tx.backend() == Backend::Postgres { " FOR UPDATE" } else { "" };
                    let row = tx.row(&format!("SELECT n FROM t{lock}"), vec![]).await?;
                    let n: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
                    tx.exec("UPDATE t SET n = $1", vec![(n + 1).into()]).await
                }
                .boxed()
            })
            .await?;
        }
        Ok::<(), DbError>(())
    };
    let writers: Vec<_> = (0..16).map(|_| tokio::spawn(increment(repo.clone()))).collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(number(&repo, "SELECT n FROM t").await, 1 + 16 * 20);
});

db_test!(more_than_the_queue_holds_is_told_so, |repo| async move {
    let backend = repo.backend();
    let database = Database::create(backend).await;
    let repo = database.repo_with(RepoOptions { queue: 4, ..RepoOptions::default() }).await;
    table(&repo).await;
    let stuck = Arc::new(AtomicBool::new(true));
    let writes: Vec<_> = (0..64)
        .map(|_| {
            let (repo, stuck) = (repo.clone(), Arc::clone(&stuck));
            tokio::spawn(async move {
                repo.write_with::<_, u64, DbError, _>(stuck, |tx, stuck| {
                    async move {
                        while stuck.load(Ordering::Relaxed) {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                        tx.exec("INSERT INTO t (n) VALUES (1)", vec![]).await
                    }
                    .boxed()
                })
                .await
            })
        })
        .collect();
    // Those that are refused are answered while the others still wait.
    while writes.iter().filter(|write| write.is_finished()).count() < 64 - 6 {
        tokio::task::yield_now().await;
    }
    stuck.store(false, Ordering::Relaxed);
    let (mut kept, mut refused) = (0, 0);
    for write in writes {
        match write.await.unwrap() {
            Ok(_) => kept += 1,
            Err(DbError::Overloaded) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    // On a busy machine one that was let in may wait in vain for a new connection, and is told the same.
    assert!(kept >= 1 && refused >= 58, "{kept} kept, {refused} refused");
    assert_eq!(number(&repo, "SELECT count(*) FROM t").await, kept);
    repo.close().await;
    database.drop().await;
});

db_test!(schema_changes_are_taken_back_too, |repo| async move {
    let answer: Result<(), DbError> = repo
        .write(|tx| {
            async move { tx.script("CREATE TABLE half (n BIGINT); CREATE TABLE half (n BIGINT)").await }
                .boxed()
        })
        .await;
    assert!(answer.is_err());
    assert!(repo.reader().row("SELECT * FROM half", vec![]).await.is_err(), "half a migration was kept");
});

/// SQLite alone: what a statement does to the transaction of its group.
mod sqlite {
    use super::*;

    async fn with<F: Future<Output = ()>>(test: impl FnOnce(Repo) -> F) {
        let database = Database::create(Backend::Sqlite).await;
        let repo = database.repo().await;
        table(&repo).await;
        test(repo.clone()).await;
        repo.close().await;
        database.drop().await;
    }

    #[tokio::test]
    async fn the_readers_cannot_write() {
        with(|repo| async move {
            let error = repo.reader().exec("INSERT INTO t (n) VALUES (1)", vec![]).await.unwrap_err();
            assert!(matches!(error, DbError::Unavailable(_)), "{error}");
        })
        .await;
    }

    #[tokio::test]
    async fn a_statement_without_end_is_interrupted_and_its_neighbours_are_kept() {
        with(|repo| async move {
            let endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) \
                           INSERT INTO t (n) SELECT max(n) FROM c";
            let limit = Duration::from_millis(200);
            let never = repo.write_within::<_, u64, DbError, _>(limit, (), move |tx, ()| {
                tx.exec(endless, vec![]).boxed()
            });
            let (before, never, after) = tokio::join!(insert(&repo, 1), never, insert(&repo, 2));
            assert!(matches!(&never, Err(DbError::Unavailable(_))), "{never:?}");
            assert_eq!((before.unwrap(), after.unwrap()), (1, 1));
            assert_eq!(number(&repo, "SELECT sum(n) FROM t").await, 3);
        })
        .await;
    }

    #[tokio::test]
    async fn a_full_disk_refuses_and_says_so_and_work_goes_on_once_there_is_room() {
        with(|repo| async move {
            let pages = number(&repo, "PRAGMA page_count").await;
            let limit = move |pages: i64| format!("PRAGMA max_page_count = {pages}");
            let full = limit(pages + 2);
            repo.write(move |tx| {
                let full = full.clone();
                async move { tx.script(&full).await }.boxed()
            })
            .await
            .unwrap();
            let big = "INSERT INTO t (n, text) VALUES (1, hex(zeroblob(100000)))";
            let answer: Result<u64, DbError> = repo.write(move |tx| tx.exec(big, vec![]).boxed()).await;
            assert!(
                matches!(&answer, Err(DbError::Unavailable(why)) if why.contains("free some space")),
                "{answer:?}"
            );
            insert(&repo, 5).await.unwrap();
            let free = limit(1_000_000);
            repo.write(move |tx| {
                let free = free.clone();
                async move { tx.script(&free).await }.boxed()
            })
            .await
            .unwrap();
            repo.write::<u64, DbError, _>(move |tx| tx.exec(big, vec![]).boxed()).await.unwrap();
            assert_eq!(number(&repo, "SELECT count(*) FROM t").await, 2);
        })
        .await;
    }

    #[tokio::test]
    async fn after_the_database_gave_up_a_transaction_its_closure_can_not_go_on_alone() {
        with(|repo| async move {
            let pages = number(&repo, "PRAGMA page_count").await;
            let answer: Result<u64, DbError> = repo
                .write(move |tx| {
                    async move {
                        tx.script(&format!("PRAGMA max_page_count = {}", pages + 2)).await?;
                        let _ = tx
                            .exec("INSERT INTO t (n, text) VALUES (1, hex(zeroblob(100000)))", vec![])
                            .await;
                        // SQLite has rolled everything back: this would be committed by itself.
                        tx.exec("INSERT INTO t (n) VALUES (9)", vec![]).await
                    }
                    .boxed()
                })
                .await;
            assert!(answer.is_err());
            assert_eq!(number(&repo, "SELECT count(*) FROM t").await, 0);
        })
        .await;
    }

    #[tokio::test]
    async fn bulk_lets_others_go_first_and_is_not_put_off_for_ever() {
        let database = Database::create(Backend::Sqlite).await;
        // Each write is a group of its own, so that their order can be seen.
        let repo = database.repo_with(RepoOptions { group: 1, ..RepoOptions::default() }).await;
        table(&repo).await;
        for others in [3, 40] {
            let (begun, has_begun) = oneshot::channel();
            let (go, may_go) = oneshot::channel::<()>();
            let (holding, gates) = (repo.clone(), Gates::new(Some((begun, may_go))));
            let held =
                tokio::spawn(
                    async move { holding.write_with(gates, |tx, gates| gated(tx, gates).boxed()).await },
                );
            has_begun.await.unwrap();
            // Each stands in its line once it was asked for the first time.
            let mut bulk = Box::pin(repo.write_in_bulk(others + 1000, |tx, n| {
                async move { tx.exec("INSERT INTO t (n) VALUES ($1)", vec![(*n).into()]).await }.boxed()
            }));
            assert!(futures::poll!(&mut bulk).is_pending());
            let mut writes: Vec<_> = (0..others).map(|n| Box::pin(insert(&repo, 100 + n))).collect();
            for write in &mut writes {
                assert!(futures::poll!(write).is_pending());
            }
            go.send(()).unwrap();
            bulk.await.unwrap();
            for write in writes {
                write.await.unwrap();
            }
            held.await.unwrap().unwrap();
            let rows =
                repo.reader().rows("SELECT n FROM t WHERE n >= 100 ORDER BY rowid", vec![]).await.unwrap();
            let order: Vec<i64> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
            let place = order.iter().position(|n| *n == others + 1000).unwrap();
            if others == 3 {
                assert_eq!(place, 3, "those that came after it went first: {order:?}");
            } else {
                assert!((1..=8).contains(&place), "and it has its turn among them: {order:?}");
            }
            clear(&repo).await;
        }
        repo.close().await;
        database.drop().await;
    }

    async fn clear(repo: &Repo) {
        repo.write(|tx| async move { tx.exec("DELETE FROM t", vec![]).await }.boxed()).await.unwrap();
    }

    #[tokio::test]
    async fn writes_that_wait_share_a_commit() {
        with(|repo| async move {
            let before = repo.stats();
            let writes = (1..=64).map(|n| {
                let repo = repo.clone();
                tokio::spawn(async move { insert(&repo, n).await })
            });
            for write in writes.collect::<Vec<_>>() {
                write.await.unwrap().unwrap();
            }
            let after = repo.stats();
            assert_eq!(after.writes - before.writes, 64);
            let commits = after.commits - before.commits;
            assert!(commits < 64, "{commits} commits for 64 writes");
        })
        .await;
    }
}
