//! Feeds of suppliers and partners: posted, and looked after.
//!
//! **Invariant.** A posted feed is answered once it is stored; its rows are done beside the request. Posted again it is the
//! same feed.

use std::str::FromStr;

use axum::extract::State;
use axum::http::HeaderValue;
use pulse_core::Timestamp;
use pulse_data::feeds::{Feed, FeedQuery, Kind, NewFeed, Origin};
use pulse_ingest::feed::content_of;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::shapes::{PageSize, page_size};
use crate::error::ApiError;
use crate::extract::{FeedBody, Path, Query};
use crate::field::{CursorText, Text};
use crate::identity::IdempotencyKey;
use crate::permit::{May, RunFeeds};
use crate::problem::{self, Problem};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(post_feed)).routes(routes!(list_feeds)).routes(routes!(get_feed))
}

/// What a feed tells of, in an address.
pub(crate) struct KindName(Kind);

impl FromStr for KindName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Kind::from_name(text).map(Self).ok_or(())
    }
}

/// A feed's number in an address.
pub(crate) struct FeedNo(i64);

impl FromStr for FeedNo {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number =
            text.parse().ok().filter(|number| *number > 0 && text.bytes().all(|b| b.is_ascii_digit()));
        number.map(Self).ok_or(())
    }
}

/// Whose feed it is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PostParams {
    /// The supplier or partner; feeds of different sources are different feeds.
    #[param(inline)]
    source: Text<1, 60>,
}

/// A feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Feed)]
pub(crate) struct FeedView {
    /// Its number.
    id: i64,
    /// Whose it is.
    source: String,
    /// What it tells of: `catalogue`, `prices`, `stock` or `orders`.
    kind: &'static str,
    /// What it is called.
    name: String,
    /// Where it stands: `waiting`, `running`, `done` or `refused`.
    state: &'static str,
    /// Rows that changed something.
    changed: u64,
    /// Rows that said what was known, or was no longer so.
    unchanged: u64,
    /// Rows that became dead letters.
    dead: u64,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// When something became of it last.
    #[schema(value_type = String, format = DateTime)]
    touched_at: Timestamp,
    /// Why it was refused as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why: Option<String>,
}

impl From<Feed> for FeedView {
    fn from(feed: Feed) -> Self {
        Self {
            id: feed.id,
            source: feed.source,
            kind: feed.kind.name(),
            name: feed.name,
            state: feed.state.name(),
            changed: feed.counts.changed,
            unchanged: feed.counts.unchanged,
            dead: feed.counts.dead,
            began_at: feed.began_at,
            touched_at: feed.touched_at,
            why: feed.why,
        }
    }
}

/// Post a feed
///
/// Rows of prices, stock, products or order events, as CSV with a header or as NDJSON; also packed by gzip. Answered once they
/// are stored; what became of them is told at the address in `Location`. The same rows of the same source, packed or not, or the same
/// `Idempotency-Key`, are the same feed. Needs the role manager.
#[utoipa::path(
    post,
    path = "/api/v1/feeds/{kind}",
    tag = "admin",
    params(
        ("kind" = String, Path, description = "What the rows tell of: catalogue, prices, stock or orders.", pattern = "^(catalogue|prices|stock|orders)$", max_length = 9),
        ("Idempotency-Key" = Option<String>, Header, description = "The client's name for this feed; its content, where absent.", min_length = 1, max_length = 64, pattern = "^[!-~]+$"),
        PostParams
    ),
    request_body(content((String = "text/csv"), (String = "application/x-ndjson")), description = "The rows."),
    responses(
        (status = 202, description = "It is stored.", body = FeedView, headers(("Location" = String, description = "Where the feed is told of."))),
        (status = 409, description = "The key was used for other rows."),
    )
)]
async fn post_feed(
    State(state): State<AppState>,
    who: May<RunFeeds>,
    key: IdempotencyKey,
    Path(KindName(kind)): Path<KindName>,
    Query(params): Query<PostParams>,
    body: FeedBody,
) -> Result<Answer<FeedView, 202>, ApiError> {
    let bytes = body.bytes.clone();
    let most = state.config().feed_unpacked_bytes;
    let content = tokio::task::spawn_blocking(move || content_of(&bytes, most)).await;
    let content =
        content.map_err(|_| Problem::new(problem::Kind::Internal, "a fault of the shop: send it again"))?;
    let hash = content.map_err(|error| Problem::new(problem::Kind::TooLarge, error.to_string()))?;
    let new = NewFeed {
        source: params.source.0,
        kind,
        origin: Origin::Post,
        name: format!("posted {}", hash.get(..16).unwrap_or(&hash)),
        content: key.0.map_or_else(|| hash.clone(), |key| format!("key:{key}")),
        format: body.format,
        columns: Vec::new(),
        fed_at: None,
    };
    let feeds = &state.rooms().feeds.feeds;
    let (feed, _) = feeds.post(&who.caller.principal, new, body.bytes.to_vec()).await?;
    let place = HeaderValue::from_str(&format!("/api/v1/admin/feeds/{}", feed.id)).ok();
    Ok(Answer::new(feed.into()).header(axum::http::header::LOCATION, place))
}

/// Which feeds; that of which something became last comes first.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedParams {
    /// Only of this supplier or partner.
    #[param(inline)]
    source: Option<Text<1, 60>>,
    /// Where the last page ended: its `next`.
    #[param(inline)]
    after: Option<CursorText>,
    /// Rows of a page; 20 where absent.
    #[param(inline)]
    limit: Option<PageSize>,
}

/// A page of feeds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedPage {
    /// The feeds.
    items: Vec<FeedView>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String)]
    next: Option<pulse_data::page::Cursor>,
}

/// List feeds
///
/// Needs the role manager.
#[utoipa::path(
    get,
    path = "/api/v1/admin/feeds",
    tag = "admin",
    params(FeedParams),
    responses((status = 200, description = "A page of feeds.", body = FeedPage))
)]
async fn list_feeds(
    State(state): State<AppState>,
    who: May<RunFeeds>,
    Query(params): Query<FeedParams>,
) -> Result<Answer<FeedPage>, ApiError> {
    let query = FeedQuery {
        source: params.source.map(|text| text.0),
        state: None,
        after: params.after.map(|cursor| pulse_data::page::Cursor::from_client(&cursor.0)),
        limit: page_size(params.limit),
    };
    let page = state.rooms().feeds.feeds.list(&who.caller.principal, &query).await?;
    Ok(Answer::new(FeedPage { items: page.items.into_iter().map(FeedView::from).collect(), next: page.next }))
}

/// See what became of a feed
///
/// Needs the role manager.
#[utoipa::path(
    get,
    path = "/api/v1/admin/feeds/{id}",
    tag = "admin",
    params(("id" = i64, Path, description = "The feed's number.", minimum = 1)),
    responses((status = 200, description = "The feed.", body = FeedView))
)]
async fn get_feed(
    State(state): State<AppState>,
    who: May<RunFeeds>,
    Path(FeedNo(id)): Path<FeedNo>,
) -> Result<Answer<FeedView>, ApiError> {
    Ok(Answer::new(state.rooms().feeds.feeds.get(&who.caller.principal, id).await?.into()))
}
