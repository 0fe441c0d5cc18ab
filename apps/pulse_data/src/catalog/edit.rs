//! Creating and changing one product.
//!
//! **Invariant.** An edit names the version that it was made for and is refused where somebody else was faster; what
//! the schema would refuse is told by field, before or after the database sees it.

use pulse_core::pricing::VatRate;
use pulse_core::{Money, Sku, Timestamp};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::CatalogError;
use super::product::{self, COLUMNS, Product, vat_name};
use crate::changeset::{Changeset, FieldErrors, Valid};
use crate::{DbError, Sql as _};

/// A product to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// Its code; must be free.
    pub sku: Sku,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Its shelf, up to 60 characters.
    pub category: Option<String>,
    /// More words about it, up to 4,000 characters.
    pub description: String,
    /// Its price, VAT included.
    pub price: Money,
    /// The VAT that the price includes.
    pub vat: VatRate,
    /// Whether it is for sale at once.
    pub active: bool,
}

/// What is to change of a product; absent fields stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductEdit {
    /// Another name.
    pub name: Option<String>,
    /// Another shelf, or none.
    pub category: Option<Option<String>>,
    /// Other words.
    pub description: Option<String>,
    /// Another price, from now on.
    pub price: Option<Money>,
    /// Another VAT rate.
    pub vat: Option<VatRate>,
    /// For sale, or no longer.
    pub active: Option<bool>,
}

/// The highest price, in pence: a thousand million pounds, as the schema says.
pub(super) const DEAREST: i64 = 100_000_000_000;

/// A product that the schema takes, if its code is free.
fn check(product: Product) -> Result<Valid<Product>, FieldErrors> {
    let mut input = Changeset::new(json!({}));
    input.length("name", Some(&product.name), 1..=200);
    input.length("category", product.category.as_deref(), 1..=60);
    input.length("description", Some(&product.description), 0..=4000);
    for (field, text) in [
        ("name", Some(&product.name)),
        ("category", product.category.as_ref()),
        ("description", Some(&product.description)),
    ] {
        let clean = text.is_none_or(|text| !text.contains('\0'));
        input.check(field, clean, "format", "must not hold a NUL character");
    }
    input.range("price", Some(product.price.pence), 0..=DEAREST);
    input.constraint("pk_products", "sku", "taken", "is taken by another product");
    input.finish(product)
}

const INSERT: &str = "INSERT INTO products (sku, name, name_key, category, description, price_pence, currency, vat, \
                      priced_at, active, version, created_at, updated_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $9, $9)";

/// Stores a new product.
pub(super) async fn create(
    tx: &impl ConnectionTrait,
    new: &NewProduct,
    now: Timestamp,
) -> Result<Product, CatalogError> {
    let product = Product {
        sku: new.sku,
        name: new.name.trim().to_owned(),
        category: new.category.as_deref().map(str::trim).map(str::to_owned),
        description: new.description.clone(),
        price: new.price,
        vat: new.vat,
        priced_at: now,
        stock: 0,
        delivered: 0,
        active: new.active,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let valid = check(product)?;
    let product = &valid.value;
    let values = vec![
        product.sku.as_str().into(),
        product.name.as_str().into(),
        product.name.to_lowercase().into(),
        product.category.clone().into(),
        product.description.as_str().into(),
        product.price.pence.into(),
        product.price.currency.code().into(),
        vat_name(product.vat).into(),
        now.0.into(),
        product.active.into(),
        product.version.into(),
    ];
    match tx.exec(INSERT, values).await {
        Ok(_) => Ok(valid.value),
        Err(error) => Err(valid.refused(error)?.into()),
    }
}

const UPDATE: &str = "UPDATE products SET name = $3, name_key = $4, category = $5, description = $6, price_pence = $7, \
                      currency = $8, vat = $9, priced_at = $10, active = $11, version = version + 1, updated_at = $12 \
                      WHERE sku = $1 AND version = $2";

/// Changes a product that stands at that version.
pub(super) async fn update(
    tx: &impl ConnectionTrait,
    sku: Sku,
    expected: i64,
    edit: &ProductEdit,
    now: Timestamp,
) -> Result<Product, CatalogError> {
    let mut product = get(tx, sku).await?.ok_or(CatalogError::NotFound(sku))?;
    let stale = |current| CatalogError::Stale { sku, expected, current };
    if product.version != expected {
        return Err(stale(product.version));
    }
    if let Some(name) = &edit.name {
        name.trim().clone_into(&mut product.name);
    }
    if let Some(category) = &edit.category {
        product.category = category.as_deref().map(str::trim).map(str::to_owned);
    }
    if let Some(description) = &edit.description {
        product.description.clone_from(description);
    }
    if let Some(price) = edit.price {
        product.price = price;
        product.priced_at = product.priced_at.max(now);
    }
    product.vat = edit.vat.unwrap_or(product.vat);
    product.active = edit.active.unwrap_or(product.active);
    let mut product = check(product)?.value;
    product.updated_at = now;
    let values = vec![
        sku.as_str().into(),
        expected.into(),
        product.name.as_str().into(),
        product.name.to_lowercase().into(),
        product.category.clone().into(),
        product.description.as_str().into(),
        product.price.pence.into(),
        product.price.currency.code().into(),
        vat_name(product.vat).into(),
        product.priced_at.0.into(),
        product.active.into(),
        now.0.into(),
    ];
    // Somebody may have been faster between the read and here.
    if tx.exec(UPDATE, values).await? == 0 {
        let current = get(tx, sku).await?.map_or(expected, |product| product.version);
        return Err(stale(current));
    }
    product.version += 1;
    Ok(product)
}

/// One product, for sale or not.
pub(super) async fn get(db: &impl ConnectionTrait, sku: Sku) -> Result<Option<Product>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM products WHERE sku = $1");
    db.row(&sql, vec![sku.as_str().into()]).await?.as_ref().map(product::read).transpose()
}

const SET_STOCK: &str = "UPDATE products SET adjusted = adjusted + ($2 - stock), stock = $2 WHERE sku = $1 \
                         RETURNING adjusted";

/// Corrects the stock to what was counted; the correction is kept beside it.
pub(super) async fn set_stock(
    tx: &impl ConnectionTrait,
    sku: Sku,
    pieces: i64,
) -> Result<Product, CatalogError> {
    tx.row(SET_STOCK, vec![sku.as_str().into(), pieces.into()]).await?.ok_or(CatalogError::NotFound(sku))?;
    get(tx, sku).await?.ok_or(CatalogError::NotFound(sku))
}
