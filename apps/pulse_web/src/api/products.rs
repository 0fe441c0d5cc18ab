//! Products, stock and deliveries, for those who run the shop.
//!
//! **Invariant.** A change of a product names the version that it was made for (`If-Match`): of two that were made at the
//! same time one is told that the other was faster.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use pulse_core::Timestamp;
use pulse_data::catalog::{Delivered, DeliveryLine, NewProduct, Product, ProductEdit};
use pulse_data::page::Cursor;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::catalogue::SortBy;
use super::shapes::{MoneyView, NewPrice, PageSize, VatRate, page_size};
use crate::error::ApiError;
use crate::extract::{Json, LargeJson, Path, Query};
use crate::field::{CursorText, Int, Items, LongText, SkuText, Text, object, optional_object};
use crate::identity::SignedIn;
use crate::permit::{EditCatalog, ManageStock, May};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_all_products, create_product))
        .routes(routes!(get_any_product, change_product, retire_product))
        .routes(routes!(set_stock))
        .routes(routes!(deliver))
}

/// Pieces that a shelf can hold.
type Stock = Int<0, 1_000_000_000>;

/// A product with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdminProduct {
    /// Its code.
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
    /// Pieces that can be sold.
    stock: i64,
    /// Pieces that suppliers ever delivered.
    delivered: i64,
    /// Whether it is for sale.
    active: bool,
    /// Counts changes of everything but the stock; the entity tag.
    version: i64,
    /// When it was first heard of.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Product> for AdminProduct {
    fn from(product: Product) -> Self {
        Self {
            sku: product.sku.to_string(),
            name: product.name,
            category: product.category,
            description: product.description,
            price: product.price.into(),
            vat: product.vat.into(),
            stock: product.stock,
            delivered: product.delivered,
            active: product.active,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

fn answer<const STATUS: u16>(product: Product) -> Answer<AdminProduct, STATUS> {
    let etag = HeaderValue::from_str(&format!("\"{}\"", product.version)).ok();
    Answer::new(AdminProduct::from(product)).header(header::ETAG, etag)
}

/// The version that a change is made for.
fn if_match(headers: &HeaderMap) -> Result<i64, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(Kind::VersionRequired, "send the product's ETag as `If-Match`"));
    };
    let version = value.to_str().ok().and_then(|text| {
        let digits = text.trim().strip_prefix('"')?.strip_suffix('"')?;
        digits.parse().ok().filter(|version| *version > 0)
    });
    // Another tag is one that the product does not have.
    version.ok_or_else(|| Problem::new(Kind::Stale, "`If-Match` is no ETag of this product"))
}

/// Which products, in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AdminProductParams {
    /// A part of the name or the code, in any case.
    #[param(inline)]
    search: Option<Text<1, 100>>,
    /// Only this category.
    #[param(inline)]
    category: Option<Text<1, 60>>,
    /// At most so many pieces left: what should be ordered again.
    #[param(inline)]
    stock_at_most: Option<Stock>,
    /// The order of the rows; ties are broken by code.
    #[param(inline)]
    sort: Option<SortBy>,
    /// Where the last page ended: its `next`.
    #[param(inline)]
    after: Option<CursorText>,
    /// Rows of a page; 20 where absent.
    #[param(inline)]
    limit: Option<PageSize>,
}

/// A page of products with everything that is known of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdminProductPage {
    /// The products, in the order asked for.
    items: Vec<AdminProduct>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// List all products, for sale or not
///
/// Needs the role manager.
#[utoipa::path(
    get,
    path = "/api/v1/admin/products",
    tag = "admin",
    params(AdminProductParams),
    responses((status = 200, description = "A page of products.", body = AdminProductPage))
)]
async fn list_all_products(
    State(state): State<AppState>,
    who: May<EditCatalog>,
    Query(params): Query<AdminProductParams>,
) -> Result<Answer<AdminProductPage>, ApiError> {
    let query = pulse_data::catalog::ProductQuery {
        search: params.search.map(|text| text.0),
        category: params.category.map(|text| text.0),
        stock_at_most: params.stock_at_most.map(Int::get),
        inactive_too: true,
        sort: params.sort.map(Into::into).unwrap_or_default(),
        after: params.after.map(|text| Cursor::from_client(&text.0)),
        limit: page_size(params.limit),
        ..Default::default()
    };
    let page = state.rooms().catalog.list(&who.caller.principal, &query).await?;
    let items = page.items.into_iter().map(AdminProduct::from).collect();
    Ok(Answer::new(AdminProductPage { items, next: page.next.map(|cursor| cursor.as_str().to_owned()) }))
}

