//! The made-up shop: stocked once, and visited.
//!
//! **Invariant.** No visit ends in an error that the shop should not give, and no piece is lost.

use std::sync::Arc;
use std::time::Duration;

use pulse_core::Timestamp;
use pulse_data::catalog::ProductQuery;
use pulse_data::db_test;
use pulse_ingest::demo::{Shoppers, Visits, stock_up, visit};
use tokio_util::sync::CancellationToken;

use crate::shop::{WHO, close, open, shelves};

fn shoppers(goods: &[pulse_core::Sku]) -> Shoppers {
    Shoppers {
        seed: 3,
        run: 1,
        a_second: 1000,
        at_once: 100,
        pause: Duration::from_millis(1),
        count: Some(150),
        goods: goods.into(),
        buyers: [].into(),
    }
}

db_test!(shoppers_find_a_stocked_shop, |repo| async move {
    let shop = open(&repo).await;
    let goods = stock_up(&shop.catalog, 1, 300, Timestamp(0)).await.unwrap();
    assert_eq!(stock_up(&shop.catalog, 1, 300, Timestamp(0)).await.unwrap(), goods, "again changes nothing");
    assert_eq!(goods.len(), 300);
    assert!(!shop.catalog.list(&WHO, &ProductQuery::default()).await.unwrap().items.is_empty());
    let (visits, stop) = (Arc::new(Visits::default()), CancellationToken::new());
    visit(&shop.door, &shoppers(&goods), &visits, &stop).await;
    let counts = visits.look();
    assert_eq!((counts.came, counts.failed), (150, 0), "{counts:?}");
    assert!(counts.bought > 50 && counts.left > 0, "{counts:?}");
    assert_eq!(counts.bought + counts.left, 150);
    shelves(&shop).await;
    close(&shop).await;
});

db_test!(shoppers_leave_when_the_shop_closes, |repo| async move {
    let shop = open(&repo).await;
    let goods = stock_up(&shop.catalog, 1, 10, Timestamp(0)).await.unwrap();
    let (visits, stop) = (Arc::new(Visits::default()), CancellationToken::new());
    let for_ever = Shoppers { count: None, pause: Duration::from_hours(1), ..shoppers(&goods) };
    let (watched, closing) = (Arc::clone(&visits), stop.clone());
    tokio::spawn(async move {
        while watched.look().came < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        closing.cancel();
    });
    visit(&shop.door, &for_ever, &visits, &stop).await;
    let counts = visits.look();
    assert_eq!(counts.left, counts.came, "{counts:?}");
    close(&shop).await;
});
