//! Databases of a test's own, and what tests ask of them.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt as _;
use labs_orders_db::place::{PlaceError, place};
use labs_orders_db::{Db, NewOrder, Order, edit, list};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

/// A test on a new SQLite database, then on a new PostgreSQL one.
#[expect(clippy::needless_pass_by_value, reason = "a test reads better without a reference to its body")]
pub(crate) fn on_both(test: impl AsyncFn(&Db)) {
    gate::running(async || {
        on_sqlite(&test).await;
        on_postgres(&test).await;
    });
}

/// The same for the body of a law.
#[expect(clippy::needless_pass_by_value, reason = "a test reads better without a reference to its body")]
pub(crate) fn now_on_both(test: impl AsyncFn(&Db)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("the machine gives a runtime").block_on(async {
        on_sqlite(&test).await;
        on_postgres(&test).await;
    });
}

/// Runs a test on a new SQLite database.
pub(crate) async fn on_sqlite(test: &impl AsyncFn(&Db)) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open(&format!("sqlite://{}", folder.path().join("gate.db").display()))
        .await
        .expect("SQLite opens");
    test(&db).await;
    db.close().await;
}

/// Runs a test in a new schema of the PostgreSQL server that `PULSE_TEST_PG` names. Its connections are known by the
/// schema's name, too.
pub(crate) async fn on_postgres(test: &impl AsyncFn(&Db)) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("PULSE_TEST_PG").expect(
        "PULSE_TEST_PG names a PostgreSQL server: `make test` and `cargo mastery check` start one, or `make db-up`",
    );
    let name = format!("labs_orders_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    admin(&server, &format!("CREATE SCHEMA {name}")).await;
    let url = format!("{server}?application_name={name}&options[search_path]={name}");
    let db = Db::open(&url).await.expect("PostgreSQL opens");
    let passed = std::panic::AssertUnwindSafe(test(&db)).catch_unwind().await;
    db.close().await;
    admin(&server, &format!("DROP SCHEMA {name} CASCADE")).await;
    if let Err(panic) = passed {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a statement on the server itself.
pub(crate) async fn admin(server: &str, sql: &str) {
    let mut connection = PgConnection::connect(server).await.expect("the PostgreSQL server answers");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .expect("the statement runs");
    connection.close().await.expect("the connection closes");
}

/// An order under a key, for so many pieces of these.
pub(crate) fn order(key: &str, lines: &[(&str, i64)]) -> NewOrder {
    let lines: Vec<_> =
        lines.iter().map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity })).collect();
    NewOrder::cast(&json!({ "key": key, "buyer": "ann", "lines": lines })).expect("a right order")
}

/// Delivers pieces of products at 100 pence.
pub(crate) async fn stocked(db: &Db, products: &[(&str, i64)]) {
    for (sku, pieces) in products {
        edit::deliver(db, sku, sku, 100, *pieces).await.expect("delivered");
    }
}

pub(crate) async fn stock(db: &Db, sku: &str) -> i64 {
    edit::product(db, sku).await.expect("the product is there").stock
}

/// All orders.
pub(crate) async fn orders(db: &Db) -> Vec<Order> {
    let mut all: Vec<Order> = Vec::new();
    loop {
        let page = list::page(db, all.last().map(|order| order.id), list::PAGE).await.expect("a page");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Pieces of a product that orders hold which were not called off.
pub(crate) async fn held(db: &Db, sku: &str) -> i64 {
    let lines = orders(db).await.into_iter().filter(|order| !order.cancelled).flat_map(|order| order.lines);
    lines.filter(|line| line.sku == sku).map(|line| line.quantity).sum()
}

/// Sends an order again under its key until the database has an answer.
pub(crate) async fn patiently(db: &Db, order: &NewOrder) -> Result<Order, PlaceError> {
    loop {
        match place(db, order).await {
            Err(PlaceError::Db(_)) => {}
            answer => return answer,
        }
    }
}
