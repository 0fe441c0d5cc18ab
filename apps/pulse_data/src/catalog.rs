//! The catalogue: products, their stock, deliveries, prices and promotions.
//!
//! **Invariant.** Every public action names its principal and checks one permission; its audit row commits with it; and
//! whoever keeps copies is told after the commit ([`Catalog::changes`]).

mod dips;
mod edit;
mod feed;
pub(crate) mod product;
mod promotions;
mod query;
pub(crate) mod sql;
pub(crate) mod stock;

use std::sync::Arc;

use futures::FutureExt as _;
use pulse_core::access::Forbidden;
use pulse_core::ports::{Catalogue, Clock, Offer, PortFuture, StoreError};
use pulse_core::pricing::Promotion;
use pulse_core::{Permission, Principal, Sku};
use serde_json::json;

pub use edit::{NewProduct, ProductEdit};
pub use feed::Changes;
pub use product::Product;
pub use promotions::StoredPromotion;
pub use query::{ProductQuery, Sort};
pub use stock::{DeliveryLine, NewPrice};

use crate::changeset::{Changeset, FieldErrors};
use crate::page::{InvalidCursor, Page};
use crate::{DbError, Repo, Sql as _, audit};

/// Why the catalogue was not shown or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogError {
    /// There is no such product, or it is not for sale.
    #[error("there is no product {0}")]
    NotFound(Sku),
    /// There is no such promotion.
    #[error("there is no promotion {0:?}")]
    NoPromotion(String),
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Somebody else changed it meanwhile.
    #[error("product {sku} was changed meanwhile: it is at version {current}, not {expected}")]
    Stale {
        /// Which product.
        sku: Sku,
        /// The version that the edit was made for.
        expected: i64,
        /// The version that it has.
        current: i64,
    },
    /// Fields have values that can't be stored.
    #[error(transparent)]
    Invalid(#[from] FieldErrors),
    /// The cursor is of another list.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// The key was used for a delivery of other goods.
    #[error("delivery {0:?} was booked before with other goods: use another key")]
    KeyReused(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl CatalogError {
    fn invalid(field: &'static str, code: &'static str, message: &str) -> Self {
        Self::Invalid(FieldErrors::one(field, code, message))
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The goods are on the shelf.
    Booked,
    /// They had been before; nothing was changed.
    Before,
}

/// Pieces of one product in one delivery, and stock at most; the schema says the same.
pub(crate) const MOST_PIECES: i64 = 1_000_000_000_000;

/// The context of the catalogue. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    repo: Repo,
    changes: Changes,
    clock: Arc<dyn Clock>,
}

impl Catalog {
    /// The catalogue of a database.
    pub fn new(repo: Repo, clock: Arc<dyn Clock>) -> Self {
        Self { repo, changes: Changes::new(), clock }
    }

    /// The stream of changed products, told after each commit. The orders of the same shop tell their sales into it.
    pub fn changes(&self) -> Changes {
        self.changes.clone()
    }

    /// A page of products. Needs [`Permission::BrowseCatalog`]; with `inactive_too` [`Permission::EditCatalog`].
    pub async fn list(&self, who: &Principal, query: &ProductQuery) -> Result<Page<Product>, CatalogError> {
        who.require(Permission::BrowseCatalog)?;
        if query.inactive_too {
            who.require(Permission::EditCatalog)?;
        }
        Ok(query::list(self.repo.reader(), query).await??)
    }

    /// One product. What is no longer for sale is found by those who may edit the catalogue alone.
    pub async fn get(&self, who: &Principal, sku: Sku) -> Result<Product, CatalogError> {
        who.require(Permission::BrowseCatalog)?;
        let product = edit::get(self.repo.reader(), sku).await?;
        product
            .filter(|product| product.active || who.may(Permission::EditCatalog))
            .ok_or(CatalogError::NotFound(sku))
    }

    /// Those of these products that the principal may see, by code; unknown ones are left out. O(log n) each, in
    /// one statement. Needs [`Permission::BrowseCatalog`].
    pub async fn some(&self, who: &Principal, skus: &[Sku]) -> Result<Vec<Product>, CatalogError> {
        who.require(Permission::BrowseCatalog)?;
        if skus.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = query::some(self.repo.reader(), skus).await?;
        found.retain(|product| product.active || who.may(Permission::EditCatalog));
        Ok(found)
    }

    /// The shelves with the products for sale on each, by name. O(products for sale). Needs
    /// [`Permission::BrowseCatalog`].
    pub async fn categories(&self, who: &Principal) -> Result<Vec<(String, i64)>, CatalogError> {
        who.require(Permission::BrowseCatalog)?;
        Ok(query::categories(self.repo.reader()).await?)
    }

    /// Creates a product without stock. Needs [`Permission::EditCatalog`].
    pub async fn create(&self, who: &Principal, new: NewProduct) -> Result<Product, CatalogError> {
        who.require(Permission::EditCatalog)?;
        let input = (who.clone(), new, self.clock.now());
        let product = self
            .repo
            .write_with(input, |tx, (who, new, now)| {
                async move {
                    let product = edit::create(tx, new, *now).await?;
                    let details = json!({ "name": product.name, "pence": product.price.pence });
                    audit::record(tx, who, "product.create", &subject(new.sku), details).await?;
                    Ok::<_, CatalogError>(product)
                }
                .boxed()
            })
            .await?;
        self.changes.tell([product.sku]);
        Ok(product)
    }

    /// Changes a product that stands at version `expected`. Needs [`Permission::EditCatalog`].
    pub async fn update(
        &self,
        who: &Principal,
        sku: Sku,
        expected: i64,
        edit: ProductEdit,
    ) -> Result<Product, CatalogError> {
        who.require(Permission::EditCatalog)?;
        let input = (who.clone(), edit, self.clock.now());
        let product = self
            .repo
            .write_with(input, move |tx, (who, edit, now)| {
                async move {
                    let product = edit::update(tx, sku, expected, edit, *now).await?;
                    let details = json!({
                        "version": product.version, "name": product.name, "pence": product.price.pence,
                        "active": product.active,
                    });
                    audit::record(tx, who, "product.update", &subject(sku), details).await?;
                    Ok::<_, CatalogError>(product)
                }
                .boxed()
            })
            .await?;
        self.changes.tell([sku]);
        Ok(product)
    }

    /// Corrects the stock to what was counted. Needs [`Permission::ManageStock`].
    pub async fn set_stock(&self, who: &Principal, sku: Sku, pieces: i64) -> Result<Product, CatalogError> {
        who.require(Permission::ManageStock)?;
        if !(0..=MOST_PIECES).contains(&pieces) {
            return Err(CatalogError::invalid("stock", "range", "must be 0 to 1000000000000"));
        }
        let who = who.clone();
        let product = self
            .repo
            .write_with(who, move |tx, who| {
                async move {
                    let product = edit::set_stock(tx, sku, pieces).await?;
                    let details = json!({ "stock": pieces });
                    audit::record(tx, who, "product.stock", &subject(sku), details).await?;
                    Ok::<_, CatalogError>(product)
                }
                .boxed()
            })
            .await?;
        self.changes.tell([sku]);
        Ok(product)
    }

    /// Books a supplier's goods under a key: booking it again changes nothing. Products that the catalogue does not
    /// know are created. Needs [`Permission::ManageStock`].
    pub async fn deliver(
        &self,
        who: &Principal,
        key: &str,
        lines: Vec<DeliveryLine>,
    ) -> Result<Delivered, CatalogError> {
        who.require(Permission::ManageStock)?;
        if !(1..=200).contains(&key.chars().count()) || key.contains('\0') {
            return Err(CatalogError::invalid("key", "length", "must have 1 to 200 characters"));
        }
        check_delivery(&lines)?;
        let input = Arc::new((who.clone(), key.to_owned(), lines, self.clock.now()));
        let delivered = self
            .repo
            .write_with(Arc::clone(&input), |tx, input| {
                async move {
                    let (who, key, lines, now) = &**input;
                    let (count, pieces) = sum(lines);
                    let sql = "INSERT INTO deliveries (delivery_key, lines, pieces, delivered_at) \
                               VALUES ($1, $2, $3, $4) ON CONFLICT (delivery_key) DO NOTHING";
                    let values = vec![key.as_str().into(), count.into(), pieces.into(), now.0.into()];
                    if tx.exec(sql, values).await? == 0 {
                        return booked_before(tx, key, (count, pieces)).await;
                    }
                    stock::deliver(tx, lines, *now).await?;
                    let details = json!({ "lines": count, "pieces": pieces });
                    audit::record(tx, who, "stock.deliver", &format!("delivery:{key}"), details).await?;
                    Ok::<_, CatalogError>(Delivered::Booked)
                }
                .boxed()
            })
            .await?;
        if delivered == Delivered::Booked {
            self.changes.tell(input.2.iter().map(|line| line.sku));
        }
        Ok(delivered)
    }

    /// Sets prices that are newer than the ones in force; answers the products whose price has changed. Of two prices
    /// of one instant the higher one wins, so the order of calls does not matter. Needs [`Permission::EditCatalog`].
    pub async fn reprice(&self, who: &Principal, prices: Vec<NewPrice>) -> Result<Vec<Sku>, CatalogError> {
        who.require(Permission::EditCatalog)?;
        if prices.iter().any(|new| !(0..=edit::DEAREST).contains(&new.price.pence)) {
            return Err(CatalogError::invalid("price", "range", "must be 0 to 100000000000 pence"));
        }
        let input = (who.clone(), prices, self.clock.now());
        let changed = self
            .repo
            .write_with(input, |tx, (who, prices, now)| {
                async move {
                    let changed = stock::reprice(tx, prices, *now).await?;
                    if !changed.is_empty() {
                        let details = json!({ "products": changed.len() });
                        audit::record(tx, who, "product.reprice", "products", details).await?;
                    }
                    Ok::<_, CatalogError>(changed)
                }
                .boxed()
            })
            .await?;
        self.changes.tell(changed.iter().copied());
        Ok(changed)
    }
}

/// The names of these products; unknown ones are absent.
pub(crate) async fn names(
    db: &impl sea_orm::ConnectionTrait,
    skus: &[Sku],
) -> Result<std::collections::BTreeMap<Sku, String>, DbError> {
    let found = query::some(db, skus).await?;
    Ok(found.into_iter().map(|product| (product.sku, product.name)).collect())
}

fn subject(sku: Sku) -> String {
    format!("product:{sku}")
}

fn check_delivery(lines: &[DeliveryLine]) -> Result<(), FieldErrors> {
    let mut input = Changeset::new(json!({}));
    for (n, line) in lines.iter().enumerate() {
        let name = line.name.trim();
        input.range(&format!("lines.{n}.pieces"), Some(line.pieces), 0..=MOST_PIECES);
        input.length(&format!("lines.{n}.name"), Some(name), 1..=200);
        input.check(
            &format!("lines.{n}.name"),
            !name.contains('\0'),
            "format",
            "must not hold a NUL character",
        );
        input.range(&format!("lines.{n}.price"), Some(line.price.pence), 0..=edit::DEAREST);
        let shelf = line.category.as_deref().map(str::trim);
        input.length(&format!("lines.{n}.category"), shelf, 0..=60);
        input.check(
            &format!("lines.{n}.category"),
            shelf.is_none_or(|shelf| !shelf.contains('\0')),
            "format",
            "must not hold a NUL character",
        );
    }
    input.finish(()).map(drop)
}

/// Lines and pieces of a delivery: what a repeat is compared by.
fn sum(lines: &[DeliveryLine]) -> (i64, i64) {
    let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    (count, lines.iter().fold(0, |sum: i64, line| sum.saturating_add(line.pieces)))
}

async fn booked_before(tx: &crate::Tx, key: &str, now: (i64, i64)) -> Result<Delivered, CatalogError> {
    let sql = "SELECT lines, pieces FROM deliveries WHERE delivery_key = $1";
    let row = tx.row(sql, vec![key.into()]).await?;
    let row = row.ok_or_else(|| DbError::Corrupt(format!("delivery {key:?} is gone")))?;
    let get = |index| row.try_get_by_index::<i64>(index).map_err(DbError::from);
    let before = (get(0)?, get(1)?);
    if before == now { Ok(Delivered::Before) } else { Err(CatalogError::KeyReused(key.to_owned())) }
}

impl Catalogue for Catalog {
    fn offer(&self, sku: Sku) -> PortFuture<'_, Result<Option<Arc<Offer>>, StoreError>> {
        Box::pin(async move {
            let product = edit::get(self.repo.reader(), sku).await?;
            Ok(product.filter(|product| product.active).map(|product| Arc::new(product.offer())))
        })
    }

    fn promotions(&self) -> PortFuture<'_, Result<Arc<[Promotion]>, StoreError>> {
        Box::pin(async move {
            let now = self.clock.now();
            Ok(promotions::applying(self.repo.reader(), now).await?.into())
        })
    }
}
