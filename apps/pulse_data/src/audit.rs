//! The audit trail: who did what to what, and a chain of hashes that shows later changes.
//!
//! **Invariant.** A row is written in the transaction of what it tells of: both are there or neither. It is sealed
//! afterwards, in order, so no business transaction ever waits for the chain.
//!
//! A row goes through three states: *written* (in an open transaction), *committed* (visible, not yet sealed), and
//! *sealed* (it has a gapless `seal_no` and a hash over itself and its predecessor's hash). [`Sealer`] moves rows
//! on; [`verify`] recomputes the chain. Whoever can write the database can also recompute the whole chain: against
//! that, [`Head::write_to`] exports its end to a place that the database's owner can't write, and `verify` compares.

mod alarm;
mod chain;
mod list;
mod seal;
mod verify;

use pulse_core::Principal;
use pulse_core::access::Forbidden;
use pulse_core::ports::Clock as _;
use sea_orm::ConnectionTrait;
use serde::Serialize;

pub use alarm::alarm;
pub use chain::{Head, HeadFileError};
pub use list::{AuditQuery, AuditRow, list};
pub use seal::{Sealer, head};
pub use verify::{Finding, Report, VerifyOptions, verify};

use crate::{DbError, Sql as _, SystemClock};

/// Writes one audit row in the caller's transaction: one INSERT.
///
/// `action` is a constant like `"order.place"`; `subject` names the thing like `"order:7"`; `details` is what else
/// is worth knowing, as JSON. Never put secrets or passwords there: the row can't be changed later.
pub async fn record(
    tx: &impl ConnectionTrait,
    who: &Principal,
    action: &str,
    subject: &str,
    details: impl Serialize + Send,
) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO audit_log (at, who, action, subject, details) VALUES ($1, $2, $3, $4, $5)";
    let details = serde_json::to_string(&details)
        .map_err(|error| DbError::Other(format!("the details of {action} are no JSON: {error}")))?;
    // The time of the writing, not of the shop: a replay's orders are years old, their rows are of today.
    let at = SystemClock.now().0;
    let values = vec![at.into(), who.to_string().into(), action.into(), subject.into(), details.into()];
    tx.exec(SQL, values).await.map(drop)
}

/// Why the trail could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}
