//! A database of its own for each test, on both kinds.
//!
//! **Invariant.** A test that needs PostgreSQL never skips: without `PULSE_TEST_PG` it fails and says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pipeline::producers::outbox::{Clock, Options, schema};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

/// Writes a test once, runs it as `name::sqlite` and `name::postgres`.
macro_rules! both {
    ($(#[$meta:meta])* $name:ident, |$db:ident| $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing of its neighbours")]
            use super::*;

            async fn check($db: sea_orm::DatabaseConnection) $body

            #[tokio::test]
            async fn sqlite() {
                let test = $crate::database::sqlite().await;
                check(test.db.clone()).await;
                test.close().await;
            }

            #[tokio::test]
            async fn postgres() {
                let test = $crate::database::postgres().await;
                check(test.db.clone()).await;
                test.close().await;
            }
        }
    };
}
pub(crate) use both;

pub(crate) struct TestDatabase {
    pub(crate) db: DatabaseConnection,
    pub(crate) url: String,
    drop: Option<(DatabaseConnection, String)>,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    pub(crate) async fn close(self) {
        self.db.close_by_ref().await.unwrap();
        if let Some((admin, name)) = self.drop {
            admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
    }
}

pub(crate) async fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("outbox.db").display());
    let mut options = ConnectOptions::new(url.as_str());
    options.max_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await.unwrap();
    db.execute_unprepared(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000",
    )
    .await
    .unwrap();
    db.execute_unprepared(&schema::up(db.get_database_backend())).await.unwrap();
    TestDatabase { db, url, drop: None, _folder: Some(folder) }
}

pub(crate) async fn postgres() -> TestDatabase {
    let admin_url = std::env::var("PULSE_TEST_PG")
        .expect("PULSE_TEST_PG names the PostgreSQL server for tests: run `make test`, which starts one");
    let admin = Database::connect(quiet(&admin_url)).await.unwrap();
    let name = format!("pipeline_{:016x}", rand::random::<u64>());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (server, _) = admin_url.rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    let db = Database::connect(quiet(&url)).await.unwrap();
    db.execute_unprepared(&schema::up(db.get_database_backend())).await.unwrap();
    TestDatabase { db, url, drop: Some((admin, name)), _folder: None }
}

pub(crate) fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    options
}

/// A clock that only the test turns; starts at the machine's time, which is what `put` writes.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        // A little ahead, so that what is put in during the test counts as due.
        Self(Arc::new(AtomicI64::new(i64::try_from(since.as_millis()).unwrap() + 600_000)))
    }

    pub(crate) fn turn(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Options whose time is this clock's.
    pub(crate) fn options(&self) -> Options {
        let time = Arc::clone(&self.0);
        let clock: Clock = Arc::new(move || time.load(Ordering::SeqCst));
        Options { clock, poll: Duration::from_millis(20), ..Options::default() }
    }
}
