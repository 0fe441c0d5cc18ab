//! A database for one test: a file in a folder of its own, or a copy of a migrated template on the server.
//!
//! **Invariant.** The template is named by a hash of the migrations' text, so a changed migration never meets an
//! old template; it is made under a lock, once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test kit: to panic is to fail the test")]

use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use crate::migrations::{self, Migrator};
use crate::{Backend, Repo, RepoOptions, Synchronous};

/// A database of a test's own.
#[derive(Debug)]
pub struct Database {
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Server { admin: String, name: String },
}

/// Distinct within this machine: processes differ in their id, tests of one process in the count.
fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nonce = rand::random::<u32>();
    format!("{prefix}_{}_{}_{nonce:08x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Database {
    /// Makes an empty, migrated database.
    ///
    /// # Panics
    ///
    /// Where it can't: a test without a database has failed.
    pub async fn create(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let folder = std::env::temp_dir().join(unique("pulse_test"));
                std::fs::create_dir_all(&folder).expect("a folder for the test's database");
                let url = format!("sqlite://{}", folder.join("test.db").display());
                let database = Self { url, place: Place::Folder(folder) };
                let repo = database.repo().await;
                Migrator::up(&repo, None).await.expect("migrations run");
                repo.close().await;
                database
            }
            Backend::Postgres => {
                let admin = server_url();
                let template = template(&admin).await;
                let name = unique("pulse_test");
                let mut connection = connect(&admin).await;
                let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
                connection.execute(AssertSqlSafe(sql)).await.expect("a copy of the template");
                let _ = connection.close().await;
                Self { url: on_database(&admin, &name), place: Place::Server { admin, name } }
            }
        }
    }

    /// The address under which a program reaches it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A repo on it. Its commits do not wait for the disk: no test pulls the plug.
    pub async fn repo(&self) -> Repo {
        let options = RepoOptions { synchronous: Synchronous::Normal, ..RepoOptions::default() };
        self.repo_with(options).await
    }

    /// A repo on it with options of the test's own.
    ///
    /// # Panics
    ///
    /// Where the database does not open.
    pub async fn repo_with(&self, options: RepoOptions) -> Repo {
        Repo::connect(&self.url, options).await.expect("the test's database opens")
    }

    /// Removes it; a test that fails leaves its folder for a look.
    pub async fn drop(self) {
        match self.place {
            Place::Folder(folder) => {
                let _ = std::fs::remove_dir_all(folder);
            }
            Place::Server { admin, name } => {
                let mut connection = connect(&admin).await;
                let _ = connection.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await;
                let _ = connection.close().await;
            }
        }
    }
}

/// The server for tests: what `PULSE_TEST_PG` names.
fn server_url() -> String {
    std::env::var("PULSE_TEST_PG").expect(
        "tests need a PostgreSQL server: `make db-up` starts one, and `make test` does that by itself; \
         or set PULSE_TEST_PG to the postgres:// address of one where this user may create databases",
    )
}

async fn connect(url: &str) -> PgConnection {
    let options = PgConnectOptions::from_str(url).expect("PULSE_TEST_PG is a postgres:// address");
    options
        .disable_statement_logging()
        .connect()
        .await
        .expect("the PostgreSQL server of PULSE_TEST_PG answers")
}

fn on_database(admin: &str, name: &str) -> String {
    let (base, query) = admin.split_once('?').unwrap_or((admin, ""));
    let base = base.rsplit_once('/').unwrap().0;
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{base}/{name}{query}")
}

/// The name of the migrated template, made where it is missing.
async fn template(admin: &str) -> String {
    let mut hash = Sha256::new();
    for migration in migrations::ALL {
        hash.update(migration.name);
        hash.update((migration.up)(Backend::Postgres));
    }
    let digest = hash.finalize();
    let short = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let name = format!("pulse_template_{short:016x}");
    let mut connection = connect(admin).await;
    connection.execute("SELECT pg_advisory_lock(7085711950215)").await.unwrap();
    let known = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1").bind(&name);
    if known.fetch_optional(&mut connection).await.unwrap().is_none() {
        // Renamed once it is whole: a run that was killed in between leaves no half template behind.
        let draft = unique("pulse_draft");
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {draft}"))).await.unwrap();
        let repo = Repo::connect(&on_database(admin, &draft), RepoOptions::default()).await.unwrap();
        Migrator::up(&repo, None).await.expect("migrations run");
        repo.close().await;
        connection.execute(AssertSqlSafe(format!("ALTER DATABASE {draft} RENAME TO {name}"))).await.unwrap();
    }
    // Closing gives the lock back.
    let _ = connection.close().await;
    name
}
