//! Promotions: made, changed by two at once, ended, and told to the open pages.

use pulse_core::pricing::{Promotion, Rule};
use pulse_core::{Role, Timestamp};
use pulse_data::audit::{AuditQuery, list};
use pulse_data::catalog::StoredPromotion;
use pulse_data::db_test;
use serde_json::json;

use crate::stage::{SYSTEM, Shop};

fn percent_off(code: &str, percent: u8) -> StoredPromotion {
    let rule = Rule::Percentage { sku: None, percent };
    let promotion = Promotion { code: code.to_owned(), rule };
    StoredPromotion { promotion, active: true, starts_at: None, ends_at: None }
}

async fn stored(shop: &Shop) -> Vec<StoredPromotion> {
    shop.rooms.catalog.promotions(&SYSTEM).await.unwrap()
}

db_test!(a_promotion_is_made_and_open_carts_cost_less_at_once, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let guest = shop.browser().cookie("pulse-cart", &"c".repeat(43));
    guest.clone().open("/products/A1").await.submit("#buy", &[("line[quantity]", "4")]).await;
    let mut cart = guest.clone().open("/cart").await;
    let mut catalogue = guest.clone().open("/").await;
    let mut checkout = guest.open("/checkout").await;
    assert_eq!(cart.text(".sums .total dd"), "£4.00");

    let manager = shop.browser_of(Role::Manager).await;
    let mut table = manager.clone().open("/office/promotions").await;
    let mut form = manager.open("/office/new-promotion").await;
    form.change("#promotion", &[("promotion[percent]", "101")]).await;
    assert!(form.text("#promotion_percent_error").contains("1 to 100"), "{}", form.html());
    assert!(!form.has("#promotion_code_error"), "nobody has been in the code's field yet");
    form.change("#promotion", &[("promotion[kind]", "buy_n_get_m")]).await;
    form.change("#promotion", &[("promotion[sku]", "NOSUCH")]).await;
    assert_eq!(form.text("#promotion_sku_error"), "is no product of the shop");
    let three_for_four = [
        ("promotion[code]", "FOUR"),
        ("promotion[sku]", "A1"),
        ("promotion[buy]", "3"),
        ("promotion[free]", "1"),
    ];
    form.submit("#promotion", &three_for_four).await;
    assert_eq!(form.follow().await.path(), "/office/promotions");
    while table.count("#promotions tr") == 0 {
        table.next_message().await;
    }
    let row = table.texts("#promotions td");
    assert_eq!((row[1].as_str(), row[2].as_str()), ("Buy 3, get 1 free: A1", "Running"));
    for page in [&mut cart, &mut checkout] {
        while page.text(".sums .total dd") != "£3.00" {
            page.next_message().await;
        }
    }
    while catalogue.texts(".product .tags .tag") != ["Buy 3, get 1 free"] {
        catalogue.next_message().await;
    }

    table.click("[phx-click=end]").await;
    assert_eq!(table.texts("#promotions td")[2], "Ended");
    while cart.text(".sums .total dd") != "£4.00" {
        cart.next_message().await;
    }
    assert!(stored(&shop).await[0].ends_at.is_some());
    let all = AuditQuery { limit: 100, ..AuditQuery::default() };
    let trail = list(&shop.rooms.repo, &SYSTEM, &all).await.unwrap();
    assert_eq!(trail.iter().filter(|entry| entry.action == "promotion.put").count(), 2);
});

db_test!(a_promotion_that_two_change_is_stored_as_its_author_decides, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.rooms.catalog.put_promotion(&SYSTEM, percent_off("TEN", 10)).await.unwrap();
    let manager = shop.browser_of(Role::Manager).await;
    let mut idle = manager.clone().open("/office/promotions/TEN").await;
    let mut busy = manager.clone().open("/office/promotions/TEN").await;
    busy.change("#promotion", &[("promotion[percent]", "30")]).await;
    let mut program = shop.program(Role::Manager).await;
    let rule = json!({ "kind": "percentage", "percent": 20 });
    let put = program
        .send(hyper::Method::PUT, "/api/v1/admin/promotions/TEN", &[], Some(&json!({ "rule": rule })))
        .await;
    assert_eq!(put.status, 200, "{put:?}");
    while idle.attr("#promotion_percent", "value").as_deref() != Some("20") {
        idle.next_message().await;
    }
    while !busy.has(".clash") {
        busy.next_message().await;
    }
    assert!(!idle.has(".clash"));
    assert_eq!(busy.attr("#promotion_percent", "value").as_deref(), Some("30"), "nothing typed is lost");
    busy.submit("#promotion", &[]).await;
    assert_eq!(stored(&shop).await, [percent_off("TEN", 20)], "it is not decided yet");
    busy.click("[phx-click=mine]").await;
    busy.submit("#promotion", &[]).await;
    assert_eq!(stored(&shop).await, [percent_off("TEN", 30)]);

    let mut again = manager.open("/office/new-promotion").await;
    again.submit("#promotion", &[("promotion[code]", "TEN"), ("promotion[percent]", "5")]).await;
    assert_eq!(again.text("#promotion_code_error"), "is taken already");
    assert_eq!(stored(&shop).await, [percent_off("TEN", 30)]);
});

