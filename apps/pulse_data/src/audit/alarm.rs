//! Telling people that the trail was tampered with.
//!
//! **Invariant.** Each admin gets one letter a look that found something; the letter names places and no contents.

use std::fmt::Write as _;

use futures::FutureExt as _;
use pulse_core::{Permission, Principal, Role, Timestamp};
use serde_json::json;

use super::{AuditError, Report, record};
use crate::mail::{self, Letter};
use crate::{DbError, Repo, accounts};

/// Findings that a letter names; the rest is counted.
const MOST: usize = 20;

/// Writes to the admins what a verification found, and notes that it did. Needs [`Permission::ReadAudit`].
pub async fn alarm(repo: &Repo, who: &Principal, report: &Report, now: Timestamp) -> Result<(), AuditError> {
    who.require(Permission::ReadAudit)?;
    let more = u64::try_from(report.findings.len().saturating_sub(MOST))
        .unwrap_or(u64::MAX)
        .saturating_add(report.more);
    let mut body = "The nightly verification of the audit trail has found:\n\n".to_owned();
    for finding in report.findings.iter().take(MOST) {
        // Writing to a String does not fail.
        let _ = writeln!(body, "  {finding}");
    }
    if more > 0 {
        let _ = writeln!(body, "  and {more} more");
    }
    body.push_str(
        "\nSomebody has changed the database past the shop, or its disk is failing. `pulse audit verify` \
                   shows it again; compare with the last good backup.\n",
    );
    let findings = report.findings.len();
    repo.write_with((who.clone(), body, now), move |tx, (who, body, now)| {
        async move {
            for (admin, to) in accounts::staff(tx, Role::Admin).await? {
                let letter = Letter {
                    to,
                    subject: "The audit trail is not whole".to_owned(),
                    body: body.clone(),
                    unsubscribe: None,
                };
                mail::enqueue(tx, &format!("audit-alarm:{}:{admin}", now.0), &letter).await?;
            }
            record(tx, who, "audit.alarm", "audit", json!({ "findings": findings })).await
        }
        .boxed()
    })
    .await
    .map_err(|error: DbError| error.into())
}
