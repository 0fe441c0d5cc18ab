//! Promotions, for those who run the shop.
//!
//! **Invariant.** A promotion is stored whole under its code: storing it again is changing it.

use axum::extract::State;
use axum::response::Response;
use pulse_core::Timestamp;
use pulse_core::pricing::{Promotion, Rule};
use pulse_data::catalog::StoredPromotion;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, no_content};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::field::{Code, Instant, Int, Pence, SkuText, object};
use crate::permit::{EditCatalog, May};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_promotions)).routes(routes!(put_promotion, delete_promotion))
}

/// What a promotion does; they are applied in this order.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
#[schema(as = Rule)]
pub(crate) enum NewRule {
    /// Of every `buy + free` pieces of the product, `free` cost nothing.
    BuyNGetM {
        /// The product.
        #[schema(inline)]
        sku: SkuText,
        /// Pieces that are paid.
        #[schema(inline)]
        buy: Int<1, 10_000>,
        /// Pieces that come with them.
        #[schema(inline)]
        free: Int<1, 10_000>,
    },
    /// So many per cent off a product, or off every listed line.
    Percentage {
        /// The product; all where absent.
        #[schema(inline)]
        sku: Option<SkuText>,
        /// How many per cent.
        #[schema(inline)]
        percent: Int<1, 100>,
    },
    /// An amount off once the listed lines cost at least so much.
    BasketThreshold {
        /// From this sum on, in pence.
        #[schema(inline)]
        at_least_pence: Pence,
        /// So much off, in pence.
        #[schema(inline)]
        off_pence: Int<1, 100_000_000>,
    },
}

/// What a promotion does.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[schema(as = RuleView)]
pub(crate) enum RuleView {
    /// Of every `buy + free` pieces of the product, `free` cost nothing.
    BuyNGetM {
        /// The product.
        sku: String,
        /// Pieces that are paid.
        buy: u32,
        /// Pieces that come with them.
        free: u32,
    },
    /// So many per cent off a product, or off every listed line.
    Percentage {
        /// The product; all where null.
        sku: Option<String>,
        /// How many per cent.
        percent: u8,
    },
    /// An amount off once the listed lines cost at least so much.
    BasketThreshold {
        /// From this sum on, in pence.
        at_least_pence: i64,
        /// So much off, in pence.
        off_pence: i64,
    },
}

impl From<NewRule> for Rule {
    fn from(rule: NewRule) -> Self {
        let pieces = |n: Int<1, 10_000>| u32::try_from(n.get()).unwrap_or(1);
        match rule {
            NewRule::BuyNGetM { sku, buy, free } => {
                Self::BuyNGetM { sku: sku.0, buy: pieces(buy), free: pieces(free) }
            }
            NewRule::Percentage { sku, percent } => Self::Percentage {
                sku: sku.map(|sku| sku.0),
                percent: u8::try_from(percent.get()).unwrap_or(1),
            },
            NewRule::BasketThreshold { at_least_pence, off_pence } => {
                Self::BasketThreshold { at_least_pence: at_least_pence.get(), off_pence: off_pence.get() }
            }
        }
    }
}

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::BuyNGetM { sku, buy, free } => Self::BuyNGetM { sku: sku.to_string(), buy, free },
            Rule::Percentage { sku, percent } => {
                Self::Percentage { sku: sku.map(|sku| sku.to_string()), percent }
            }
            Rule::BasketThreshold { at_least_pence, off_pence } => {
                Self::BasketThreshold { at_least_pence, off_pence }
            }
        }
    }
}

/// A promotion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Promotion)]
pub(crate) struct PromotionView {
    /// Its name.
    code: String,
    /// What it does.
    rule: RuleView,
    /// Whether it applies at all.
    active: bool,
    /// From this instant on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    starts_at: Option<Timestamp>,
    /// Until just before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    ends_at: Option<Timestamp>,
}

impl From<StoredPromotion> for PromotionView {
    fn from(stored: StoredPromotion) -> Self {
        Self {
            code: stored.promotion.code,
            rule: stored.promotion.rule.into(),
            active: stored.active,
            starts_at: stored.starts_at,
            ends_at: stored.ends_at,
        }
    }
}

/// All promotions; there are at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PromotionList {
    /// By code.
    items: Vec<PromotionView>,
}

/// List the promotions
///
/// Needs the role manager.
#[utoipa::path(
    get,
    path = "/api/v1/admin/promotions",
    tag = "admin",
    responses((status = 200, description = "All promotions, by code.", body = PromotionList))
)]
async fn list_promotions(
    State(state): State<AppState>,
    who: May<EditCatalog>,
) -> Result<Answer<PromotionList>, ApiError> {
    let all = state.rooms().catalog.promotions(&who.caller.principal).await?;
    Ok(Answer::new(PromotionList { items: all.into_iter().map(PromotionView::from).collect() }))
}

/// A promotion to be stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPromotion {
    /// What it does.
    #[serde(deserialize_with = "object")]
    rule: NewRule,
    /// Whether it applies at all; yes where absent.
    #[serde(default = "yes")]
    #[schema(required = false)]
    active: bool,
    /// From this instant on; always where absent.
    #[schema(inline)]
    starts_at: Option<Instant>,
    /// Until just before this instant; for ever where absent.
    #[schema(inline)]
    ends_at: Option<Instant>,
}

const fn yes() -> bool {
    true
}

/// Store a promotion
///
/// Over the one of its code. Needs the role manager.
#[utoipa::path(
    put,
    path = "/api/v1/admin/promotions/{code}",
    tag = "admin",
    params(("code" = inline(Code), Path, description = "The promotion's name.", example = "SPRING")),
    request_body = NewPromotion,
    responses(
        (status = 200, description = "The promotion.", body = PromotionView),
        (status = 409, description = "There are too many already, or it would end before it starts."),
    )
)]
async fn put_promotion(
    State(state): State<AppState>,
    who: May<EditCatalog>,
    Path(Code(code)): Path<Code>,
    Json(new): Json<NewPromotion>,
) -> Result<Answer<PromotionView>, ApiError> {
    let stored = StoredPromotion {
        promotion: Promotion { code, rule: new.rule.into() },
        active: new.active,
        starts_at: new.starts_at.map(|at| at.0),
        ends_at: new.ends_at.map(|at| at.0),
    };
    state.rooms().catalog.put_promotion(&who.caller.principal, stored.clone()).await?;
    state.promotions_changed();
    Ok(Answer::new(stored.into()))
}

/// Drop a promotion
///
/// Needs the role manager.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/promotions/{code}",
    tag = "admin",
    params(("code" = inline(Code), Path, description = "The promotion's name.", example = "SPRING")),
    responses((status = 204, description = "It is gone."))
)]
async fn delete_promotion(
    State(state): State<AppState>,
    who: May<EditCatalog>,
    Path(Code(code)): Path<Code>,
) -> Result<Response, ApiError> {
    state.rooms().catalog.delete_promotion(&who.caller.principal, &code).await?;
    state.promotions_changed();
    Ok(no_content(None))
}