db_test!(of_two_who_make_a_promotion_at_once_one_is_told_at_the_field, |repo| async move {
    let shop = Shop::open(repo).await;
    let manager = shop.browser_of(Role::Manager).await;
    let mut one = manager.clone().open("/office/new-promotion").await;
    let mut two = manager.open("/office/new-promotion").await;
    let typed = |percent| [("promotion[code]", "SPRING"), ("promotion[percent]", percent)];
    let (ten, twenty) = (typed("10"), typed("20"));
    tokio::join!(one.submit("#promotion", &ten), two.submit("#promotion", &twenty));
    let told = [one.has("#promotion_code_error"), two.has("#promotion_code_error")];
    assert_eq!(told.iter().filter(|told| **told).count(), 1, "{told:?}");
    let (winner, mut loser, percent, kept) =
        if told[1] { (one, two, 10, "20") } else { (two, one, 20, "10") };
    assert_eq!(winner.follow().await.path(), "/office/promotions");
    assert_eq!(loser.text("#promotion_code_error"), "is taken already");
    assert_eq!(loser.attr("#promotion_percent", "value").as_deref(), Some(kept), "nothing typed is lost");
    assert_eq!(loser.events().last().map(|(name, _)| name.as_str()), Some("first-error"));
    assert_eq!(stored(&shop).await, [percent_off("SPRING", percent)]);
});

db_test!(programs_that_put_a_promotion_at_once_are_all_answered_and_one_is_stored, |repo| async move {
    let shop = Shop::open(repo).await;
    let program = shop.program(Role::Manager).await;
    let put = |percent| {
        let mut program = program.clone();
        let body = json!({ "rule": { "kind": "percentage", "percent": percent } });
        async move {
            program.send(hyper::Method::PUT, "/api/v1/admin/promotions/SPRING", &[], Some(&body)).await.status
        }
    };
    let answers = futures::future::join_all((1..=6).map(put)).await;
    assert_eq!(answers, [200; 6]);
    let [kept] = &stored(&shop).await[..] else { panic!("one code, one promotion") };
    assert!((1..=6).any(|percent| *kept == percent_off("SPRING", percent)), "{kept:?}");
});

db_test!(times_of_a_promotion_are_kept_and_checked, |repo| async move {
    let shop = Shop::open(repo).await;
    let manager = shop.browser_of(Role::Manager).await;
    let mut form = manager.clone().open("/office/new-promotion").await;
    let fields = [
        ("promotion[code]", "LATER"),
        ("promotion[percent]", "5"),
        ("promotion[starts_at]", "2099-01-01T08:00"),
        ("promotion[ends_at]", "2099-01-01T07:59"),
    ];
    form.submit("#promotion", &fields).await;
    assert_eq!(form.text("#promotion_ends_at_error"), "must be after its beginning");
    form.submit("#promotion", &[("promotion[ends_at]", "")]).await;
    let starts_at: Timestamp = "2099-01-01T08:00:00Z".parse().unwrap();
    assert_eq!(
        stored(&shop).await,
        [StoredPromotion { starts_at: Some(starts_at), ..percent_off("LATER", 5) }]
    );
    let mut edit = manager.clone().open("/office/promotions/LATER").await;
    assert_eq!(edit.attr("#promotion_starts_at", "value").as_deref(), Some("2099-01-01T08:00"));
    edit.click("[phx-click=end]").await;
    assert!(!stored(&shop).await[0].active, "what has not begun is switched off");
    assert_eq!(manager.clone().get("/office/promotions/NONE").await.status, 404);
    for path in ["/office/promotions", "/office/new-promotion", "/office/promotions/LATER"] {
        assert_eq!(shop.browser_of(Role::Support).await.get(path).await.status, 403, "{path}");
    }
});
