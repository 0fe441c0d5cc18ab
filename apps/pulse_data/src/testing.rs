//! The test kit: each test on both databases, on a migrated database of its own.
//!
//! **Invariant.** A test never sees another one's rows, and none is skipped: without a PostgreSQL server the test
//! fails and says how to start one.
//!
//! Part of the public API, so that other crates' tests use it too:
//!
//! ```
//! pulse_data::db_test!(a_new_database_holds_no_carts, |repo| async move {
//!     use pulse_data::Sql as _;
//!     let row = repo.reader().row("SELECT count(*) AS n FROM carts", vec![]).await.unwrap().unwrap();
//!     assert_eq!(row.try_get::<i64>("", "n").unwrap(), 0);
//! });
//! ```

mod databases;

use std::future::Future;

pub use databases::Database;

use crate::Backend;
use crate::Repo;

/// Two tests of one body: `name::sqlite` and `name::postgres`.
///
/// The body gets a [`Repo`] on an empty, migrated database of its own, on a runtime of two threads.
#[macro_export]
macro_rules! db_test {
    ($(#[$meta:meta])* $name:ident, |$repo:ident| $body:expr) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "the body may need nothing from around it")]
            use super::*;

            async fn body($repo: $crate::Repo) {
                $body.await;
            }

            #[test]
            fn sqlite() {
                $crate::testing::run($crate::Backend::Sqlite, body);
            }

            #[test]
            fn postgres() {
                $crate::testing::run($crate::Backend::Postgres, body);
            }
        }
    };
}

/// Runs a body on a fresh, migrated database; what [`db_test!`](crate::db_test) expands to.
///
/// # Panics
///
/// Where the body does, or the database can't be made.
pub fn run<F, Fut>(backend: Backend, body: F)
where
    F: FnOnce(Repo) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    #[expect(clippy::expect_used, reason = "a test kit: to panic is to fail the test")]
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let database = Database::create(backend).await;
        let repo = database.repo().await;
        body(repo.clone()).await;
        repo.close().await;
        database.drop().await;
    });
}
