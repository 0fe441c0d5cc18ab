//! Several steps as one: all of them or none, and a failure says which step it was.
//!
//! **Invariant.** The steps run in their order in one transaction, and each sees what the ones before it answered.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::{DbError, Repo, Tx};

/// Why nothing was done: the step that failed, and its error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {step:?} failed, so nothing was changed: {error}")]
pub struct MultiError<E: fmt::Display> {
    /// The step's name; `"commit"` where the transaction itself failed.
    pub step: &'static str,
    /// What it said.
    pub error: E,
}

impl<E: From<DbError> + fmt::Display> From<DbError> for MultiError<E> {
    fn from(error: DbError) -> Self {
        Self { step: "commit", error: error.into() }
    }
}

/// What the steps answered, by their names.
#[derive(Default)]
pub struct Answers(HashMap<&'static str, Box<dyn Any + Send + Sync>>);

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Answers {
    /// The answer of a step; `None` where no such step has run or its answer has another type.
    pub fn get<T: 'static>(&self, step: &str) -> Option<&T> {
        self.0.get(step)?.downcast_ref()
    }
}

type Answer = Box<dyn Any + Send + Sync>;
type Step<E> = Box<dyn for<'t> Fn(&'t Tx, &'t Answers) -> BoxFuture<'t, Result<Answer, E>> + Send + Sync>;

/// Named steps that succeed or fail together.
///
/// ```
/// use futures::FutureExt as _;
/// use pulse_data::{DbError, Multi, Sql as _};
///
/// let move_stock = Multi::<DbError>::new()
///     .step("take", |tx, _| async move {
///         tx.exec("UPDATE shelves SET pieces = pieces - 1 WHERE id = 1", vec![]).await
///     }.boxed())
///     .step("give", |tx, before| async move {
///         let taken = before.get::<u64>("take").copied().unwrap_or(0);
///         tx.exec("UPDATE shelves SET pieces = pieces + $1 WHERE id = 2", vec![(taken as i64).into()]).await
///     }.boxed());
/// # let _ = move_stock;
/// ```
pub struct Multi<E> {
    steps: Vec<(&'static str, Step<E>)>,
}

impl<E> fmt::Debug for Multi<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps.iter().map(|(name, _)| name)).finish()
    }
}

impl<E> Default for Multi<E> {
    fn default() -> Self {
        Self { steps: Vec::new() }
    }
}

impl<E> Multi<E>
where
    E: From<DbError> + fmt::Display + Send + 'static,
{
    /// Without steps; running it does nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step behind the others.
    pub fn step<T, F>(mut self, name: &'static str, f: F) -> Self
    where
        F: for<'t> Fn(&'t Tx, &'t Answers) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
        T: Send + Sync + 'static,
    {
        let step: Step<E> = Box::new(move |tx, answers| {
            f(tx, answers).map(|answer| answer.map(|answer| Box::new(answer) as Answer)).boxed()
        });
        self.steps.push((name, step));
        self
    }

    /// Runs the steps in one transaction.
    pub async fn run(self, repo: &Repo) -> Result<Answers, MultiError<E>> {
        repo.write_with(self, |tx, multi| Self::all(tx, multi).boxed()).await
    }

    async fn all(tx: &Tx, multi: &Self) -> Result<Answers, MultiError<E>> {
        let mut answers = Answers::default();
        for (step, f) in &multi.steps {
            let answer = f(tx, &answers).await.map_err(|error| MultiError { step, error })?;
            answers.0.insert(step, answer);
        }
        Ok(answers)
    }
}
