//! The audit trail, for those who may read it.
//!
//! **Invariant.** It is read and verified here, never changed.

use axum::extract::State;
use pulse_core::Timestamp;
use pulse_data::audit::{self, AuditQuery, AuditRow, VerifyOptions};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::shapes::{PageSize, page_size};
use crate::error::ApiError;
use crate::extract::Query;
use crate::field::{Int, RowId, Text};
use crate::permit::{May, ReadAudit};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_audit)).routes(routes!(verify_audit))
}

/// Which rows; newest first.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// Only of this thing, like `order:7`.
    #[param(inline)]
    subject: Option<Text<1, 250>>,
    /// Only by this one, like `user:7`.
    #[param(inline)]
    who: Option<Text<1, 100>>,
    /// Only this action, like `order.place`.
    #[param(inline)]
    action: Option<Text<1, 100>>,
    /// Where the last page ended: its `next`.
    #[param(inline)]
    after: Option<RowId>,
    /// Rows of a page; 20 where absent.
    #[param(inline)]
    limit: Option<PageSize>,
}

/// Who did what to what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditRow)]
pub(crate) struct AuditRowView {
    /// Its number.
    id: i64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who.
    who: String,
    /// What.
    action: String,
    /// To what.
    subject: String,
    /// What else is worth knowing.
    #[schema(value_type = Object)]
    details: serde_json::Value,
    /// Its place in the sealed chain; absent while it waits for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    seal_no: Option<i64>,
}

impl From<AuditRow> for AuditRowView {
    fn from(row: AuditRow) -> Self {
        let details = serde_json::from_str(&row.details).unwrap_or(serde_json::Value::Null);
        Self {
            id: row.id,
            at: row.at,
            who: row.who,
            action: row.action,
            subject: row.subject,
            // What can't be read any more was tampered with; verification tells.
            details: if details.is_object() { details } else { serde_json::json!({ "value": details }) },
            seal_no: row.seal_no,
        }
    }
}

/// A page of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    /// The rows, newest first.
    items: Vec<AuditRowView>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<i64>,
}

/// Read the audit trail
///
/// Needs the role admin.
#[utoipa::path(
    get,
    path = "/api/v1/admin/audit",
    tag = "admin",
    params(AuditParams),
    responses((status = 200, description = "A page of the trail.", body = AuditPage))
)]
async fn list_audit(
    State(state): State<AppState>,
    who: May<ReadAudit>,
    Query(params): Query<AuditParams>,
) -> Result<Answer<AuditPage>, ApiError> {
    let limit = page_size(params.limit);
    let query = AuditQuery {
        subject: params.subject.map(|text| text.0),
        who: params.who.map(|text| text.0),
        action: params.action.map(|text| text.0),
        before: params.after.map(Int::get),
        limit,
    };
    let rows = audit::list(&state.rooms().repo, &who.caller.principal, &query).await?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| row.id);
    Ok(Answer::new(AuditPage { items: rows.into_iter().map(AuditRowView::from).collect(), next }))
}

/// What a verification of the trail found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditVerification {
    /// Whether nothing was changed, is missing, or waits too long for its seal.
    whole: bool,
    /// Sealed rows that were read.
    sealed: u64,
    /// Committed rows that are not sealed yet.
    unsealed: i64,
    /// The first findings.
    findings: Vec<String>,
    /// Findings beyond those.
    more: u64,
}

/// Verify the audit trail
///
/// Recomputes the chain of hashes over all rows. Needs the role admin.
#[utoipa::path(
    get,
    path = "/api/v1/admin/audit/verification",
    tag = "admin",
    responses((status = 200, description = "What was found.", body = AuditVerification))
)]
async fn verify_audit(
    State(state): State<AppState>,
    who: May<ReadAudit>,
) -> Result<Answer<AuditVerification>, ApiError> {
    let rooms = state.rooms();
    let now = rooms.clock.now();
    let report = audit::verify(&rooms.repo, &who.caller.principal, now, &VerifyOptions::default()).await?;
    Ok(Answer::new(AuditVerification {
        whole: report.is_whole(),
        sealed: report.sealed,
        unsealed: report.unsealed,
        findings: report.findings.iter().map(ToString::to_string).collect(),
        more: report.more,
    }))
}
