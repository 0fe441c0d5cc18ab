//! The shop's data: schema, migrations, and the contexts that are the only way to it.
//!
//! **Invariant.** Every change goes through [`Repo::write`], in one transaction with its audit row; every public
//! action of a context names the principal that asks for it; and both databases answer the same.
//!
//! | module | what it is |
//! |---|---|
//! | [`repo`] | connections: one writer and many readers on SQLite, a pool on PostgreSQL; transactions |
//! | [`error`] | what a database said, the same for both |
//! | [`changeset`], [`multi`], [`page`] | checked input, named steps, pages by key |
//! | [`migrations`] | the schema, up and down |
//! | [`catalog`], [`orders`], [`accounts`], [`audit`], [`carts`], [`feeds`], [`imports`], [`webhooks`], [`reminders`], [`background`] | the contexts |
//! | [`testing`] | each test on both databases |

pub mod accounts;
pub mod audit;
pub mod background;
pub mod carts;
pub mod catalog;
pub mod changeset;
pub mod clock;
pub mod error;
pub mod feeds;
pub mod imports;
mod job_store;
pub mod mail;
pub mod migrations;
pub mod multi;
pub mod orders;
pub mod page;
pub mod reminders;
pub mod repo;
pub mod sql;
pub mod testing;
pub mod webhooks;

pub use changeset::{Changeset, FieldError, FieldErrors, Valid};
pub use clock::SystemClock;
pub use error::{Constraint, DbError, RepoError};
pub use multi::{Multi, MultiError};
pub use page::{Cursor, Page};
pub use repo::{Backend, Repo, RepoOptions, RepoStats, Synchronous, Tx, WriteFuture};
pub use sql::Sql;