/// A product to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProduct)]
pub(crate) struct CreateProduct {
    /// Its code; must be free.
    #[schema(inline)]
    sku: SkuText,
    /// Its name.
    #[schema(inline)]
    name: Text<1, 200>,
    /// Its shelf.
    #[schema(inline)]
    category: Option<Text<1, 60>>,
    /// More words about it.
    #[serde(default)]
    #[schema(inline, required = false)]
    description: LongText<4_000>,
    /// The price of one, VAT included.
    #[serde(deserialize_with = "object")]
    price: NewPrice,
    /// The VAT that the price includes; `standard` where absent.
    #[serde(default)]
    #[schema(required = false)]
    vat: VatRate,
    /// Whether it is for sale at once; yes where absent.
    #[serde(default = "yes")]
    #[schema(required = false)]
    active: bool,
}

const fn yes() -> bool {
    true
}

/// Create a product
///
/// Without stock. Needs the role manager.
#[utoipa::path(
    post,
    path = "/api/v1/admin/products",
    tag = "admin",
    request_body = CreateProduct,
    responses(
        (status = 201, description = "The product.", body = AdminProduct, headers(("ETag" = String, description = "Its version."), ("Location" = String, description = "Its address."))),
        (status = 409, description = "The code is taken."),
    )
)]
async fn create_product(
    State(state): State<AppState>,
    who: May<EditCatalog>,
    Json(new): Json<CreateProduct>,
) -> Result<Answer<AdminProduct, 201>, ApiError> {
    let sku = new.sku.0;
    let new = NewProduct {
        sku,
        name: new.name.0,
        category: new.category.map(|text| text.0),
        description: new.description.0,
        price: new.price.into(),
        vat: new.vat.into(),
        active: new.active,
    };
    let product = state.rooms().catalog.create(&who.caller.principal, new).await?;
    state.changed([sku]).await;
    Ok(answer(product).location(&format!("/api/v1/admin/products/{sku}")))
}

/// Look at a product, for sale or not
///
/// Needs the role manager.
#[utoipa::path(
    get,
    path = "/api/v1/admin/products/{sku}",
    tag = "admin",
    params(("sku" = inline(SkuText), Path, description = "The product's code.", example = "85123A")),
    responses((status = 200, description = "The product.", body = AdminProduct, headers(("ETag" = String, description = "Its version, for `If-Match`."))))
)]
async fn get_any_product(
    State(state): State<AppState>,
    who: May<EditCatalog>,
    Path(SkuText(sku)): Path<SkuText>,
) -> Result<Answer<AdminProduct>, ApiError> {
    Ok(answer(state.rooms().catalog.get(&who.caller.principal, sku).await?))
}

/// What is to change of a product; absent fields stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductEdit)]
pub(crate) struct ChangeProduct {
    /// Another name.
    #[schema(inline)]
    name: Option<Text<1, 200>>,
    /// Another shelf; null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(inline, value_type = Option<Text<1, 60>>, required = false)]
    category: Option<OrNone<Text<1, 60>>>,
    /// Other words.
    #[schema(inline)]
    description: Option<LongText<4_000>>,
    /// Another price, from now on.
    #[serde(default, deserialize_with = "optional_object")]
    price: Option<NewPrice>,
    /// Another VAT rate.
    vat: Option<VatRate>,
    /// For sale, or no longer.
    active: Option<bool>,
}

/// A value or none, where the field itself may be absent too.
#[derive(Debug)]
pub(crate) struct OrNone<T>(Option<T>);

/// Tells a field that is null from one that is absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<OrNone<T>>, D::Error> {
    Option::deserialize(from).map(OrNone).map(Some)
}

/// Change a product
///
/// Needs the role manager.
#[utoipa::path(
    patch,
    path = "/api/v1/admin/products/{sku}",
    tag = "admin",
    params(
        ("sku" = inline(SkuText), Path, description = "The product's code.", example = "85123A"),
        ("If-Match" = Option<String>, Header, description = "The product's ETag. Must be there; without it the answer is 428."),
    ),
    request_body = ChangeProduct,
    responses(
        (status = 200, description = "The product after it.", body = AdminProduct, headers(("ETag" = String, description = "Its new version."))),
        (status = 412, description = "Somebody else changed it first: look at it again."),
        (status = 428, description = "`If-Match` is missing."),
    )
)]
async fn change_product(
    State(state): State<AppState>,
    who: May<EditCatalog>,
    Path(SkuText(sku)): Path<SkuText>,
    headers: HeaderMap,
    Json(edit): Json<ChangeProduct>,
) -> Result<Answer<AdminProduct>, ApiError> {
    let edit = ProductEdit {
        name: edit.name.map(|text| text.0),
        category: edit.category.map(|OrNone(category)| category.map(|text| text.0)),
        description: edit.description.map(|text| text.0),
        price: edit.price.map(Into::into),
        vat: edit.vat.map(Into::into),
        active: edit.active,
    };
    change(&state, &who, sku, &headers, edit).await
}

