//! A product as the shop's own people see it, and what it looks like as a row.
//!
//! **Invariant.** Every read of a product goes through [`COLUMNS`] and [`read`], so a row has one meaning.

use pulse_core::cart::{Basis, Price};
use pulse_core::ports::Offer;
use pulse_core::pricing::VatRate;
use pulse_core::{Currency, Money, Sku, Timestamp};
use sea_orm::QueryResult;

use crate::DbError;

/// One product with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its code; never changes.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// The shelf it stands on.
    pub category: Option<String>,
    /// More words about it; may be empty.
    pub description: String,
    /// What one piece costs, VAT included.
    pub price: Money,
    /// The VAT that the price includes.
    pub vat: VatRate,
    /// Since when the price holds; an older price can't replace it.
    pub priced_at: Timestamp,
    /// Pieces that can be sold.
    pub stock: i64,
    /// Pieces that suppliers ever delivered.
    pub delivered: i64,
    /// Whether it is for sale.
    pub active: bool,
    /// Counts edits of everything but the stock: what an edit is matched against.
    pub version: i64,
    /// When it was first heard of.
    pub created_at: Timestamp,
    /// When it was last edited; stock moves don't count.
    pub updated_at: Timestamp,
}

impl Product {
    /// What a buyer is told.
    pub fn offer(&self) -> Offer {
        Offer {
            sku: self.sku,
            name: self.name.clone(),
            price: Price { unit: self.price, basis: Basis::Listed(self.vat) },
            stock: self.stock,
        }
    }
}

/// What [`read`] needs, in its order.
pub(crate) const COLUMNS: &str = "sku, name, category, description, price_pence, currency, vat, priced_at, stock, \
                                  delivered, active, version, created_at, updated_at";

/// A product from a row of [`COLUMNS`].
pub(crate) fn read(row: &QueryResult) -> Result<Product, DbError> {
    let currency: String = row.try_get_by_index(5)?;
    let vat: String = row.try_get_by_index(6)?;
    Ok(Product {
        sku: sku(&row.try_get_by_index::<String>(0)?)?,
        name: row.try_get_by_index(1)?,
        category: row.try_get_by_index(2)?,
        description: row.try_get_by_index(3)?,
        price: Money { pence: row.try_get_by_index(4)?, currency: self::currency(&currency)? },
        vat: vat_from_name(&vat).ok_or_else(|| DbError::Corrupt(format!("{vat:?} is no VAT rate")))?,
        priced_at: Timestamp(row.try_get_by_index(7)?),
        stock: row.try_get_by_index(8)?,
        delivered: row.try_get_by_index(9)?,
        active: row.try_get_by_index(10)?,
        version: row.try_get_by_index(11)?,
        created_at: Timestamp(row.try_get_by_index(12)?),
        updated_at: Timestamp(row.try_get_by_index(13)?),
    })
}

/// A stored product code.
pub(crate) fn sku(text: &str) -> Result<Sku, DbError> {
    Sku::new(text).map_err(|error| DbError::Corrupt(error.to_string()))
}

/// A stored currency.
pub(crate) fn currency(code: &str) -> Result<Currency, DbError> {
    Currency::from_code(code).ok_or_else(|| DbError::Corrupt(format!("{code:?} is no currency of the shop")))
}

/// The name under which a VAT rate is stored.
pub(crate) const fn vat_name(vat: VatRate) -> &'static str {
    match vat {
        VatRate::Standard => "standard",
        VatRate::Reduced => "reduced",
        VatRate::Zero => "zero",
    }
}

/// The VAT rate of a stored name.
pub(crate) fn vat_from_name(name: &str) -> Option<VatRate> {
    [VatRate::Standard, VatRate::Reduced, VatRate::Zero].into_iter().find(|vat| vat_name(*vat) == name)
}

/// Where a line's price comes from, as it is stored.
pub(crate) const fn basis_name(basis: Basis) -> &'static str {
    match basis {
        Basis::Listed(vat) => vat_name(vat),
        Basis::Quoted => "quoted",
    }
}

/// The basis of a stored name.
pub(crate) fn basis_from_name(name: &str) -> Option<Basis> {
    if name == "quoted" { Some(Basis::Quoted) } else { vat_from_name(name).map(Basis::Listed) }
}
