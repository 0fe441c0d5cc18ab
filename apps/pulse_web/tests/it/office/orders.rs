//! Orders: listed, followed, moved on and taken back; by those who may.

use pulse_core::order::{Status, Step};
use pulse_core::{OrderId, Principal, Quantity, Role};
use pulse_data::db_test;
use pulse_data::orders::AskReturn;

use super::dashboard::{order, order_of};
use crate::stage::{SYSTEM, Shop};

async fn status(shop: &Shop, id: OrderId) -> Status {
    shop.rooms.orders.get(&SYSTEM, id).await.unwrap().order.status
}

db_test!(the_list_follows_orders_and_filters_them, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let first = order(&shop, "first", 1).await;
    let mut all = shop.browser_of(Role::Support).await.open("/office/orders").await;
    let mut paid = shop.browser_of(Role::Support).await.open("/office/orders?status=paid").await;
    assert_eq!((all.count("#orders tr"), paid.count("#orders tr")), (1, 0));
    let second = order(&shop, "second", 1).await;
    shop.rooms.orders.step(&SYSTEM, first, Step::Pay).await.unwrap();
    while all.texts("#orders td:first-child a") != [second.to_string(), first.to_string()]
        || all.texts("#orders .tag") != ["Placed", "Paid"]
    {
        all.next_message().await;
    }
    while paid.texts("#orders td:first-child a") != [first.to_string()] {
        paid.next_message().await;
    }
    shop.rooms.orders.step(&SYSTEM, first, Step::Pack).await.unwrap();
    while paid.count("#orders tr") != 0 {
        paid.next_message().await;
    }
    all.change("#look", &[("status", "packed")]).await;
    assert_eq!(all.path(), "/office/orders?status=packed");
    assert_eq!(all.texts("#orders td:first-child a"), [first.to_string()]);
    let unknown = shop.browser_of(Role::Support).await.get("/office/orders?status=lost").await;
    assert_eq!(unknown.status, 404);
});

db_test!(an_order_is_led_through_its_life, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let id = order(&shop, "one", 3).await;
    let mut page = shop.browser_of(Role::Manager).await.open(&format!("/office/orders/{id}")).await;
    assert_eq!(page.texts("#steps button"), ["Cancel the order"], "it is not paid yet");
    shop.rooms.orders.step(&SYSTEM, id, Step::Pay).await.unwrap();
    while page.text("#status") != "Paid" {
        page.next_message().await;
    }
    for (step, after) in [("pack", Status::Packed), ("ship", Status::Shipped), ("deliver", Status::Delivered)]
    {
        page.click(&format!("[phx-value-step={step}]")).await;
        assert_eq!(status(&shop, id).await, after);
    }
    assert_eq!(
        (page.text("#status"), page.count("#steps button"), page.count("#events li")),
        ("Delivered".into(), 0, 5)
    );

    page.change("#back", &[("back[line1]", "4")]).await;
    assert!(page.text("#back_line1_error").contains("from 0 to 3"), "{}", page.html());
    page.submit("#back", &[("back[line1]", "2")]).await;
    assert_eq!(page.texts("#lines td:nth-child(3)"), ["2"]);
    assert_eq!(page.count("#payments li"), 2, "the refund is under way");
    page.submit("#back", &[("back[line1]", "1")]).await;
    assert_eq!((status(&shop, id).await, page.text("#status")), (Status::Returned, "Returned".to_owned()));
    assert!(!page.has("#back"), "all of it is back");
});

db_test!(support_takes_returns_and_does_not_ship, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let id = order(&shop, "one", 1).await;
    shop.rooms.orders.step(&SYSTEM, id, Step::Pay).await.unwrap();
    let path = format!("/office/orders/{id}");
    let mut page = shop.browser_of(Role::Support).await.open(&path).await;
    assert_eq!(page.count("#steps button"), 0);
    page.forge("step", serde_json::json!({ "step": "pack" })).await;
    assert_eq!(status(&shop, id).await, Status::Paid, "a forged click is refused by the orders");
    let mut manager = shop.browser_of(Role::Manager).await.open(&path).await;
    manager.forge("step", serde_json::json!({ "step": "pay" })).await;
    for step in [Step::Pack, Step::Ship] {
        shop.rooms.orders.step(&SYSTEM, id, step).await.unwrap();
    }
    while !page.has("#back") {
        page.next_message().await;
    }
    assert_eq!(shop.browser_of(Role::Buyer).await.get(&path).await.status, 403);
    assert_eq!(shop.browser_of(Role::Support).await.get("/office/orders/999").await.status, 404);
});

db_test!(a_buyer_asks_and_support_answers, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let (email, password) = ("ann@shop.example", "long enough for a test");
    let ann = shop.rooms.accounts.bootstrap(email, password, Role::Buyer).await.unwrap().id;
    let buyer = Principal::User { id: ann, role: Role::Buyer };
    let id = order_of(&shop, Some(ann), "ann", 2).await;
    for step in [Step::Pay, Step::Pack, Step::Ship] {
        shop.rooms.orders.step(&SYSTEM, id, step).await.unwrap();
    }
    let mut page = shop.browser_of(Role::Support).await.open(&format!("/office/orders/{id}")).await;
    let ask = AskReturn { order: id, lines: vec![(1, Quantity::ONE)], reason: "Too small".to_owned() };
    shop.rooms.orders.ask_return(&buyer, ask.clone()).await.unwrap();
    while !page.has("#request") {
        page.next_message().await;
    }
    page.submit("#answer", &[("answer[text]", " ")]).await;
    assert!(page.text("#answer_text_error").contains("1 to 500"), "{}", page.html());
    page.submit("#answer", &[("answer[text]", "It was worn")]).await;
    assert!(!page.has("#request"), "it is answered");
    shop.rooms.orders.ask_return(&buyer, ask).await.unwrap();
    while !page.has("#request") {
        page.next_message().await;
    }
    page.click("[phx-click=accept]").await;
    assert_eq!((page.has("#request"), page.texts("#lines td:nth-child(3)")), (false, vec!["1".to_owned()]));
});
