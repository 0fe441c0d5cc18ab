//! The pages of the shop, opened in process as a browser does.

use live::testing::{Browser, Departure, Tab};
use pulse_core::order::Step;
use pulse_core::pricing::{Promotion, Rule};
use pulse_core::{Money, Role, Sku};
use pulse_data::catalog::{ProductEdit, StoredPromotion};
use pulse_data::db_test;
use pulse_data::orders::{Order, OrderQuery};

use crate::stage::{SYSTEM, Shop};

/// A guest with a cart.
fn guest(shop: &Shop) -> Browser {
    shop.browser().cookie("pulse-cart", &"c".repeat(43))
}

fn a1() -> Sku {
    Sku::new("A1").unwrap()
}

/// Opens the checkout of a guest with so many pieces of `A1`, at 1.00 each.
async fn at_the_checkout(shop: &Shop, pieces: &str) -> Tab {
    let mut product = guest(shop).open("/products/A1").await;
    product.submit("#buy", &[("line[quantity]", pieces)]).await;
    product.close().open("/checkout").await
}

const ADDRESS: [(&str, &str); 2] = [("order[email]", "ann@shop.example"), ("order[country]", "France")];

async fn orders(shop: &Shop) -> Vec<Order> {
    let query = OrderQuery { everybody: true, limit: 50, ..OrderQuery::default() };
    shop.rooms.orders.list(&SYSTEM, &query).await.unwrap().items
}

/// Waits until what the page is told has changed it; a page that stays as it is fails the test.
async fn until(tab: &mut Tab, what: &str, holds: impl Fn(&Tab) -> bool) {
    for _ in 0..20 {
        if holds(tab) {
            return;
        }
        tab.next_message().await;
    }
    panic!("{what} did not come about:\n{}", tab.html());
}

db_test!(a_product_follows_its_price_and_stock, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut page = guest(&shop).open("/products/A1").await;
    assert_eq!((page.text("h1"), page.text(".price.big")), ("Cup number 1".into(), "£1.00".into()));
    shop.rooms.catalog.set_stock(&SYSTEM, a1(), 0).await.unwrap();
    until(&mut page, "the empty shelf", |page| page.has("#buy button[disabled]")).await;
    let edit = ProductEdit { price: Some(Money::gbp(250)), ..ProductEdit::default() };
    let version = shop.rooms.catalog.get(&SYSTEM, a1()).await.unwrap().version;
    shop.rooms.catalog.update(&SYSTEM, a1(), version, edit).await.unwrap();
    until(&mut page, "the new price", |page| page.text(".price.big") == "£2.50").await;
});

db_test!(an_unknown_product_has_no_page, |repo| async move {
    let shop = Shop::open(repo).await;
    assert_eq!(guest(&shop).get("/products/NONE").await.status, 404);
});

db_test!(a_quantity_is_refused_as_one_types, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut page = guest(&shop).open("/products/A1").await;
    page.change("#buy", &[("line[quantity]", "0")]).await;
    assert_eq!(page.text("#line_quantity_error"), "must be at least 1");
    page.submit("#buy", &[("line[quantity]", "many")]).await;
    assert_eq!(page.attr("#line_quantity", "value").as_deref(), Some("many"), "what was typed stays");
    page.submit("#buy", &[("line[quantity]", "3")]).await;
    assert_eq!(page.text(".message.info span"), "It is in your cart.");
    until(&mut page, "the cart's count", |page| page.has(".count")).await;
    assert_eq!(page.text(".count"), "3 pieces");
});

db_test!(two_tabs_of_a_buyer_agree_on_the_cart, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(2, 50).await;
    let browser = shop.browser_of(Role::Buyer).await;
    let mut product = browser.clone().open("/products/A2").await;
    product.submit("#buy", &[("line[quantity]", "2")]).await;
    let (mut one, mut two) = (browser.clone().open("/cart").await, browser.open("/cart").await);
    one.click(".steps button:nth-of-type(2)").await;
    assert_eq!(one.text(".sums .total dd"), "£6.00");
    until(&mut two, "the other tab's change", |tab| tab.text(".sums .total dd") == "£6.00").await;
    assert_eq!(two.attr(".qty", "value").as_deref(), Some("3"));
    two.click(".steps .danger").await;
    until(&mut one, "the empty cart", |tab| !tab.has(".line")).await;
    assert!(one.html().contains("There is nothing in it yet."));
});

