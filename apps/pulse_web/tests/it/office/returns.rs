//! Requests for returns: listed as they come, answered from the list, gone for everybody once they are.

use pulse_core::order::{Status, Step};
use pulse_core::{OrderId, Principal, Quantity, Role};
use pulse_data::db_test;
use pulse_data::orders::{AskReturn, Outcome, RequestQuery, ReturnRequest};

use super::dashboard::order_of;
use crate::stage::{SYSTEM, Shop};

/// A buyer with an order that is on its way.
async fn shipped(shop: &Shop, email: &str) -> (Principal, OrderId) {
    let user = shop.rooms.accounts.bootstrap(email, "long enough for a test", Role::Buyer).await.unwrap();
    let buyer = Principal::User { id: user.id, role: Role::Buyer };
    let id = ship(shop, &buyer, email).await;
    (buyer, id)
}

async fn ship(shop: &Shop, buyer: &Principal, name: &str) -> OrderId {
    let id = order_of(shop, buyer.user(), name, 2).await;
    for step in [Step::Pay, Step::Pack, Step::Ship] {
        shop.rooms.orders.step(&SYSTEM, id, step).await.unwrap();
    }
    id
}

async fn ask(shop: &Shop, buyer: &Principal, order: OrderId, reason: &str) {
    let ask = AskReturn { order, lines: vec![(1, Quantity::ONE)], reason: reason.to_owned() };
    shop.rooms.orders.ask_return(buyer, ask).await.unwrap();
}

async fn of(shop: &Shop, order: OrderId) -> ReturnRequest {
    let query = RequestQuery { everybody: true, order: Some(order), limit: 1, ..RequestQuery::default() };
    shop.rooms.orders.requests(&SYSTEM, &query).await.unwrap().items.remove(0)
}

db_test!(requests_come_and_go_on_every_open_list, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let (ann, first) = shipped(&shop, "ann@shop.example").await;
    let (bob, second) = shipped(&shop, "bob@shop.example").await;
    let support = shop.browser_of(Role::Support).await;
    let mut one = support.clone().open("/office/returns").await;
    let mut two = support.open("/office/returns").await;
    assert_eq!(one.text("#none"), "No request waits for an answer.");
    ask(&shop, &ann, first, "It is chipped").await;
    ask(&shop, &bob, second, "The wrong colour").await;
    for page in [&mut one, &mut two] {
        while page.count("#returns > li") < 2 {
            page.next_message().await;
        }
        assert_eq!(page.texts("#returns h2 a"), [second.to_string(), first.to_string()], "the newest first");
        assert_eq!(page.text("#none"), "");
    }

    one.click(&format!("#return-{second} [phx-click=decline]")).await;
    one.submit("#answer", &[("answer[text]", "  ")]).await;
    assert!(one.text("#answer_text_error").contains("why"), "{}", one.html());
    one.submit("#answer", &[("answer[text]", "It is used")]).await;
    assert!(!one.has(&format!("#return-{second}")) && !one.has("#answer"), "{}", one.html());
    assert!(
        matches!(of(&shop, second).await.outcome, Outcome::Declined { answer, .. } if answer == "It is used")
    );

    two.click(&format!("#return-{first} [phx-click=accept]")).await;
    assert!(matches!(of(&shop, first).await.outcome, Outcome::Accepted { .. }));
    for page in [&mut one, &mut two] {
        while page.count("#returns > li") > 0 || page.text("#none").is_empty() {
            page.next_message().await;
        }
    }
    let left = shop.rooms.orders.get(&SYSTEM, first).await.unwrap();
    assert_eq!((left.order.status, left.lines[0].returned), (Status::Shipped, 1));
});

db_test!(an_answer_that_somebody_else_has_given_is_said, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let (ann, order) = shipped(&shop, "ann@shop.example").await;
    ask(&shop, &ann, order, "It is chipped").await;
    let mut page = shop.browser_of(Role::Support).await.open("/office/returns").await;
    let request = of(&shop, order).await;
    shop.rooms.orders.decline_return(&SYSTEM, request.id, "Too late").await.unwrap();
    page.click("[phx-click=accept]").await;
    assert!(page.text(".message.error span").contains("already"), "{}", page.html());
    assert_eq!(page.count("#returns > li"), 0);
    assert!(matches!(of(&shop, order).await.outcome, Outcome::Declined { .. }), "the first answer stands");
});

db_test!(a_long_list_goes_on_as_one_scrolls, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 500).await;
    let (buyer, first) = shipped(&shop, "ann@shop.example").await;
    ask(&shop, &buyer, first, "Too many").await;
    for n in 1..53 {
        let order = ship(&shop, &buyer, &format!("order-{n}")).await;
        ask(&shop, &buyer, order, "Too many").await;
    }
    let mut page = shop.browser_of(Role::Support).await.open("/office/returns").await;
    assert_eq!(page.count("#returns > li"), 50);
    assert_eq!(page.attr("#returns", "phx-viewport-bottom").as_deref(), Some("more"));
    page.forge("more", serde_json::json!({})).await;
    assert_eq!(page.count("#returns > li"), 53);
    assert_eq!(page.attr("#returns", "phx-viewport-bottom"), None);
    assert_eq!(shop.browser_of(Role::Buyer).await.get("/office/returns").await.status, 403);
});
