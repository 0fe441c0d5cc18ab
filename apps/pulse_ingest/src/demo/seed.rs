//! The made-up shop, put into the database: goods with prices and stock, and promotions.
//!
//! **Invariant.** Seeding again with the same seed changes nothing, so it can run at every start.

use pulse_core::pricing::{Promotion, Rule};
use pulse_core::{Principal, Sku, Timestamp};
use pulse_data::catalog::{Catalog, CatalogError, DeliveryLine, StoredPromotion};

use super::goods::{Goods, goods};

const WHO: Principal = Principal::System("demo");

/// Puts `count` products on the shelves (once), and promotions beside them; answers the codes.
pub async fn stock_up(
    catalog: &Catalog,
    seed: u64,
    count: usize,
    now: Timestamp,
) -> Result<Vec<Sku>, CatalogError> {
    let all = goods(seed, count);
    let lines = all.iter().map(|goods| line(goods, now)).collect();
    catalog.deliver(&WHO, &format!("demo:{seed}:{count}"), lines).await?;
    for promotion in promotions(&all) {
        let stored = StoredPromotion { promotion, active: true, starts_at: None, ends_at: None };
        catalog.put_promotion(&WHO, stored).await?;
    }
    Ok(all.into_iter().map(|goods| goods.sku).collect())
}

fn line(goods: &Goods, now: Timestamp) -> DeliveryLine {
    DeliveryLine {
        sku: goods.sku,
        name: goods.name.clone(),
        category: Some(goods.category.to_owned()),
        pieces: goods.stock,
        price: goods.price,
        vat: goods.vat,
        priced_at: now,
    }
}

fn promotions(goods: &[Goods]) -> Vec<Promotion> {
    let basket = Rule::BasketThreshold { at_least_pence: 5000, off_pence: 500 };
    let mut all = vec![Promotion { code: "DEMO-FIVER".to_owned(), rule: basket }];
    if let [first, second, ..] = goods {
        let three_for_two = Rule::BuyNGetM { sku: first.sku, buy: 2, free: 1 };
        all.push(Promotion { code: "DEMO-3-FOR-2".to_owned(), rule: three_for_two });
        let off = Rule::Percentage { sku: Some(second.sku), percent: 20 };
        all.push(Promotion { code: "DEMO-20-OFF".to_owned(), rule: off });
    }
    all
}