db_test!(a_cart_says_what_promotions_take_off_and_what_is_sold_out, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let rule = Rule::BuyNGetM { sku: a1(), buy: 2, free: 1 };
    let promotion = Promotion { code: "3FOR2".into(), rule };
    let stored = StoredPromotion { promotion, active: true, starts_at: None, ends_at: None };
    shop.rooms.catalog.put_promotion(&SYSTEM, stored).await.unwrap();
    let mut product = guest(&shop).open("/products/A1").await;
    assert_eq!(product.text(".tags .tag"), "Buy 2, get 1 free");
    product.submit("#buy", &[("line[quantity]", "3")]).await;
    let mut cart = product.close().open("/cart").await;
    assert_eq!(cart.text(".sums .off"), "Buy 2, get 1 free 3FOR2−£1.00");
    assert_eq!(cart.text(".sums .total dd"), "£2.00");
    assert!(!cart.has(".line .tag.bad"));
    shop.rooms.catalog.set_stock(&SYSTEM, a1(), 2).await.unwrap();
    until(&mut cart, "the shortage", |cart| cart.has(".line .tag.bad")).await;
    assert_eq!(cart.text(".line .tag.bad"), "Only 2 left");
    cart.change(".steps", &[("quantity", "0")]).await;
    assert_eq!(cart.text(".steps .error"), "must be at least 1");
    assert_eq!(cart.attr(".qty", "value").as_deref(), Some("0"), "what was typed stays");
});

db_test!(a_checkout_says_what_is_wrong_as_one_types, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut page = at_the_checkout(&shop, "1").await;
    page.change("#checkout", &[("order[email]", "ann@")]).await;
    assert!(page.has("#order_email[aria-invalid=true]"), "{}", page.html());
    page.submit("#checkout", &[("order[email]", "ann@"), ("order[country]", "")]).await;
    assert_eq!(page.text("#order_country_error"), "must be filled in");
    assert_eq!(page.attr("#order_email", "value").as_deref(), Some("ann@"));
    assert_eq!(page.events().last().map(|(name, _)| name.clone()).as_deref(), Some("first-error"));
    assert_eq!(orders(&shop).await.len(), 0);
});

db_test!(a_shortage_names_the_product_and_keeps_what_was_typed, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut page = at_the_checkout(&shop, "5").await;
    shop.rooms.catalog.set_stock(&SYSTEM, a1(), 2).await.unwrap();
    page.submit("#checkout", &ADDRESS).await;
    assert_eq!(page.text("[role=alert] li"), "Cup number 1: 2 left");
    assert_eq!(page.attr("#order_country", "value").as_deref(), Some("France"));
    assert_eq!(orders(&shop).await.len(), 0);
});

db_test!(a_checkout_that_is_sent_twice_places_one_order, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut page = at_the_checkout(&shop, "1").await;
    page.submit("#checkout", &ADDRESS).await;
    let first = page.departure().cloned();
    assert!(matches!(&first, Some(Departure::Navigate(to)) if to.starts_with("/orders/")), "{first:?}");
    page.submit("#checkout", &ADDRESS).await;
    assert_eq!(page.departure().cloned(), first, "the second click is led to the same order");
    assert_eq!(orders(&shop).await.len(), 1);
});

db_test!(a_form_that_comes_back_finds_the_order_that_it_placed, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut page = at_the_checkout(&shop, "1").await;
    let key = page.attr("[name='order[key]']", "value").unwrap();
    page.submit("#checkout", &ADDRESS).await;
    let placed = page.departure().cloned();
    // The answer is lost, the page is mounted again, and the browser brings back what the form held.
    let mut again = page.reconnect().await;
    assert_ne!(again.attr("[name='order[key]']", "value"), Some(key.clone()), "a new page draws a new key");
    let held =
        serde_json::json!({ "order": { "key": key, "email": "ann@shop.example", "country": "France" } });
    again.forge("check", held).await;
    assert_eq!(again.departure().cloned(), placed);
    assert_eq!(orders(&shop).await.len(), 1);
});

db_test!(a_guests_order_is_followed_by_whoever_holds_its_key, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut page = at_the_checkout(&shop, "2").await;
    page.submit("#checkout", &ADDRESS).await;
    let mut order = page.follow().await;
    assert_eq!(order.text(".message.info span"), "Thank you. Your order is placed.");
    assert!(order.text(".life [aria-current=step]").starts_with("Placed"), "{}", order.html());
    assert_eq!(order.text(".sums .total dd"), "£2.00");
    let id = orders(&shop).await[0].id;
    shop.rooms.orders.step(&SYSTEM, id, Step::Pay).await.unwrap();
    let paid = |order: &Tab| order.text(".life [aria-current=step]").starts_with("Paid");
    until(&mut order, "the payment", paid).await;
    let path = order.path().to_owned();
    assert_eq!(shop.browser().get(&path).await.status, 200, "the key is enough");
    let other = format!("{}{}", &path[..path.len() - 1], if path.ends_with('A') { 'B' } else { 'A' });
    assert_eq!(shop.browser().get(&other).await.status, 404);
});

