//! What was fed in: files, how far they are, and the rows that made no sense.
//!
//! **Invariant.** A file is known by the hash of its content; each of its rows is a dead letter at most once; its counts
//! only grow, so whoever feeds it again from the beginning changes nothing.

mod letters;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt as _;
use pulse_core::access::Forbidden;
use pulse_core::ports::Clock;
use pulse_core::{Permission, Principal};

use crate::changeset::FieldErrors;
use crate::page::InvalidCursor;
use crate::{DbError, Repo};

pub use letters::{Closed, ImportLetter, ImportLetterQuery, LetterKey};

/// Why the books of imports were not shown or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImportError {
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such dead letter.
    #[error("there is no dead letter of row {} of file {}", .0.row, .0.file)]
    NoLetter(LetterKey),
    /// Somebody else was faster.
    #[error("the dead letter of row {} of file {} was dismissed by {by}", key.row, key.file)]
    Dismissed {
        /// Which letter.
        key: LetterKey,
        /// By whom.
        by: String,
    },
    /// A field has a value that can't be stored.
    #[error(transparent)]
    Invalid(#[from] FieldErrors),
    /// The cursor is of another list.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A file that was fed in, wholly or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFile {
    /// Its number here.
    pub id: i64,
    /// Under which name it was fed first.
    pub name: String,
    /// Whether all of it is in.
    pub done: bool,
    /// What it holds, as far as it was read.
    pub counts: Counts,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Data rows.
    pub rows: u64,
    /// Rows that are sales.
    pub sale_lines: u64,
    /// Rows that are returns.
    pub return_lines: u64,
}

/// A row that made no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Which data row of its file, from 1.
    pub row: u64,
    /// Why, as one word.
    pub reason: String,
    /// The row for a person, shortened.
    pub payload: String,
}

/// Everything that was fed in so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportTotals {
    /// Over all files.
    pub counts: Counts,
    /// Distinct customers of sales.
    pub customers: u64,
    /// Dead letters by reason, dismissed or not; reasons without any are absent.
    pub dead: BTreeMap<String, u64>,
}

/// The context of imports. Cheap to clone.
#[derive(Clone)]
pub struct Imports {
    repo: Repo,
    clock: Arc<dyn Clock>,
}

impl Imports {
    /// Rows a page of [`dead_letters`](Self::dead_letters), at most.
    pub const PAGE: u32 = 100;

    /// Imports of a database.
    pub fn new(repo: Repo, clock: Arc<dyn Clock>) -> Self {
        Self { repo, clock }
    }

    /// Begins a file, or finds it where it was begun before: then the second answer is `true`. `hash` is the SHA-256
    /// of its content in hexadecimal digits. Needs [`Permission::RunFeeds`], as all of this context does.
    pub async fn begin(
        &self,
        who: &Principal,
        hash: &str,
        name: &str,
    ) -> Result<(ImportFile, bool), ImportError> {
        who.require(Permission::RunFeeds)?;
        let input = (who.clone(), hash.to_owned(), name.to_owned(), self.clock.now());
        let begin = self.repo.write_with(input, |tx, (who, hash, name, now)| {
            async move { store::begin(tx, who, hash, name, *now).await }.boxed()
        });
        Ok(begin.await?)
    }

    /// Keeps rows that made no sense; those that are kept already stay as they are.
    pub async fn bury(
        &self,
        who: &Principal,
        file: i64,
        letters: Vec<DeadLetter>,
    ) -> Result<(), ImportError> {
        who.require(Permission::RunFeeds)?;
        if letters.is_empty() {
            return Ok(());
        }
        let bury = self.repo.write_with((file, letters), |tx, (file, letters)| {
            async move { store::bury(tx, *file, letters).await }.boxed()
        });
        Ok(bury.await?)
    }

    /// Notes how far a file is; less than what is noted changes nothing.
    pub async fn advance(&self, who: &Principal, file: i64, counts: Counts) -> Result<(), ImportError> {
        who.require(Permission::RunFeeds)?;
        let advance = self.repo.write_with((file, counts), |tx, (file, counts)| {
            async move { store::advance(tx, *file, *counts).await }.boxed()
        });
        Ok(advance.await?)
    }

    /// Everything of a file is in: its counts are final, its customers are known.
    pub async fn finish(
        &self,
        who: &Principal,
        file: i64,
        counts: Counts,
        customers: Vec<i64>,
    ) -> Result<(), ImportError> {
        who.require(Permission::RunFeeds)?;
        let input = (who.clone(), file, counts, customers, self.clock.now());
        let finish = self.repo.write_with(input, |tx, (who, file, counts, customers, now)| {
            async move { store::finish(tx, who, *file, *counts, customers, *now).await }.boxed()
        });
        Ok(finish.await?)
    }

    /// The rows of a file that were buried for a reason. O(rows of that reason).
    pub async fn buried(&self, who: &Principal, file: i64, reason: &str) -> Result<Vec<u64>, ImportError> {
        who.require(Permission::RunFeeds)?;
        Ok(store::buried(self.repo.reader(), file, reason).await?)
    }

    /// Dead letters of a file after a row, in order; at most [`PAGE`](Self::PAGE).
    pub async fn dead_letters(
        &self,
        who: &Principal,
        file: i64,
        after: u64,
    ) -> Result<Vec<DeadLetter>, ImportError> {
        who.require(Permission::RunFeeds)?;
        Ok(store::dead_letters(self.repo.reader(), file, after, Self::PAGE).await?)
    }

    /// All files, in the order in which they were begun.
    pub async fn files(&self, who: &Principal) -> Result<Vec<ImportFile>, ImportError> {
        who.require(Permission::RunFeeds)?;
        Ok(store::files(self.repo.reader()).await?)
    }

    /// Everything that was fed in so far.
    pub async fn totals(&self, who: &Principal) -> Result<ImportTotals, ImportError> {
        who.require(Permission::RunFeeds)?;
        Ok(store::totals(self.repo.reader()).await?)
    }
}
