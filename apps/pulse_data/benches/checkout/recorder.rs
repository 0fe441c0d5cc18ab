//! Writes down the statements of one checkout as the product sends them.
//!
//! **Invariant.** The peers run what was recorded, so they can't drift from the product.

use futures::FutureExt as _;
use parking_lot::Mutex;
use pulse_core::Principal;
use pulse_core::order::PlaceOrder;
use pulse_core::ports::PlaceError;
use pulse_data::{Repo, Tx};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, Value};

use super::Outcome;

/// A parameter of a recorded statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Parameter {
    /// The client's key: another one each time.
    Key,
    /// The cart's id.
    Cart,
    /// The cart's version: counts up.
    Version,
    /// The order's number, which the first statement answers.
    Order,
    /// The lines as JSON: other products each time.
    Lines,
    /// The same each time.
    Fixed(Value),
}

/// A recorded statement.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) sql: String,
    pub(super) parameters: Vec<Parameter>,
    /// Whether its answer is the order's number.
    pub(super) yields_order: bool,
}

struct Recorder<'t> {
    tx: &'t Tx,
    log: Mutex<Vec<Statement>>,
}

impl Recorder<'_> {
    fn note(&self, statement: Statement) -> Statement {
        self.log.lock().push(statement.clone());
        statement
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Recorder<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.tx.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.tx.execute_raw(self.note(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.tx.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.tx.query_one_raw(self.note(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.tx.query_all_raw(self.note(statement)).await
    }
}

/// Runs one checkout and answers its statements.
pub(super) async fn record(repo: &Repo, order: Outcome<PlaceOrder>) -> Outcome<Vec<Recorded>> {
    let order = order?;
    let (key, cart, version) = (order.key.clone(), order.cart, order.cart_version);
    let (id, log) = repo
        .write_with(order, |tx, order| {
            async move {
                let recorder = Recorder { tx, log: Mutex::new(Vec::new()) };
                let placed =
                    pulse_data::orders::place_on(&recorder, &Principal::Guest, order.clone()).await?;
                Ok::<_, PlaceError>((placed.id.0, recorder.log.into_inner()))
            }
            .boxed()
        })
        .await?;
    let lines = "[[1,";
    let role = |sql: &str, value: Value| match &value {
        Value::String(Some(text)) if **text == *key.as_str() => Parameter::Key,
        Value::String(Some(text)) if **text == cart.to_string() => Parameter::Cart,
        Value::String(Some(text)) if text.starts_with(lines) => Parameter::Lines,
        Value::BigInt(Some(n)) if *n == id && !sql.contains("INSERT INTO orders") => Parameter::Order,
        Value::BigInt(Some(n)) if sql.contains("UPDATE carts") && u64::try_from(*n) == Ok(version.0) => {
            Parameter::Version
        }
        _ => Parameter::Fixed(value),
    };
    let recorded = log.into_iter().map(|statement| Recorded {
        parameters: statement
            .values
            .map(|values| values.0)
            .unwrap_or_default()
            .into_iter()
            .map(|value| role(&statement.sql, value))
            .collect(),
        yields_order: statement.sql.contains("INSERT INTO orders"),
        sql: statement.sql,
    });
    Ok(recorded.collect())
}