db_test!(a_guests_order_is_given_up_by_whoever_holds_its_key_until_it_is_packed, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut placed = Vec::new();
    for _ in 0..2 {
        let mut page = at_the_checkout(&shop, "2").await;
        page.submit("#checkout", &ADDRESS).await;
        placed.push(page.follow().await);
    }
    let (mut late, mut early) = (placed.pop().unwrap(), placed.pop().unwrap());
    early.click("[phx-click=cancel]").await;
    assert_eq!(early.text("main h1 + .tag"), "Cancelled");
    assert!(!early.has("[phx-click=cancel]"));
    let shelf = shop.rooms.catalog.get(&SYSTEM, a1()).await.unwrap();
    assert_eq!(shelf.stock, 3, "the goods are back");

    let id = orders(&shop).await[0].id;
    for step in [Step::Pay, Step::Pack] {
        shop.rooms.orders.step(&SYSTEM, id, step).await.unwrap();
    }
    late.forge("cancel", serde_json::json!({})).await;
    assert!(late.text(".message.error span").contains("too late"), "{}", late.html());
    assert_eq!(late.text("main h1 + .tag"), "Packed");
});

db_test!(an_order_with_a_key_that_can_be_guessed_has_no_public_page, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut client = shop.client();
    client.post("/api/v1/cart/lines", &serde_json::json!({ "sku": "A1", "quantity": 1 })).await;
    let body = serde_json::json!({ "email": "ann@shop.example", "country": "France" });
    let key = [("idempotency-key", "1")];
    assert_eq!(client.send(hyper::Method::POST, "/api/v1/checkout", &key, Some(&body)).await.status, 201);
    let order = orders(&shop).await.remove(0);
    assert!(order.key.as_str().ends_with(":1"));
    assert_eq!(shop.browser().get(&format!("/orders/{}", order.key)).await.status, 404);
});

db_test!(an_accounts_order_goes_to_its_account, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut product = shop.browser_of(Role::Buyer).await.open("/products/A1").await;
    product.submit("#buy", &[("line[quantity]", "1")]).await;
    let mut page = product.close().open("/checkout").await;
    page.submit("#checkout", &ADDRESS[1..]).await;
    assert!(
        matches!(page.departure(), Some(Departure::Navigate(to)) if to.starts_with("/account/orders/")),
        "{:?}",
        page.departure()
    );
});

db_test!(signing_up_is_sent_by_the_browser_once_nothing_is_wrong, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut page = guest(&shop).open("/register?next=%2Fcheckout").await;
    assert_eq!(page.attr("[name=next]", "value").as_deref(), Some("/checkout"));
    page.change("#register", &[("account[email]", "ann@shop.example"), ("account[password]", "short")]).await;
    assert_eq!(page.text("#account_password_error"), "must have 10 to 256 characters");
    page.submit("#register", &[("account[password]", "short")]).await;
    assert!(!page.has("#register[phx-trigger-action]"));
    page.submit("#register", &[("account[password]", "long enough for a test")]).await;
    assert!(page.has("#register[phx-trigger-action]"), "{}", page.html());
    assert!(!page.html().contains("long enough"), "a password is not sent back into a page");
});

db_test!(who_is_signed_in_needs_no_form_for_it, |repo| async move {
    let shop = Shop::open(repo).await;
    let answer = shop.browser_of(Role::Buyer).await.get("/login?next=%2Fcart").await;
    assert_eq!((answer.status.as_u16(), answer.location.as_deref()), (302, Some("/cart")));
});

db_test!(each_input_has_a_label, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(2, 5).await;
    let mut first = guest(&shop).open("/products/A1").await;
    first.submit("#buy", &[("line[quantity]", "1")]).await;
    for path in [
        "/",
        "/products/A1",
        "/cart",
        "/checkout",
        "/login",
        "/register",
        "/password/forgot",
        "/password/reset?token=t",
    ] {
        let page = guest(&shop).open(path).await;
        let fields = "input:not([type=hidden]):not([type=checkbox]), select";
        let named = page.texts("label[for]").iter().filter(|text| !text.is_empty()).count();
        assert_eq!(named, page.count(fields), "{path}: {}", page.html());
        assert_eq!(page.count("h1"), 1, "{path}");
    }
});
