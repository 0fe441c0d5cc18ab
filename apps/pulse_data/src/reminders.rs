//! Reminding buyers of a cart that they have left.
//!
//! **Invariant.** Only an account that wants it is reminded, once a version of its cart, and never before that version
//! was left alone for the whole time. A cart's row says nothing of time (its writes are too many for that): this
//! context looks at the carts of accounts again and again, and keeps beside them when it first saw each version.

mod letter;
mod stop;
mod watch;

use std::fmt;
use std::sync::Arc;

use pulse_core::access::Forbidden;
use pulse_core::ports::Clock;
use pulse_core::{Permission, Principal, UserId};
use serde::{Deserialize, Serialize};

use crate::{DbError, Repo};

/// The worker that writes a reminder; its arguments are a [`Reminder`].
pub const REMIND_WORKER: &str = "cart.remind";

/// A cart to be reminded of, as its job names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// Whose cart.
    pub user: UserId,
    /// Which version of it.
    pub version: i64,
}

/// Why something about reminders was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReminderError {
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sea_orm::DbErr> for ReminderError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Db(error.into())
    }
}

/// The context of reminders. Cheap to clone.
#[derive(Clone)]
pub struct Reminders {
    repo: Repo,
    clock: Arc<dyn Clock>,
    /// Where the shop can be reached from outside; no slash at the end.
    public_url: Arc<str>,
}

impl fmt::Debug for Reminders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reminders").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl Reminders {
    /// The reminders of a database; `public_url` goes into the letters.
    pub fn new(repo: Repo, clock: Arc<dyn Clock>, public_url: &str) -> Self {
        Self { repo, clock, public_url: public_url.into() }
    }
}

/// What the workers do is nobody else's.
fn system(who: &Principal) -> Result<(), Forbidden> {
    match who {
        Principal::System(_) => Ok(()),
        Principal::Guest | Principal::User { .. } => {
            Err(Forbidden { permission: Permission::ManageAccounts })
        }
    }
}
