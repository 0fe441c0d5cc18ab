//! Accounts: who somebody is, what proves it, and what they are trusted with.
//!
//! **Invariant.** No secret is stored: passwords as Argon2id, tokens as SHA-256. What an unknown address and a wrong
//! password are answered, and the work done for it, is the same. Role and lock are read with each session and token,
//! so a change holds from the next request on.

mod admin;
mod buyers;
mod email;
mod password;
mod reset;
mod secret;
mod session;
mod sign_in;
mod staff;
mod throttle;
mod token;
mod user;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pulse_core::access::Forbidden;
use pulse_core::ports::Clock;
use pulse_core::{Timestamp, UserId};

pub use admin::{Change, UserQuery};
pub use buyers::BuyerRef;
pub use email::{Email, InvalidEmail};
pub use password::HashCost;
pub use reset::{RESET_WORKER, ResetRequest};
pub use secret::Secret;
pub(crate) use secret::{reminder_hash, reminder_secret};
pub use session::{SessionInfo, SignedIn, csrf_matches};
pub(crate) use staff::staff;
pub use token::{ApiToken, NewApiToken};
pub use user::{Registration, User, UserStatus};

use crate::changeset::FieldErrors;
use crate::page::InvalidCursor;
use crate::{DbError, Repo};
use password::Hasher;

/// Why an account action was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// Fields of the input are wrong.
    #[error(transparent)]
    Invalid(#[from] FieldErrors),
    /// No account has this address with this password. Which of both is wrong is not told.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Too many failures for this address; the right password is not looked at, either.
    #[error("too many failed logins: try again in {} s", .retry_after.as_secs().max(1))]
    Throttled {
        /// When to try again.
        retry_after: Duration,
    },
    /// The password is right, and the account is locked.
    #[error("this account is locked: ask the shop")]
    Locked,
    /// The reset token is unknown, used or too old.
    #[error("this link is no longer valid: ask for a new one")]
    ResetExpired,
    /// There is no such account.
    #[error("there is no account {0}")]
    NotFound(UserId),
    /// There is no such token of this account.
    #[error("there is no such API token")]
    NoSuchToken,
    /// Somebody must be able to run the system.
    #[error("this is the last admin: make another one first")]
    LastAdmin,
    /// More passwords are to be checked than the machine takes on.
    #[error("too many logins at once: try again in a moment")]
    Overloaded,
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The cursor is of another list.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// How long things last, and what a password's hash costs.
#[derive(Debug, Clone)]
pub struct AccountOptions {
    /// A session ends when it was not used for so long.
    pub session_idle: Duration,
    /// A session ends so long after it began, used or not.
    pub session_life: Duration,
    /// For how long a reset link is valid.
    pub reset_life: Duration,
    /// Where the shop can be reached from outside, for links in mails; no slash at the end.
    pub public_url: String,
    /// What a password's hash costs.
    pub hash_cost: HashCost,
    /// Passwords that are hashed at a time; each takes a core.
    pub hashing: usize,
    /// Passwords that may wait to be hashed; beyond it logins are answered [`AccountError::Overloaded`].
    pub waiting: usize,
}

impl Default for AccountOptions {
    fn default() -> Self {
        Self {
            session_idle: Duration::from_hours(7 * 24),
            session_life: Duration::from_hours(30 * 24),
            reset_life: Duration::from_mins(30),
            public_url: "http://localhost:4000".to_owned(),
            hash_cost: HashCost::default(),
            hashing: 2,
            waiting: 64,
        }
    }
}

/// The context of accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    repo: Repo,
    clock: Arc<dyn Clock>,
    options: Arc<AccountOptions>,
    hasher: Hasher,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Accounts {
    /// The accounts of a database.
    pub fn new(repo: Repo, clock: Arc<dyn Clock>, options: AccountOptions) -> Self {
        let hasher = Hasher::new(options.hash_cost, options.hashing, options.waiting);
        Self { repo, clock, options: Arc::new(options), hasher }
    }

    /// Forgets what is over: ended sessions, old resets, old counts of failures. Bounded a call; answers whether
    /// there may be more.
    pub async fn prune(&self) -> Result<bool, DbError> {
        use crate::Sql as _;
        use futures::FutureExt as _;

        const MOST: u64 = 1_000;
        let now = self.clock.now();
        let idle = before(now, self.options.session_idle);
        let forgotten = before(now, throttle::FORGET);
        let most = self
            .repo
            .write(move |tx| {
                async move {
                    let mut most = 0;
                    for (table, key, over) in [
                        ("sessions", "token_hash", format!("expires_at <= {} OR seen_at <= {}", now.0, idle.0)),
                        ("password_resets", "token_hash", format!("expires_at <= {}", now.0)),
                        ("login_failures", "account", format!("last_at <= {}", forgotten.0)),
                    ] {
                        let sql = format!(
                            "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {over} LIMIT {MOST})"
                        );
                        most = most.max(tx.exec(&sql, vec![]).await?);
                    }
                    Ok::<_, DbError>(most)
                }
                .boxed()
            })
            .await?;
        Ok(most == MOST)
    }
}

/// That long before an instant.
fn before(now: Timestamp, by: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}
