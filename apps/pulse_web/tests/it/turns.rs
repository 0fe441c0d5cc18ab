//! Promotions that begin and end by their own time, while shoppers have pages open.

use pulse_core::ports::{Bus as _, Clock as _, Notice};
use pulse_core::pricing::{Promotion, Rule};
use pulse_core::{Role, Timestamp};
use pulse_data::catalog::StoredPromotion;
use pulse_data::db_test;

use crate::stage::{Hands, SYSTEM, Shop};

const TWO_FOR_ONE: &str = "Buy 1, get 1 free";

fn two_for_one(starts_at: Timestamp, ends_at: Timestamp) -> StoredPromotion {
    let rule = Rule::BuyNGetM { sku: pulse_core::Sku::new("A1").unwrap(), buy: 1, free: 1 };
    let promotion = Promotion { code: "TWO".to_owned(), rule };
    StoredPromotion { promotion, active: true, starts_at: Some(starts_at), ends_at: Some(ends_at) }
}

db_test!(what_begins_and_ends_by_itself_is_on_every_open_page_at_once, |repo| async move {
    let hands = Hands::now();
    let shop = Shop::open_at(repo, hands.clone()).await;
    shop.stock(1, 50).await;
    let guest = shop.browser().cookie("pulse-cart", &"c".repeat(43));
    let mut product = guest.clone().open("/products/A1").await;
    product.submit("#buy", &[("line[quantity]", "4")]).await;
    let mut catalogue = guest.clone().open("/").await;
    let mut cart = guest.clone().open("/cart").await;
    let mut checkout = guest.open("/checkout").await;
    let mut office = shop.browser_of(Role::Manager).await.open("/office/promotions").await;

    // So soon that the clock is looked at often: it stands still until it is moved.
    let now = hands.now();
    let (starts, ends) = (Timestamp(now.0 + 20), Timestamp(now.0 + 40));
    shop.rooms.catalog.create_promotion(&SYSTEM, two_for_one(starts, ends)).await.unwrap();
    shop.rooms.bus.tell(Notice::Promotions);
    while office.count("#promotions tr") == 0 {
        office.next_message().await;
    }
    assert_eq!(office.texts("#promotions td")[2], "Planned");
    assert_eq!(cart.text(".sums .total dd"), "£4.00");

    for (at, total, tags, state) in [(starts, "£2.00", 1, "Running"), (ends, "£4.00", 0, "Ended")] {
        hands.set(at);
        for page in [&mut cart, &mut checkout] {
            while page.text(".sums .total dd") != total {
                page.next_message().await;
            }
        }
        for (page, place) in [(&mut catalogue, ".product .tags .tag"), (&mut product, ".tags .tag")] {
            while page.texts(place) != vec![TWO_FOR_ONE; tags] {
                page.next_message().await;
            }
        }
        while office.texts("#promotions td")[2] != state {
            office.next_message().await;
        }
    }
});
