//! The rules that make listed lines cheaper, as they are kept.
//!
//! **Invariant.** A stored rule can be read back: it is checked before it is stored, and stored as the domain's JSON. A new
//! promotion never overwrites another.

use futures::FutureExt as _;
use pulse_core::pricing::{Promotion, Rule};
use pulse_core::{Permission, Principal, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::json;

use super::stock::json as to_json;
use super::{Catalog, CatalogError};
use crate::{DbError, Sql as _, audit};

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

impl Catalog {
    /// Every promotion, by code. Needs [`Permission::EditCatalog`].
    pub async fn promotions(&self, who: &Principal) -> Result<Vec<StoredPromotion>, CatalogError> {
        who.require(Permission::EditCatalog)?;
        Ok(all(self.repo.reader()).await?)
    }

    /// The first instant after `after` at which a promotion that is switched on begins or ends. Needs
    /// [`Permission::EditCatalog`], as what is planned is told to nobody else.
    pub async fn next_turn(
        &self,
        who: &Principal,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, CatalogError> {
        who.require(Permission::EditCatalog)?;
        Ok(next_turn(self.repo.reader(), after).await?)
    }

    /// Stores a promotion whose code nobody has taken. Needs [`Permission::EditCatalog`].
    ///
    /// # Errors
    ///
    /// [`CatalogError::Invalid`] with the field `code` where the code is taken, also by somebody who takes it at the same
    /// time: one of the two has it, and nothing is overwritten.
    pub async fn create_promotion(&self, who: &Principal, new: StoredPromotion) -> Result<(), CatalogError> {
        self.write_promotion(who, new, IfTaken::Refuse).await
    }

    /// Stores a promotion over the one of its code. Needs [`Permission::EditCatalog`].
    pub async fn put_promotion(&self, who: &Principal, stored: StoredPromotion) -> Result<(), CatalogError> {
        self.write_promotion(who, stored, IfTaken::Replace).await
    }

    async fn write_promotion(
        &self,
        who: &Principal,
        stored: StoredPromotion,
        if_taken: IfTaken,
    ) -> Result<(), CatalogError> {
        who.require(Permission::EditCatalog)?;
        stored.check()?;
        let input = (who.clone(), stored, self.clock.now());
        self.repo
            .write_with(input, move |tx, (who, stored, now)| {
                async move {
                    if !put(tx, stored, *now, if_taken).await? {
                        return Err(refusal(tx, stored, if_taken).await?);
                    }
                    let details = json!({ "rule": stored.promotion.rule, "active": stored.active });
                    let subject = format!("promotion:{}", stored.promotion.code);
                    audit::record(tx, who, "promotion.put", &subject, details).await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    /// Drops a promotion. Needs [`Permission::EditCatalog`].
    pub async fn delete_promotion(&self, who: &Principal, code: &str) -> Result<(), CatalogError> {
        who.require(Permission::EditCatalog)?;
        if code.contains('\0') {
            return Err(CatalogError::NoPromotion(code.to_owned()));
        }
        let input = (who.clone(), code.to_owned());
        self.repo
            .write_with(input, |tx, (who, code)| {
                async move {
                    if !delete(tx, code).await? {
                        return Err(CatalogError::NoPromotion(code.clone()));
                    }
                    audit::record(tx, who, "promotion.delete", &format!("promotion:{code}"), json!({}))
                        .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
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
const MOST: i64 = 100;

/// All of them, by code.
async fn all(db: &impl ConnectionTrait) -> Result<Vec<StoredPromotion>, DbError> {
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

/// The first instant after `after` at which one begins or ends.
async fn next_turn(db: &impl ConnectionTrait, after: Timestamp) -> Result<Option<Timestamp>, DbError> {
    let sql = "SELECT MIN(turn) FROM (SELECT starts_at AS turn FROM promotions WHERE active AND starts_at > $1 \
         UNION ALL SELECT ends_at FROM promotions WHERE active AND ends_at > $1) AS turns";
    let row = db.row(sql, vec![after.0.into()]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.try_get_by_index::<Option<i64>>(0)?.map(Timestamp))
}

/// What becomes of a promotion whose code there is already.
#[derive(Debug, Clone, Copy)]
enum IfTaken {
    /// It takes the place of the other.
    Replace,
    /// It is not stored.
    Refuse,
}

/// Why one was not stored.
async fn refusal(
    tx: &impl ConnectionTrait,
    stored: &StoredPromotion,
    if_taken: IfTaken,
) -> Result<CatalogError, DbError> {
    let same = "SELECT 1 FROM promotions WHERE code = $1";
    if matches!(if_taken, IfTaken::Refuse)
        && tx.row(same, vec![stored.promotion.code.as_str().into()]).await?.is_some()
    {
        return Ok(CatalogError::invalid("code", "taken", "is taken already"));
    }
    let full = format!("is one too many: the shop keeps {MOST}");
    Ok(CatalogError::invalid("code", "full", &full))
}

/// Stores one. `false` where there are too many, or its code is taken and that matters.
async fn put(
    tx: &impl ConnectionTrait,
    stored: &StoredPromotion,
    now: Timestamp,
    if_taken: IfTaken,
) -> Result<bool, DbError> {
    let then = match if_taken {
        IfTaken::Refuse => "NOTHING",
        IfTaken::Replace => {
            "UPDATE SET rule = excluded.rule, active = excluded.active, starts_at = excluded.starts_at, \
             ends_at = excluded.ends_at, updated_at = excluded.updated_at"
        }
    };
    let sql = format!(
        "INSERT INTO promotions (code, rule, active, starts_at, ends_at, updated_at) \
         SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT COUNT(*) FROM promotions WHERE code <> $1) < {MOST} \
         ON CONFLICT (code) DO {then}"
    );
    let values = vec![
        stored.promotion.code.as_str().into(),
        to_json(&stored.promotion.rule)?.into(),
        stored.active.into(),
        stored.starts_at.map(|at| at.0).into(),
        stored.ends_at.map(|at| at.0).into(),
        now.0.into(),
    ];
    Ok(tx.exec(&sql, values).await? == 1)
}

/// Drops one; `false` where there was none.
async fn delete(tx: &impl ConnectionTrait, code: &str) -> Result<bool, DbError> {
    Ok(tx.exec("DELETE FROM promotions WHERE code = $1", vec![code.into()]).await? == 1)
}
