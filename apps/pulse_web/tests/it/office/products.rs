//! Products: found, made, changed by two at once, counted, taken off sale; by those who may.

use pulse_core::{Principal, Role, Sku};
use pulse_data::catalog::ProductEdit;
use pulse_data::db_test;
use pulse_web::{News, Topic};

use crate::stage::{SYSTEM, Shop};

fn a1() -> Sku {
    Sku::new("A1").unwrap()
}

db_test!(a_product_is_made_with_its_faults_told_as_one_types, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut page = shop.browser_of(Role::Manager).await.open("/office/new-product").await;
    page.change("#new-product", &[("product[price]", "1,5")]).await;
    assert!(page.text("#product_price_error").contains("12.50"), "{}", page.html());
    assert!(!page.has("#product_sku_error"), "nobody has been in the code's field yet");
    page.submit("#new-product", &[("product[sku]", "MUG1"), ("product[name]", "Mug")]).await;
    assert_eq!(page.attr("#product_price", "value").as_deref(), Some("1,5"), "what was typed is kept");
    page.submit("#new-product", &[("product[price]", "1.50"), ("product[category]", "Kitchen")]).await;
    let page = page.follow().await;
    assert_eq!((page.path(), page.text("h1")), ("/office/products/MUG1", "Mug".to_owned()));
    let stored = shop.rooms.catalog.get(&Principal::Guest, Sku::new("MUG1").unwrap()).await.unwrap();
    assert_eq!((stored.price.pence, stored.category.as_deref(), stored.stock), (150, Some("Kitchen"), 0));

    let mut again = shop.browser_of(Role::Manager).await.open("/office/new-product").await;
    let same = [("product[sku]", "MUG1"), ("product[name]", "Mug"), ("product[price]", "2")];
    again.submit("#new-product", &same).await;
    assert!(again.text("#product_sku_error").contains("taken"), "{}", again.html());
});

db_test!(changes_of_two_meet_in_the_form_and_its_author_decides, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let browser = shop.browser_of(Role::Manager).await;
    let mut page = browser.open("/office/products/A1").await;
    page.change("#product", &[("product[name]", "Mine")]).await;
    let edit = ProductEdit {
        name: Some("Theirs".to_owned()),
        description: Some("Words".to_owned()),
        ..ProductEdit::default()
    };
    shop.rooms.catalog.update(&SYSTEM, a1(), 1, edit).await.unwrap();
    page.submit("#product", &[]).await;
    while !page.has(".clash") {
        page.next_message().await;
    }
    let stored = || async { shop.rooms.catalog.get(&SYSTEM, a1()).await.unwrap() };
    assert_eq!(stored().await.name, "Theirs", "nothing was overwritten");
    assert_eq!(page.attr("#product_name", "value").as_deref(), Some("Mine"), "nothing typed is lost");
    assert_eq!(page.text("#product_description"), "Words", "what only the other has changed is taken");
    page.submit("#product", &[]).await;
    assert_eq!(stored().await.name, "Theirs", "it is not decided yet");
    page.click("[phx-click=mine]").await;
    page.submit("#product", &[]).await;
    let now = stored().await;
    assert_eq!((now.name.as_str(), now.description.as_str(), now.version), ("Mine", "Words", 3));
});

db_test!(stock_and_sale_are_changed_and_every_page_hears_it, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(2, 5).await;
    let mut list = shop.browser_of(Role::Manager).await.open("/office/products").await;
    assert_eq!(list.count("#rows tr"), 2);
    let mut page = shop.browser_of(Role::Manager).await.open("/office/products/A1").await;
    page.change("#count", &[("count[pieces]", "-1")]).await;
    assert!(page.has("#count_pieces_error"));
    page.submit("#count", &[("count[pieces]", "1234")]).await;
    assert_eq!(page.text("#stock"), "1,234");
    page.click("[phx-click=sale]").await;
    assert_eq!(page.text("#sale"), "Off sale");
    let stored = shop.rooms.catalog.get(&SYSTEM, a1()).await.unwrap();
    assert_eq!((stored.stock, stored.active), (1_234, false));
    shop.rooms.catalog.set_stock(&SYSTEM, a1(), 3).await.unwrap();

    let row = "#rows tr:first-child td:nth-child";
    while list.texts(&format!("{row}(4)")) != ["Off sale"] || list.texts(&format!("{row}(6)")) != ["3"] {
        list.next_message().await;
    }
    list.patch("/office/products?q=number+1").await;
    assert_eq!(list.texts("#rows td:nth-child(4)"), ["Off sale"], "the office sees what is off sale");
});

db_test!(news_that_was_read_before_a_count_does_not_take_the_count_back, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let before = shop.rooms.catalog.get(&SYSTEM, a1()).await.unwrap();
    let mut page = shop.browser_of(Role::Manager).await.open("/office/products/A1").await;
    page.submit("#count", &[("count[pieces]", "1234")]).await;
    shop.rooms.bus.topics().publish(&Topic::Products, News::Products([before].into()));
    // The answer to the click comes after all that was told before it.
    page.change("#count", &[("count[pieces]", "7")]).await;
    assert_eq!(page.text("#stock"), "1,234");
});

db_test!(who_may_not_edit_only_reads, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    for role in [Role::Support, Role::Manager, Role::Admin] {
        let edits = role != Role::Support;
        let mut browser = shop.browser_of(role).await;
        let list = browser.clone().open("/office/products").await;
        assert_eq!(list.has("a[href='/office/new-product']"), edits, "{role}");
        let page = browser.clone().open("/office/products/A1").await;
        assert_eq!((page.has("#product"), page.has("#count"), page.has("#facts")), (edits, edits, !edits));
        assert_eq!(browser.get("/office/new-product").await.status == 403, !edits, "{role}");
    }
    let mut page = shop.browser_of(Role::Support).await.open("/office/products/A1").await;
    page.forge("sale", serde_json::json!({ "on": "false" })).await;
    page.forge("stock", serde_json::json!({ "count": { "pieces": "9" } })).await;
    let stored = shop.rooms.catalog.get(&SYSTEM, a1()).await.unwrap();
    assert_eq!((stored.active, stored.stock), (true, 5), "a forged click is refused by the catalogue");
});
