//! Accounts for the customers of a file.
//!
//! **Invariant.** A customer has one account, whichever files it stands in; nobody can sign in to it.

use std::collections::{BTreeMap, HashMap};

use pulse_core::UserId;
use pulse_data::accounts::BuyerRef;

use super::error::{ReplayError, patiently};
use super::{Shop, WHO};

/// Accounts that are made in one statement.
const AT_ONCE: usize = 1000;

/// The account of each customer; beside each stands the country of its first sale.
pub(super) async fn ensure(
    shop: &Shop,
    customers: &BTreeMap<i64, String>,
) -> Result<HashMap<i64, UserId>, ReplayError> {
    let mut accounts = HashMap::with_capacity(customers.len());
    let all: Vec<(&i64, &String)> = customers.iter().collect();
    for some in all.chunks(AT_ONCE) {
        let wanted: Vec<BuyerRef> = some
            .iter()
            .map(|(customer, country)| BuyerRef {
                reference: reference(**customer),
                country: (*country).clone(),
            })
            .collect();
        let known = patiently(|| shop.accounts.ensure_buyers(&WHO, &wanted)).await?;
        let pair = |(customer, _): &(&i64, &String)| Some((**customer, *known.get(&reference(**customer))?));
        accounts.extend(some.iter().filter_map(pair));
    }
    Ok(accounts)
}

fn reference(customer: i64) -> String {
    format!("retail:{customer}")
}
