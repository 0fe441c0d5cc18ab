//! PostgreSQL alone: the traps of its pool and of its concurrency.

use std::sync::Arc;
use std::task::Poll;

use futures::FutureExt as _;
use pulse_data::testing::Database;
use pulse_data::{Backend, DbError, Repo, RepoOptions, Sql as _};
use sea_orm::TransactionTrait as _;
use tokio::sync::Barrier;

async fn with<F: Future<Output = ()>>(connections: u32, test: impl FnOnce(Repo) -> F) {
    let database = Database::create(Backend::Postgres).await;
    let repo = database.repo_with(RepoOptions { connections, ..RepoOptions::default() }).await;
    test(repo.clone()).await;
    repo.close().await;
    database.drop().await;
}

/// sqlx 0.9 gives a connection whose `begin` was cancelled back to the pool inside its transaction. The next
/// statement on it would then be part of a transaction that nobody commits.
#[tokio::test]
async fn a_cancelled_begin_does_not_poison_its_connection() {
    with(1, |repo| async move {
        repo.write::<(), DbError, _>(|tx| tx.script("CREATE TABLE t (n BIGINT)").boxed()).await.unwrap();
        for polls in 1..40 {
            // Cancelled at each point at which `begin` waits: for the connection, for the server's answer.
            let mut begin = Box::pin(repo.reader().begin());
            for _ in 0..polls {
                let pending =
                    std::future::poll_fn(|cx| Poll::Ready(begin.as_mut().poll(cx).is_pending())).await;
                if !pending {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(begin);
            // Two statements in two transactions, unless both are inside the one that was begun.
            let (one, other) = (transaction(&repo).await, transaction(&repo).await);
            assert_ne!(one, other, "inside a leaked transaction after {polls} polls");
        }
    })
    .await;
}

async fn transaction(repo: &Repo) -> String {
    let row = repo.reader().row("SELECT pg_current_xact_id()::text AS id", vec![]).await.unwrap().unwrap();
    row.try_get("", "id").unwrap()
}

#[tokio::test]
async fn a_deadlock_is_tried_again_until_both_are_through() {
    with(4, |repo| async move {
        let schema = "CREATE TABLE t (id BIGINT, n BIGINT); INSERT INTO t VALUES (1, 0), (2, 0)";
        repo.write::<(), DbError, _>(move |tx| tx.script(schema).boxed()).await.unwrap();
        let both_hold_one = Arc::new(Barrier::new(2));
        let write = |first: i64, second: i64| {
            let input =
                (first, second, Arc::clone(&both_hold_one), std::sync::atomic::AtomicBool::new(false));
            repo.write_with::<_, (), DbError, _>(input, |tx, (first, second, barrier, met)| {
                async move {
                    let sql = "UPDATE t SET n = n + 1 WHERE id = $1";
                    tx.exec(sql, vec![(*first).into()]).await?;
                    if !met.swap(true, std::sync::atomic::Ordering::Relaxed) {
                        barrier.wait().await;
                    }
                    tx.exec(sql, vec![(*second).into()]).await?;
                    Ok(())
                }
                .boxed()
            })
        };
        let (one, other) = tokio::join!(write(1, 2), write(2, 1));
        one.unwrap();
        other.unwrap();
        let row = repo.reader().row("SELECT min(n) AS n FROM t", vec![]).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), 2);
        assert!(repo.stats().retries >= 1, "no deadlock happened: the test shows nothing");
    })
    .await;
}

#[tokio::test]
async fn serialization_failures_are_tried_again() {
    with(8, |repo| async move {
        let schema = "CREATE TABLE t (n BIGINT); INSERT INTO t VALUES (0)";
        repo.write::<(), DbError, _>(move |tx| tx.script(schema).boxed()).await.unwrap();
        let increment = |repo: Repo| async move {
            repo.write::<u64, DbError, _>(|tx| {
                async move {
                    tx.script("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await?;
                    let n: i64 =
                        tx.row("SELECT n FROM t", vec![]).await?.map_or(Ok(0), |row| row.try_get("", "n"))?;
                    tx.exec("UPDATE t SET n = $1", vec![(n + 1).into()]).await
                }
                .boxed()
            })
            .await
        };
        let writers: Vec<_> = (0..4).map(|_| tokio::spawn(increment(repo.clone()))).collect();
        let mut kept = 0;
        for writer in writers {
            writer.await.unwrap().unwrap();
            kept += 1;
        }
        let row = repo.reader().row("SELECT n FROM t", vec![]).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), kept);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    with(1, |repo| async move {
        let kill = "SELECT pg_terminate_backend(pg_backend_pid())";
        assert!(matches!(repo.reader().row(kill, vec![]).await, Err(DbError::Unavailable(_))));
        let mut tries = 0;
        while repo.reader().row("SELECT 1 AS one", vec![]).await.is_err() {
            tries += 1;
            assert!(tries < 3, "the pool hands out a dead connection again and again");
        }
    })
    .await;
}

/// A write finds out that its connection is gone before it has asked anything on it, so it can take another.
#[tokio::test]
async fn a_writing_connection_that_the_server_closed_costs_no_write() {
    with(1, |repo| async move {
        let schema = "CREATE TABLE t (n BIGINT)";
        repo.write::<(), DbError, _>(move |tx| tx.script(schema).boxed()).await.unwrap();
        let kill = "SELECT count(pg_terminate_backend(pid, 5000)) AS n FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let killed = repo.reader().row(kill, vec![]).await.unwrap().unwrap();
        assert_eq!(killed.try_get::<i64>("", "n").unwrap(), 1, "the write's connection was not kept");
        let written = repo
            .write::<u64, DbError, _>(|tx| {
                async move { tx.exec("INSERT INTO t VALUES (1)", vec![]).await }.boxed()
            })
            .await;
        assert!(matches!(written, Ok(1)), "{written:?}");
    })
    .await;
}

/// What a write leaves behind on its connection is taken back before the next write uses it.
#[tokio::test]
async fn a_refused_write_leaves_its_connection_outside_of_any_transaction() {
    with(1, |repo| async move {
        let id = |keep: bool| {
            let repo = repo.clone();
            async move {
                let (sender, receiver) = tokio::sync::oneshot::channel();
                let sender = std::sync::Mutex::new(Some(sender));
                let written = repo
                    .write_with::<_, (), DbError, _>(sender, move |tx, sender| {
                        async move {
                            let sql = "SELECT pg_current_xact_id()::text AS id";
                            let row = tx.row(sql, vec![]).await?.unwrap();
                            let sender = sender.lock().unwrap().take().unwrap();
                            sender.send(row.try_get::<String>("", "id").unwrap()).unwrap();
                            if keep { Ok(()) } else { Err(DbError::Other("a test's refusal".to_owned())) }
                        }
                        .boxed()
                    })
                    .await;
                assert_eq!(written.is_ok(), keep);
                receiver.await.unwrap()
            }
        };
        let ids = std::collections::BTreeSet::from([id(false).await, id(true).await, id(false).await]);
        assert_eq!(ids.len(), 3, "two writes shared a transaction: {ids:?}");
    })
    .await;
}
