//! Goods that come back.
//!
//! **Invariant.** A return has a name that the client draws: booked again, it is the same credit note.

use axum::extract::State;
use pulse_core::Timestamp;
use pulse_data::orders::{CreditNote, GoodsBack};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::orders::OrderNo;
use super::shapes::MoneyView;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::field::{Int, Items, Pieces};
use crate::identity::IdempotencyKey;
use crate::permit::{May, TakeReturns};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(return_goods))
}

/// What was given back for goods.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditNote)]
pub(crate) struct CreditNoteView {
    /// Its number.
    id: i64,
    /// The order that the goods were of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    order: Option<i64>,
    /// The sum given back.
    refund: MoneyView,
    /// When the goods came.
    #[schema(value_type = String, format = DateTime)]
    returned_at: Timestamp,
}

impl From<CreditNote> for CreditNoteView {
    fn from(note: CreditNote) -> Self {
        Self {
            id: note.id,
            order: note.order.map(|id| id.0),
            refund: note.refund.into(),
            returned_at: note.returned_at,
        }
    }
}

/// Pieces of an order's line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineBack {
    /// The line's number within the order.
    #[schema(inline)]
    line: Int<1, 100_000>,
    /// How many came back.
    #[schema(inline)]
    quantity: Pieces,
}

/// What came back of an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturn {
    /// Which lines; each once.
    #[schema(value_type = Vec<LineBack>, min_items = 1, max_items = 200)]
    lines: Items<LineBack, 1, 200>,
}

/// Take goods of an order back
///
/// Books a credit note, puts the goods back on the shelf and gives the money back. Needs the role support.
#[utoipa::path(
    post,
    path = "/api/v1/admin/orders/{id}/returns",
    tag = "admin",
    params(
        ("id" = i64, Path, description = "The order's number.", minimum = 1),
        ("Idempotency-Key" = String, Header, description = "The client's name for this return.", min_length = 1, max_length = 64, pattern = "^[!-~]+$"),
    ),
    request_body = NewReturn,
    responses(
        (status = 201, description = "The credit note.", body = CreditNoteView),
        (status = 409, description = "More is to come back than was sold, the order is not with its buyer, or the key was used for another return."),
    )
)]
async fn return_goods(
    State(state): State<AppState>,
    who: May<TakeReturns>,
    key: IdempotencyKey,
    Path(OrderNo(order)): Path<OrderNo>,
    Json(new): Json<NewReturn>,
) -> Result<Answer<CreditNoteView, 201>, ApiError> {
    let lines = new.lines.0.iter().map(|line| (line.line.get(), line.quantity.into())).collect();
    let goods = GoodsBack { key: key.required()?, order, lines };
    let note = state.rooms().orders.return_goods(&who.caller.principal, goods).await?;
    Ok(Answer::new(note.into()))
}
