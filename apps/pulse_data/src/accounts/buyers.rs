//! Buyers that come with another shop's books.
//!
//! **Invariant.** One account a number in the books, however often and by how many instances it is asked for. Nobody can
//! sign in as one: there is no address and no password.

use std::collections::{BTreeMap, HashMap};

use futures::FutureExt as _;
use pulse_core::{Permission, Principal, UserId};
use serde_json::json;

use super::{AccountError, Accounts};
use crate::{Backend, DbError, Repo, Sql as _, audit};

/// A buyer in another shop's books.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuyerRef {
    /// Its number there.
    pub reference: String,
    /// Where it buys from.
    pub country: String,
}

impl Accounts {
    /// The account of one buyer, made where there is none. Needs [`Permission::RunFeeds`].
    pub async fn ensure_buyer(&self, who: &Principal, buyer: BuyerRef) -> Result<UserId, AccountError> {
        let reference = buyer.reference.clone();
        let known = self.ensure_buyers(who, &[buyer]).await?;
        let id = known.get(&reference).copied();
        id.ok_or_else(|| DbError::Conflict(format!("the buyer {reference} is not there")).into())
    }

    /// The accounts of many buyers by their references, made where there are none: at most two statements for any
    /// number of them. Needs [`Permission::RunFeeds`].
    pub async fn ensure_buyers(
        &self,
        who: &Principal,
        buyers: &[BuyerRef],
    ) -> Result<HashMap<String, UserId>, AccountError> {
        who.require(Permission::RunFeeds)?;
        // Sorted, so that two instances insert in the same order and never wait in a circle.
        let wanted: BTreeMap<&str, &str> =
            buyers.iter().map(|buyer| (buyer.reference.as_str(), buyer.country.as_str())).collect();
        let references: Vec<&str> = wanted.keys().copied().collect();
        let mut known = find(&self.repo, &references).await?;
        let missing: Vec<_> = wanted
            .iter()
            .filter(|(reference, _)| !known.contains_key(**reference))
            .map(|(reference, country)| json!({ "ref": reference, "country": country }))
            .collect();
        if missing.is_empty() {
            return Ok(known);
        }
        let missing = serde_json::Value::Array(missing).to_string();
        self.repo
            .write_with((who.clone(), missing, self.clock.now()), |tx, (who, missing, now)| {
                async move {
                    let source = match tx.backend() {
                        Backend::Sqlite => {
                            "SELECT value->>'ref', value->>'country', 'buyer', 'active', $2 \
                             FROM json_each($1) WHERE true"
                        }
                        Backend::Postgres => {
                            "SELECT j.ref, j.country, 'buyer', 'active', $2 \
                             FROM json_to_recordset($1::json) AS j(ref text, country text)"
                        }
                    };
                    let sql = format!(
                        "INSERT INTO users (external_ref, country, role, status, created_at) {source} \
                         ON CONFLICT (external_ref) DO NOTHING"
                    );
                    let made = tx.exec(&sql, vec![missing.as_str().into(), now.0.into()]).await?;
                    if made > 0 {
                        audit::record(tx, who, "account.import", "users", json!({ "buyers": made })).await?;
                    }
                    Ok::<_, DbError>(())
                }
                .boxed()
            })
            .await?;
        known.extend(find(&self.repo, &references).await?);
        Ok(known)
    }
}

async fn find(repo: &Repo, references: &[&str]) -> Result<HashMap<String, UserId>, DbError> {
    let source = match repo.backend() {
        Backend::Sqlite => "SELECT value FROM json_each($1)",
        Backend::Postgres => "SELECT json_array_elements_text($1::json)",
    };
    let sql = format!("SELECT id, external_ref FROM users WHERE external_ref IN ({source})");
    let rows = repo.reader().rows(&sql, vec![json!(references).to_string().into()]).await?;
    let pair = |row: &sea_orm::QueryResult| -> Result<(String, UserId), sea_orm::DbErr> {
        Ok((row.try_get("", "external_ref")?, UserId(row.try_get("", "id")?)))
    };
    Ok(rows.iter().map(pair).collect::<Result<_, _>>()?)
}