/// Take a product off sale
///
/// It stays known, for the orders that have it. Needs the role manager.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/products/{sku}",
    tag = "admin",
    params(
        ("sku" = inline(SkuText), Path, description = "The product's code.", example = "85123A"),
        ("If-Match" = Option<String>, Header, description = "The product's ETag. Must be there; without it the answer is 428."),
    ),
    responses(
        (status = 200, description = "The product, no longer for sale.", body = AdminProduct, headers(("ETag" = String, description = "Its new version."))),
        (status = 412, description = "Somebody else changed it first: look at it again."),
        (status = 428, description = "`If-Match` is missing."),
    )
)]
async fn retire_product(
    State(state): State<AppState>,
    who: May<EditCatalog>,
    Path(SkuText(sku)): Path<SkuText>,
    headers: HeaderMap,
) -> Result<Answer<AdminProduct>, ApiError> {
    let edit = ProductEdit { active: Some(false), ..ProductEdit::default() };
    change(&state, &who, sku, &headers, edit).await
}

async fn change(
    state: &AppState,
    who: &SignedIn,
    sku: pulse_core::Sku,
    headers: &HeaderMap,
    edit: ProductEdit,
) -> Result<Answer<AdminProduct>, ApiError> {
    let product = state.rooms().catalog.update(&who.caller.principal, sku, if_match(headers)?, edit).await?;
    state.changed([sku]).await;
    Ok(answer(product))
}

/// What was counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStock {
    /// Pieces on the shelf.
    #[schema(inline)]
    stock: Stock,
}

/// Correct the stock to what was counted
///
/// Needs the role manager.
#[utoipa::path(
    put,
    path = "/api/v1/admin/products/{sku}/stock",
    tag = "admin",
    params(("sku" = inline(SkuText), Path, description = "The product's code.", example = "85123A")),
    request_body = NewStock,
    responses((status = 200, description = "The product after it.", body = AdminProduct, headers(("ETag" = String, description = "Its version."))))
)]
async fn set_stock(
    State(state): State<AppState>,
    who: May<ManageStock>,
    Path(SkuText(sku)): Path<SkuText>,
    Json(new): Json<NewStock>,
) -> Result<Answer<AdminProduct>, ApiError> {
    let product = state.rooms().catalog.set_stock(&who.caller.principal, sku, new.stock.get()).await?;
    state.changed([sku]).await;
    Ok(answer(product))
}

/// A product in a delivery; created from this where the catalogue does not know it yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeliveryLine)]
pub(crate) struct NewDeliveryLine {
    /// Its code.
    #[schema(inline)]
    sku: SkuText,
    /// The name of a new product; a known one keeps its own.
    #[schema(inline)]
    name: Text<1, 200>,
    /// The shelf of a new product.
    #[serde(default)]
    #[schema(inline, required = false)]
    category: Option<Text<1, 60>>,
    /// Pieces that came; 0 to only make the product known.
    #[schema(inline)]
    pieces: Stock,
    /// The price of a new product.
    #[serde(deserialize_with = "object")]
    price: NewPrice,
    /// The VAT of a new product; `standard` where absent.
    #[serde(default)]
    #[schema(required = false)]
    vat: VatRate,
}

/// A supplier's goods.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDelivery {
    /// The delivery's name: booked again, it changes nothing.
    #[schema(inline)]
    key: Text<1, 200>,
    /// What came.
    #[schema(value_type = Vec<NewDeliveryLine>, min_items = 1, max_items = 2_000)]
    lines: Items<NewDeliveryLine, 1, 2_000>,
}

/// What became of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryOutcome {
    /// Whether it was booked now; else it had been before.
    booked: bool,
}

/// Book a delivery
///
/// Needs the role manager.
#[utoipa::path(
    post,
    path = "/api/v1/admin/deliveries",
    tag = "admin",
    request_body = NewDelivery,
    responses(
        (status = 200, description = "Booked, now or before.", body = DeliveryOutcome),
        (status = 409, description = "The key was used for a delivery of other goods."),
    )
)]
async fn deliver(
    State(state): State<AppState>,
    who: May<ManageStock>,
    LargeJson(new): LargeJson<NewDelivery>,
) -> Result<Answer<DeliveryOutcome>, ApiError> {
    let now = state.rooms().clock.now();
    let line = |line: NewDeliveryLine| DeliveryLine {
        sku: line.sku.0,
        name: line.name.0,
        category: line.category.map(|shelf| shelf.0),
        pieces: line.pieces.get(),
        price: line.price.into(),
        vat: line.vat.into(),
        priced_at: now,
    };
    let lines: Vec<_> = new.lines.0.into_iter().map(line).collect();
    let skus: Vec<_> = lines.iter().map(|line| line.sku).collect();
    let delivered = state.rooms().catalog.deliver(&who.caller.principal, &new.key.0, lines).await?;
    state.changed(skus).await;
    Ok(Answer::new(DeliveryOutcome { booked: delivered == Delivered::Booked }))
}
