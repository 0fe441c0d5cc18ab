//! The database is gone for a while in the middle of a feed.
//!
//! **Invariant.** The feed waits, and at its end every row was done once. By default the gaps are short, since what waits does
//! not know how long they are; `PULSE_SOAK_OUTAGE` sets their seconds.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use pulse_data::feeds::Counts;
use pulse_data::testing::Database;
use pulse_data::{Backend, DbError, Repo, RepoOptions, Sql as _};
use pulse_ingest::feed::{Fed, FeedOptions, FeedProgress, feed_file};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{rooms, stock, stock_up, table, written};
use crate::shop::{close, shelves};

/// A way to the server that can be cut: whoever is on it loses the connection, whoever comes is turned away.
async fn way_to(server: String) -> (u16, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (open, is_open) = watch::channel(true);
    tokio::spawn(async move {
        loop {
            let Ok((mut client, _)) = listener.accept().await else { return };
            let (server, mut is_open) = (server.clone(), is_open.clone());
            if !*is_open.borrow() {
                continue;
            }
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(server).await else { return };
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    _ = is_open.wait_for(|open| !open) => {}
                }
            });
        }
    });
    (port, open)
}

/// A write of the other program may take so long before it is taken back.
const HOLD: Duration = Duration::from_secs(20);

/// The database stays away at least so long.
fn outage() -> Duration {
    Duration::from_secs(std::env::var("PULSE_SOAK_OUTAGE").map_or(0, |seconds| seconds.parse().unwrap()))
}

async fn fed_across(repo: &Repo, gone: impl AsyncFnOnce(Arc<FeedProgress>)) {
    let (shop, rooms) = rooms(repo).await;
    stock_up(&rooms, 10).await;
    let folder = tempfile::tempdir().unwrap();
    let file = table("sku,delta", 60_000, |n| format!("P{},1", n % 10 + 1));
    let path = written(folder.path(), "stock.csv", &file);
    let progress = Arc::new(FeedProgress::default());
    let options = FeedOptions::default();
    let (ended, ()) = tokio::join!(feed_file(&rooms, &path, &options, &progress, 0), async {
        while progress.look().counts.rows() == 0 {
            tokio::task::yield_now().await;
        }
        gone(Arc::clone(&progress)).await;
    });
    let Fed::Done(feed) = ended.unwrap() else { panic!("it waits, and ends") };
    assert_eq!(feed.counts, Counts { changed: 60_000, unchanged: 0, dead: 0 });
    for n in 1..=10 {
        assert_eq!(stock(&rooms, n).await, 7000, "P{n}");
    }
    shelves(&shop).await;
    close(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_a_feed_outlasts_a_postgres_that_is_gone() {
    let database = Database::create(Backend::Postgres).await;
    let (_, rest) = database.url().split_once('@').unwrap();
    let (server, _) = rest.split_once('/').unwrap();
    let (port, open) = way_to(server.to_owned()).await;
    let url = database.url().replacen(server, &format!("127.0.0.1:{port}"), 1);
    let repo = Repo::connect(&url, RepoOptions::default()).await.unwrap();
    fed_across(&repo, async |progress: Arc<FeedProgress>| {
        open.send(false).unwrap();
        tokio::time::sleep(outage()).await;
        while progress.look().waits < 6 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        open.send(true).unwrap();
    })
    .await;
    repo.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_a_feed_outlasts_an_sqlite_file_that_another_program_holds() {
    let database = Database::create(Backend::Sqlite).await;
    let (repo, other) = (database.repo().await, database.repo().await);
    fed_across(&repo, async |progress: Arc<FeedProgress>| {
        // The other program's transaction stays open until the feed has had to wait.
        other
            .write_with(progress, |tx, progress| {
                async move {
                    tx.exec("UPDATE products SET adjusted = adjusted WHERE sku = 'P1'", vec![]).await?;
                    tokio::time::sleep(outage().min(HOLD)).await;
                    while progress.look().waits < 1 {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    Ok::<_, DbError>(())
                }
                .boxed()
            })
            .await
            .unwrap();
    })
    .await;
    repo.close().await;
    other.close().await;
    database.drop().await;
}
