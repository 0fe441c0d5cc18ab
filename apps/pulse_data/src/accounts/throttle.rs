//! Slowing down whoever guesses one account's password.
//!
//! **Invariant.** An attempt is counted *before* its password is looked at, under the row's lock: a thousand attempts at
//! once are a thousand attempts. Success forgets the count. Addresses without an account are counted alike, so the
//! throttle tells nobody which exist.

use std::time::Duration;

use pulse_core::{Principal, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::AccountError;
use crate::{DbError, Sql as _, Tx, audit};

/// Attempts before the first wait.
const FREE: i64 = 5;
/// The longest wait.
const MOST: Duration = Duration::from_mins(15);
/// A count without attempts for so long is forgotten.
pub(super) const FORGET: Duration = Duration::from_hours(1);

/// What is counted of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    failures: i64,
    last_at: Timestamp,
    blocked_until: Timestamp,
}

impl Count {
    /// The count with one attempt more, or how long to wait.
    fn attempt(self, now: Timestamp) -> Result<Self, Duration> {
        if now < self.blocked_until {
            return Err(Duration::from_millis((self.blocked_until.0 - now.0).unsigned_abs()));
        }
        let forgotten = self.last_at.after(FORGET) <= now;
        let failures = if forgotten { 1 } else { self.failures.saturating_add(1) };
        Ok(Self { failures, last_at: now, blocked_until: now.after(wait(failures)) })
    }
}

/// How long the next attempt must wait after so many failures: nothing, then 1 s, 2 s, 4 s, up to [`MOST`].
fn wait(failures: i64) -> Duration {
    if failures < FREE {
        return Duration::ZERO;
    }
    let over = u32::try_from(failures - FREE).unwrap_or(u32::MAX);
    Duration::from_secs(2_u64.checked_pow(over).unwrap_or(u64::MAX)).min(MOST)
}

/// The name under which an address is counted.
pub(super) fn account(address: &str) -> String {
    use std::fmt::Write as _;
    let hash = Sha256::digest(address.trim().to_lowercase());
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Counts an attempt, or refuses it.
pub(super) async fn count(tx: &Tx, account: &str, now: Timestamp) -> Result<(), AccountError> {
    // The update that changes nothing takes the row's lock.
    const LOCK: &str = "INSERT INTO login_failures (account, failures, last_at, blocked_until) VALUES ($1, 0, $2, 0) \
                        ON CONFLICT (account) DO UPDATE SET account = excluded.account \
                        RETURNING failures, last_at, blocked_until";
    const SET: &str =
        "UPDATE login_failures SET failures = $2, last_at = $3, blocked_until = $4 WHERE account = $1";
    let row = tx.row(LOCK, vec![account.into(), now.0.into()]).await?;
    let row = row.ok_or_else(|| DbError::Corrupt("login_failures answered no row".to_owned()))?;
    let read = |column: &str| row.try_get::<i64>("", column).map_err(DbError::from);
    let before = Count {
        failures: read("failures")?,
        last_at: Timestamp(read("last_at")?),
        blocked_until: Timestamp(read("blocked_until")?),
    };
    let after = before.attempt(now).map_err(|retry_after| AccountError::Throttled { retry_after })?;
    let values =
        vec![account.into(), after.failures.into(), after.last_at.0.into(), after.blocked_until.0.into()];
    tx.exec(SET, values).await?;
    if after.failures == FREE {
        let subject = format!("login:{}", account.get(..16).unwrap_or(account));
        audit::record(tx, &Principal::Guest, "account.throttle", &subject, json!({})).await?;
    }
    Ok(())
}

/// Forgets an address's count.
pub(super) async fn forget(tx: &Tx, account: &str) -> Result<(), DbError> {
    tx.exec("DELETE FROM login_failures WHERE account = $1", vec![account.into()]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_bound() {
        assert_eq!(wait(4), Duration::ZERO);
        assert_eq!([5, 6, 7].map(wait), [1, 2, 4].map(Duration::from_secs));
        assert_eq!([15, 100, i64::MAX].map(wait), [MOST; 3]);
    }

    #[test]
    fn a_blocked_attempt_is_not_counted_and_an_old_count_is_forgotten() {
        let count = Count { failures: 7, last_at: Timestamp(0), blocked_until: Timestamp(4_000) };
        assert_eq!(count.attempt(Timestamp(1_000)), Err(Duration::from_secs(3)));
        assert_eq!(count.attempt(Timestamp(4_000)).unwrap().failures, 8);
        let later = Timestamp(0).after(FORGET);
        assert_eq!(count.attempt(later).unwrap().failures, 1);
    }
}
