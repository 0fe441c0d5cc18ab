//! Several steps as one: all of them or none, and a failure says which step it was.
//!
//! **Invariant.** The steps run in their order in one transaction; each sees what the ones before it wrote and noted.
//! A transaction that was in another's way is repeated from its beginning, with the state that it began with.

use std::fmt;

use futures::future::BoxFuture;

use crate::db::{Db, Tx};
use crate::error::DbError;

/// How often a transaction is begun before a conflict is the answer.
const TRIES: usize = 5;

/// Why nothing was done: the step that failed, and its error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {step:?} failed, so nothing was changed: {error}")]
pub struct MultiError<E: fmt::Display> {
    /// The step's name; `"begin"` or `"commit"` where the transaction itself failed.
    pub step: &'static str,
    /// What it said.
    pub error: E,
}

/// What a step can fail with: an error of its own, or the database's.
pub trait StepError: From<DbError> + fmt::Display {
    /// Whether it is worth a repetition from the beginning.
    fn is_conflict(&self) -> bool;
}

impl StepError for DbError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

type Step<S, E> = Box<dyn for<'t> Fn(&'t Tx, &'t mut S) -> BoxFuture<'t, Result<(), E>> + Send + Sync>;

/// Named steps that succeed or fail together. `S` is what they hand on to each other.
///
/// ```
/// use futures::FutureExt as _;
/// use labs_orders_db::{DbError, db::Sql as _, multi::Multi};
///
/// let moved: Multi<u64, DbError> = Multi::new()
///     .step("take", |tx, moved| async move {
///         *moved = tx.exec("UPDATE products SET stock = stock - 1 WHERE sku = 'A'", vec![]).await?;
///         Ok(())
///     }.boxed())
///     .step("give", |tx, _| async move {
///         tx.exec("UPDATE products SET stock = stock + 1 WHERE sku = 'B'", vec![]).await.map(drop)
///     }.boxed());
/// # let _ = moved;
/// ```
pub struct Multi<S, E> {
    steps: Vec<(&'static str, Step<S, E>)>,
}

impl<S, E> Default for Multi<S, E> {
    fn default() -> Self {
        Self { steps: Vec::new() }
    }
}

impl<S: Clone, E: StepError> Multi<S, E> {
    /// No steps yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step. It may run more than once, so its only effects are on the transaction and the state.
    #[must_use]
    pub fn step<F>(mut self, name: &'static str, step: F) -> Self
    where
        F: for<'t> Fn(&'t Tx, &'t mut S) -> BoxFuture<'t, Result<(), E>> + Send + Sync + 'static,
    {
        self.steps.push((name, Box::new(step)));
        self
    }

    /// Runs all steps and commits; answers the state that they left.
    pub async fn run(&self, db: &Db, state: S) -> Result<S, MultiError<E>> {
        let mut tries = 1;
        loop {
            match self.attempt(db, state.clone()).await {
                Err(failed) if failed.error.is_conflict() && tries < TRIES => tries += 1,
                ended => return ended,
            }
        }
    }

    /// One transaction.
    async fn attempt(&self, db: &Db, mut state: S) -> Result<S, MultiError<E>> {
        //>> attempt
        //? Which line makes everything true at once?
        let at = |step| move |error: DbError| MultiError { step, error: E::from(error) };
        let tx = db.begin().await.map_err(at("begin"))?;
        for (name, step) in &self.steps {
            // Leaving drops the transaction, and with it everything that it did.
            step(&tx, &mut state).await.map_err(|error| MultiError { step: name, error })?;
        }
        tx.commit().await.map_err(at("commit"))?;
        Ok(state)
        //<<
    }
}
