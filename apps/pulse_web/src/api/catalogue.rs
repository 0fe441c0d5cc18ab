//! What is for sale, for everybody.
//!
//! **Invariant.** Anybody may look, so one rendered answer serves all: pages and products are kept as bytes with their
//! entity tag until the catalogue announces a change, or for a few seconds.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_data::catalog::{CatalogError, Product, ProductQuery, Sort};
use pulse_data::page::Cursor;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::{MoneyView, PageSize, VatRate, page_size};
use super::{has_already, json};
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::field::{CursorText, Int, Pence, SkuText, Text};
use crate::identity::Caller;
use crate::problem::{Kind, Problem};
use crate::state::{AppState, Rendered};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_products)).routes(routes!(get_product))
}

/// Which products, in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductParams {
    /// A part of the name or the code, in any case.
    #[param(inline)]
    pub(crate) search: Option<Text<1, 100>>,
    /// Only this category.
    #[param(inline)]
    pub(crate) category: Option<Text<1, 60>>,
    /// Only what can be had now.
    pub(crate) in_stock: Option<bool>,
    /// From this price on, in pence.
    #[param(inline)]
    pub(crate) min_pence: Option<Pence>,
    /// Up to this price, in pence.
    #[param(inline)]
    pub(crate) max_pence: Option<Pence>,
    /// The order of the rows; ties are broken by code.
    #[param(inline)]
    pub(crate) sort: Option<SortBy>,
    /// Where the last page ended: its `next`.
    #[param(inline)]
    pub(crate) after: Option<CursorText>,
    /// Rows of a page; 20 where absent.
    #[param(inline)]
    pub(crate) limit: Option<PageSize>,
}

/// Orders in which products can be seen.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SortBy {
    /// A to Z.
    Name,
    /// By code.
    Sku,
    /// Cheapest first.
    PriceAsc,
    /// Dearest first.
    PriceDesc,
    /// Latest arrivals first.
    Newest,
}

impl From<SortBy> for Sort {
    fn from(sort: SortBy) -> Self {
        match sort {
            SortBy::Name => Self::Name,
            SortBy::Sku => Self::Sku,
            SortBy::PriceAsc => Self::PriceAsc,
            SortBy::PriceDesc => Self::PriceDesc,
            SortBy::Newest => Self::Newest,
        }
    }
}

impl ProductParams {
    /// The catalogue's words for it.
    pub(crate) fn query(self) -> ProductQuery {
        ProductQuery {
            search: self.search.map(|text| text.0),
            category: self.category.map(|text| text.0),
            in_stock: self.in_stock.unwrap_or_default(),
            min_pence: self.min_pence.map(Int::get),
            max_pence: self.max_pence.map(Int::get),
            sort: self.sort.map(Sort::from).unwrap_or_default(),
            after: self.after.map(|text| Cursor::from_client(&text.0)),
            limit: page_size(self.limit),
            ..ProductQuery::default()
        }
    }
}

/// A product, as buyers see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub(crate) struct ProductView {
    /// Its code.
    #[schema(example = "85123A")]
    sku: String,
    /// Its name.
    name: String,
    /// Its shelf.
    category: Option<String>,
    /// More words about it.
    description: String,
    /// The price of one, VAT included.
    price: MoneyView,
    /// The VAT that the price includes.
    vat: VatRate,
    /// How many there are; may be a moment old.
    stock: i64,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            sku: product.sku.to_string(),
            name: product.name,
            category: product.category,
            description: product.description,
            price: product.price.into(),
            vat: product.vat.into(),
            stock: product.stock,
        }
    }
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductPage {
    /// The products, in the order asked for.
    items: Vec<ProductView>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// Look through the catalogue
#[utoipa::path(
    get,
    path = "/api/v1/products",
    tag = "catalogue",
    params(ProductParams, ("If-None-Match" = Option<String>, Header, description = "An ETag that the client has.")),
    responses(
        (status = 200, description = "A page of products.", body = ProductPage, headers(("ETag" = String, description = "The page's version."))),
        (status = 304, description = "Still as the client has it."),
    )
)]
async fn list_products(
    State(state): State<AppState>,
    _who: Caller,
    // The request itself: `Parts` or `HeaderMap` as an extractor would copy every header of it.
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    // The query as it was written is the key: who asks the same again is answered without reading it again.
    let key: Arc<str> = parts.uri.query().unwrap_or_default().into();
    let keep = key.len() <= 512;
    let load = async || render_page(&state, parts.clone()).await.map(Some);
    let page = if keep { state.pages().get_or_load(&key, load).await? } else { load().await? };
    // A list is always there, if only empty.
    let page = page.ok_or(Problem::new(Kind::NotFound, "there is no such page"))?;
    Ok(conditional(&parts.headers, page))
}

async fn render_page(state: &AppState, mut parts: Parts) -> Result<Rendered, ApiError> {
    let Query(params) = Query::<ProductParams>::from_request_parts(&mut parts, state).await?;
    // The page is for everybody: it is asked for by nobody in particular.
    let page = state.rooms().catalog.list(&pulse_core::Principal::Guest, &params.query()).await?;
    let items = page.items.into_iter().map(ProductView::from).collect();
    let next = page.next.map(|cursor| cursor.as_str().to_owned());
    Ok(render(&ProductPage { items, next }))
}

/// Look at one product
#[utoipa::path(
    get,
    path = "/api/v1/products/{sku}",
    tag = "catalogue",
    params(
        ("sku" = inline(SkuText), Path, description = "The product's code.", example = "85123A"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag that the client has."),
    ),
    responses(
        (status = 200, description = "The product.", body = ProductView, headers(("ETag" = String, description = "The product's version."))),
        (status = 304, description = "Still as the client has it."),
    )
)]
async fn get_product(
    State(state): State<AppState>,
    _who: Caller,
    Path(SkuText(sku)): Path<SkuText>,
    request: Request,
) -> Result<Response, ApiError> {
    let load = async || match state.rooms().catalog.get(&pulse_core::Principal::Guest, sku).await {
        Ok(product) => Ok(Some(render(&ProductView::from(product)))),
        Err(CatalogError::NotFound(_)) => Ok(None),
        Err(error) => Err(ApiError::from(error)),
    };
    let product = state.products().get_or_load(&sku, load).await?;
    Ok(conditional(request.headers(), product.ok_or(CatalogError::NotFound(sku))?))
}

/// Bytes and the entity tag that is made from them: the same on every node and after every restart.
fn render(shape: &impl Serialize) -> Rendered {
    let body = Bytes::from(json(shape));
    let digest = Sha256::digest(&body);
    let text = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..12]));
    let etag = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""));
    Rendered { etag, body }
}

fn conditional(headers: &HeaderMap, rendered: Rendered) -> Response {
    let mut response = if has_already(headers, &rendered.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(rendered.body.into());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, rendered.etag);
    // May be kept, but is asked for again each time: an ETag makes that cheap.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
