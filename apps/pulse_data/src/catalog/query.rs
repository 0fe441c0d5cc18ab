//! Looking through the catalogue a page at a time.
//!
//! **Invariant.** A page begins right after the row at which the last one ended (a *keyset* page: sort value, then
//! code), so whatever is inserted meanwhile, no row is shown twice and none that was there is skipped. Pages are
//! bounded.

use pulse_core::Sku;
use sea_orm::{ConnectionTrait, Value};
use serde::{Deserialize, Serialize};

use super::product::{self, COLUMNS, Product};
use super::sql::{Dialects, contains};
use crate::page::{self, Cursor, Direction, InvalidCursor, Page};
use crate::{DbError, Sql as _};

/// Which products, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductQuery {
    /// A part of the name or the code, in any case.
    pub search: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// Only what can be had now.
    pub in_stock: bool,
    /// At most so many pieces left: what should be ordered again.
    pub stock_at_most: Option<i64>,
    /// From this price on, in pence.
    pub min_pence: Option<i64>,
    /// Up to this price, in pence.
    pub max_pence: Option<i64>,
    /// Also what is no longer for sale; only for those who may edit the catalogue.
    pub inactive_too: bool,
    /// The order of the rows.
    pub sort: Sort,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// Rows a page; brought into what a [`Page`] may have.
    pub limit: u32,
}

impl Default for ProductQuery {
    /// The first twenty products by name.
    fn default() -> Self {
        Self {
            search: None,
            category: None,
            in_stock: false,
            stock_at_most: None,
            min_pence: None,
            max_pence: None,
            inactive_too: false,
            sort: Sort::Name,
            after: None,
            limit: 20,
        }
    }
}

/// Orders in which products can be seen. Ties are broken by code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// A to Z, whatever the case.
    #[default]
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

impl Sort {
    const fn column(self) -> &'static str {
        match self {
            Self::Name => "name_key",
            Self::Sku => "sku",
            Self::PriceAsc | Self::PriceDesc => "price_pence",
            Self::Newest => "created_at",
        }
    }

    const fn is_numeric(self) -> bool {
        matches!(self, Self::PriceAsc | Self::PriceDesc | Self::Newest)
    }

    const fn descends(self) -> bool {
        matches!(self, Self::PriceDesc | Self::Newest)
    }

    fn key(self, product: &Product) -> Key {
        match self {
            Self::Name => Key::Text(product.name.to_lowercase()),
            Self::Sku => Key::Text(product.sku.to_string()),
            Self::PriceAsc | Self::PriceDesc => Key::Number(product.price.pence),
            Self::Newest => Key::Number(product.created_at.0),
        }
    }
}

/// What a cursor holds: the sort, the last row's value and its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place(Sort, Key, Sku);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Number(i64),
    Text(String),
}

impl Place {
    fn read(cursor: &Cursor, sort: Sort) -> Result<Self, InvalidCursor> {
        let place: Self = cursor.key()?;
        let storable = !matches!(&place.1, Key::Text(text) if text.contains('\0'));
        let fits = storable && place.0 == sort && sort.is_numeric() == matches!(place.1, Key::Number(_));
        if fits { Ok(place) } else { Err(InvalidCursor) }
    }
}

/// One page. O(log n + page) by an index where there is neither search nor filter.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    query: &ProductQuery,
) -> Result<Result<Page<Product>, InvalidCursor>, DbError> {
    let after = match query.after.as_ref().map(|cursor| Place::read(cursor, query.sort)).transpose() {
        Ok(after) => after,
        Err(invalid) => return Ok(Err(invalid)),
    };
    // PostgreSQL takes no NUL in a text, and no product has one.
    if [&query.search, &query.category].into_iter().flatten().any(|text| text.contains('\0')) {
        return Ok(Ok(Page { items: Vec::new(), next: None }));
    }
    let (sql, values) = spell(query, after.as_ref());
    let rows = db.rows(&sql, values).await?;
    let products = rows.iter().map(product::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Ok(Page::of(products, query.limit, |last| Place(query.sort, query.sort.key(last), last.sku))))
}

const SOME: Dialects = Dialects {
    sqlite: "sku IN (SELECT value FROM json_each($1))",
    postgres: "sku = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb) COLLATE \"C\"))",
};

/// Those of these products that there are, by code.
pub(super) async fn some(db: &impl ConnectionTrait, skus: &[Sku]) -> Result<Vec<Product>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM products WHERE {} ORDER BY sku", SOME.of(db));
    let codes: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    let codes = serde_json::to_string(&codes).map_err(|error| DbError::Corrupt(error.to_string()))?;
    db.rows(&sql, vec![codes.into()]).await?.iter().map(product::read).collect()
}

/// How many shelves are told at most: they stand in a menu.
const SHELVES: i64 = 100;

/// Shelves and the products for sale on each.
pub(super) async fn categories(db: &impl ConnectionTrait) -> Result<Vec<(String, i64)>, DbError> {
    let sql = "SELECT category, COUNT(*) FROM products WHERE active AND category IS NOT NULL \
               GROUP BY category ORDER BY category LIMIT $1";
    let rows = db.rows(sql, vec![SHELVES.into()]).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// The statement of a query: only the conditions that are asked for, each with its own parameter.
fn spell(query: &ProductQuery, after: Option<&Place>) -> (String, Vec<Value>) {
    let mut wheres: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    if !query.inactive_too {
        wheres.push("active".to_owned());
    }
    if query.in_stock {
        wheres.push("stock > 0".to_owned());
    }
    if let Some(search) = query.search.as_deref().map(str::trim).filter(|search| !search.is_empty()) {
        values.push(contains(&search.to_lowercase()).into());
        values.push(contains(&search.to_ascii_uppercase()).into());
        let n = values.len();
        wheres.push(format!(r"(name_key LIKE ${} ESCAPE '\' OR sku LIKE ${n} ESCAPE '\')", n - 1));
    }
    let mut compare = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.push(value);
            wheres.push(format!("{condition} ${}", values.len()));
        }
    };
    compare("category =", query.category.clone().map(Value::from));
    compare("stock <=", query.stock_at_most.map(Value::from));
    compare("price_pence >=", query.min_pence.map(Value::from));
    compare("price_pence <=", query.max_pence.map(Value::from));

    let column = query.sort.column();
    let (direction, word) =
        if query.sort.descends() { (Direction::Descending, "DESC") } else { (Direction::Ascending, "ASC") };
    if let Some(Place(_, key, sku)) = after {
        wheres.push(page::after(&[column, "sku"], direction, values.len() + 1));
        values.push(match key {
            Key::Number(number) => (*number).into(),
            Key::Text(text) => text.as_str().into(),
        });
        values.push(sku.as_str().into());
    }
    let wheres = if wheres.is_empty() { "TRUE".to_owned() } else { wheres.join(" AND ") };
    values.push(Page::<Product>::fetch(query.limit).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM products WHERE {wheres} \
         ORDER BY {column} {word}, sku {word} LIMIT ${}",
        values.len()
    );
    (sql, values)
}
