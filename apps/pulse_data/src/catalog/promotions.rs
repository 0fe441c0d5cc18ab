//! The rules that make listed lines cheaper, as they are kept.
//!
//! **Invariant.** A stored rule can be read back: it is checked before it is stored, and stored as the domain's JSON.

use pulse_core::Timestamp;
use pulse_core::pricing::{Promotion, Rule};
use sea_orm::{ConnectionTrait, QueryResult};

use super::CatalogError;
use super::stock::json;
use crate::{DbError, Sql as _};

/// A promotion, and when it applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPromotion {
    /// Its code and its rule.
    pub promotion: Promotion,
    /// Whether it applies at all.
    pub active: bool,
    /// From this instant on; always where absent.
    pub starts_at: Option<Timestamp>,
    /// Until just before this instant; for ever where absent.
    pub ends_at: Option<Timestamp>,
}

impl StoredPromotion {
    /// What is wrong with it, by field.
    pub(super) fn check(&self) -> Result<(), CatalogError> {
        let code = &self.promotion.code;
        if !(1..=40).contains(&code.chars().count()) || code.chars().any(char::is_control) {
            return Err(CatalogError::invalid("code", "length", "must have 1 to 40 characters"));
        }
        if matches!((self.starts_at, self.ends_at), (Some(start), Some(end)) if end <= start) {
            return Err(CatalogError::invalid("ends_at", "order", "must be after starts_at"));
        }
        match &self.promotion.rule {
            Rule::BuyNGetM { buy, free, .. } if *buy == 0 || *free == 0 => {
                Err(CatalogError::invalid("rule", "range", "buy and free must be at least 1"))
            }
            Rule::Percentage { percent, .. } if !(1..=100).contains(percent) => {
                Err(CatalogError::invalid("rule", "range", "percent must be 1 to 100"))
            }
            Rule::BasketThreshold { at_least_pence, off_pence } if *at_least_pence < 0 || *off_pence < 1 => {
                Err(CatalogError::invalid(
                    "rule",
                    "range",
                    "off_pence must be at least 1, at_least_pence not below 0",
                ))
            }
            Rule::BuyNGetM { .. } | Rule::Percentage { .. } | Rule::BasketThreshold { .. } => Ok(()),
        }
    }
}

const COLUMNS: &str = "code, rule, active, starts_at, ends_at";

fn read(row: &QueryResult) -> Result<StoredPromotion, DbError> {
    let code: String = row.try_get_by_index(0)?;
    let rule: Rule = serde_json::from_str(&row.try_get_by_index::<String>(1)?)
        .map_err(|error| DbError::Corrupt(format!("the rule of promotion {code:?}: {error}")))?;
    Ok(StoredPromotion {
        promotion: Promotion { code, rule },
        active: row.try_get_by_index(2)?,
        starts_at: row.try_get_by_index::<Option<i64>>(3)?.map(Timestamp),
        ends_at: row.try_get_by_index::<Option<i64>>(4)?.map(Timestamp),
    })
}

/// Promotions at most: each is looked at for each priced cart.
pub(super) const MOST: i64 = 100;

/// All of them, by code.
pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<StoredPromotion>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM promotions ORDER BY code LIMIT {MOST}");
    db.rows(&sql, vec![]).await?.iter().map(read).collect()
}

/// Those that apply at an instant, by code.
pub(super) async fn applying(db: &impl ConnectionTrait, at: Timestamp) -> Result<Vec<Promotion>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM promotions WHERE active AND COALESCE(starts_at, $1) <= $1 \
         AND COALESCE(ends_at, $1 + 1) > $1 ORDER BY code LIMIT {MOST}"
    );
    let rows = db.rows(&sql, vec![at.0.into()]).await?;
    rows.iter().map(|row| Ok(read(row)?.promotion)).collect()
}

/// Stores one over the one of its code. `false` where there are too many.
pub(super) async fn put(
    tx: &impl ConnectionTrait,
    stored: &StoredPromotion,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = format!(
        "INSERT INTO promotions (code, rule, active, starts_at, ends_at, updated_at) \
         SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT COUNT(*) FROM promotions WHERE code <> $1) < {MOST} \
         ON CONFLICT (code) DO UPDATE SET rule = excluded.rule, active = excluded.active, \
         starts_at = excluded.starts_at, ends_at = excluded.ends_at, updated_at = excluded.updated_at"
    );
    let values = vec![
        stored.promotion.code.as_str().into(),
        json(&stored.promotion.rule)?.into(),
        stored.active.into(),
        stored.starts_at.map(|at| at.0).into(),
        stored.ends_at.map(|at| at.0).into(),
        now.0.into(),
    ];
    Ok(tx.exec(&sql, values).await? == 1)
}

/// Drops one; `false` where there was none.
pub(super) async fn delete(tx: &impl ConnectionTrait, code: &str) -> Result<bool, DbError> {
    Ok(tx.exec("DELETE FROM promotions WHERE code = $1", vec![code.into()]).await? == 1)
}
