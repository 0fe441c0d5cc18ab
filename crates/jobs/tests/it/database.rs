//! A database of its own for each test, on both kinds.
//!
//! **Invariant.** A test that needs PostgreSQL never skips: without `PULSE_TEST_PG` it fails and says so.

use jobs::schema;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

/// Writes a test once, runs it as `name::sqlite` and `name::postgres`.
macro_rules! both {
    ($(#[$meta:meta])* $name:ident, |$db:ident| $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing of its neighbours")]
            use super::*;

            async fn check($db: sea_orm::DatabaseConnection) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn sqlite() {
                let test = $crate::database::sqlite().await;
                check(test.db.clone()).await;
                test.close().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
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
    /// For another connection, or another process.
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
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("jobs.db").display());
    let mut options = ConnectOptions::new(&url);
    options.max_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await.unwrap();
    db.execute_unprepared("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").await.unwrap();
    db.execute_unprepared(&schema::up(db.get_database_backend())).await.unwrap();
    TestDatabase { db, url, drop: None, _folder: Some(folder) }
}

pub(crate) async fn postgres() -> TestDatabase {
    let admin_url = std::env::var("PULSE_TEST_PG")
        .expect("PULSE_TEST_PG names the PostgreSQL server for tests: run `make test`, which starts one");
    let admin = Database::connect(quiet(&admin_url)).await.unwrap();
    let name = format!("jobs_{:016x}", rand::random::<u64>());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (server, _) = admin_url.rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    let db = Database::connect(quiet(&url)).await.unwrap();
    db.execute_unprepared(&schema::up(db.get_database_backend())).await.unwrap();
    TestDatabase { db, url, drop: Some((admin, name)), _folder: None }
}

fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    options
}
