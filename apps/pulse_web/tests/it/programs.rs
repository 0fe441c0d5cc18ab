//! The channels for programs, over a real socket.

use hyper::Method;
use pulse_core::order::{Channel, PaymentMethod, Step};
use pulse_core::{CartId, CheckoutKey, CommandId, OrderId, Principal, Quantity, Role, Sku};
use pulse_data::db_test;
use pulse_fleet::Checkout;
use serde_json::json;

use crate::socket::{PATIENCE, Socket as Program};
use crate::stage::{SYSTEM, Shop};

/// Somebody with an account.
pub(crate) struct Person {
    pub(crate) who: Principal,
}

impl Person {
    pub(crate) async fn new(shop: &Shop, role: Role) -> Self {
        let email = format!("{role}-{}@shop.example", rand::random::<u64>());
        let user = shop.rooms.accounts.bootstrap(&email, "long enough for a test", role).await.unwrap();
        Self { who: Principal::User { id: user.id, role } }
    }

    pub(crate) async fn orders(&self, shop: &Shop, pieces: i64) -> OrderId {
        let (cart, id) = (CartId(rand::random()), CommandId(rand::random()));
        let front = &shop.rooms.front;
        let pieces = Quantity::new(pieces).unwrap();
        front.add(&self.who, cart, id, Sku::new("A1").unwrap(), pieces).await.unwrap();
        let demand = Checkout {
            key: CheckoutKey::new(&format!("test-{}", rand::random::<u64>())).unwrap(),
            buyer: self.who.user(),
            email: None,
            country: "United Kingdom".into(),
            payment: PaymentMethod::Card,
            channel: Channel::Web,
            placed_at: None,
        };
        front.checkout(&self.who, cart, demand).await.unwrap().id
    }
}

pub(crate) async fn token(shop: &Shop, person: &Person) -> String {
    shop.rooms.accounts.create_token(&person.who, "test").await.unwrap().secret.reveal().to_owned()
}

db_test!(everybody_hears_what_stock_and_price_have_become, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(3, 5).await;
    let mut one = Program::connect(&shop, None).await.unwrap();
    let mut two = Program::connect(&shop, None).await.unwrap();
    let (status, answer) = one.join("shop:stock", json!({ "skus": ["A2"] })).await;
    assert_eq!(status, "ok");
    let a2 = json!({ "sku": "A2", "stock": 5, "price": { "pence": 200, "currency": "GBP" }, "active": true });
    assert_eq!(answer, json!({ "products": [a2] }));
    two.join("shop:stock", json!({})).await;
    shop.rooms.catalog.set_stock(&SYSTEM, Sku::new("A1").unwrap(), 2).await.unwrap();
    for program in [&mut one, &mut two] {
        let told = program.hear("stock").await;
        assert_eq!((&told["products"][0]["sku"], &told["products"][0]["stock"]), (&json!("A1"), &json!(2)));
    }
    for (odd, reason) in [
        (json!({ "skus": "A1" }), "skus must be a list of product codes"),
        (json!({ "skus": ["no code!"] }), "skus must be product codes"),
        (json!({ "skus": vec!["A1"; 201] }), "at most 200 skus: ask the API for more"),
    ] {
        let answer = Program::connect(&shop, None).await.unwrap().join("shop:stock", odd).await;
        assert_eq!(answer, ("error".into(), json!({ "reason": reason })));
    }
});

db_test!(an_order_is_told_to_its_buyer_and_to_staff_alone, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let ann = Person::new(&shop, Role::Buyer).await;
    let (other, staff) = (Person::new(&shop, Role::Buyer).await, Person::new(&shop, Role::Support).await);
    let id = ann.orders(&shop, 2).await;
    let topic = format!("order:{id}");
    for (token, reason) in [(None, "unauthorized"), (Some(token(&shop, &other).await), "not found")] {
        let mut stranger = Program::connect(&shop, token.as_deref()).await.unwrap();
        let refused = stranger.join(&topic, json!({})).await;
        assert_eq!(refused, ("error".into(), json!({ "reason": reason })));
        assert_eq!(stranger.join("order:x", json!({})).await.0, "error");
    }
    let mut buyer = Program::connect(&shop, Some(&token(&shop, &ann).await)).await.unwrap();
    let mut desk = Program::connect(&shop, Some(&token(&shop, &staff).await)).await.unwrap();
    for program in [&mut buyer, &mut desk] {
        let (status, order) = program.join(&topic, json!({})).await;
        assert_eq!((status.as_str(), &order["status"]), ("ok", &json!("placed")), "{order}");
        assert_eq!(order["lines"][0]["quantity"], 2);
    }
    shop.rooms.orders.step(&SYSTEM, id, Step::Pay).await.unwrap();
    for program in [&mut buyer, &mut desk] {
        assert_eq!(program.hear("order").await["status"], "paid");
    }
});

db_test!(a_revoked_token_hears_nothing_more, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let ann = Person::new(&shop, Role::Buyer).await;
    let id = ann.orders(&shop, 1).await;
    let made = token(&shop, &ann).await;
    let mut program = Program::connect(&shop, Some(&made)).await.unwrap();
    let topic = format!("order:{id}");
    program.join(&topic, json!({})).await;
    let number = shop.rooms.accounts.tokens(&ann.who, ann.who.user().unwrap()).await.unwrap()[0].id;
    let mut owner = shop.client();
    owner.bearer = Some(made.clone());
    let revoked = owner.send(Method::DELETE, &format!("/api/v1/account/tokens/{number}"), &[], None).await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    shop.rooms.orders.step(&SYSTEM, id, Step::Pay).await.unwrap();
    let frame = program.receive().await.unwrap();
    assert_eq!((&frame[2], &frame[3]), (&json!(topic), &json!("phx_close")), "{frame}");
    assert_eq!(Program::connect(&shop, Some(&made)).await.err(), Some(401));
    assert_eq!(Program::connect(&shop, Some("pulse_forged")).await.err(), Some(401));
});

db_test!(figures_come_each_second_to_who_sees_orders, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let (ann, staff) = (Person::new(&shop, Role::Buyer).await, Person::new(&shop, Role::Support).await);
    let mut buyer = Program::connect(&shop, Some(&token(&shop, &ann).await)).await.unwrap();
    let refused = buyer.join("ops:metrics", json!({})).await;
    assert_eq!(refused, ("error".into(), json!({ "reason": "unauthorized" })));
    let mut desk = Program::connect(&shop, Some(&token(&shop, &staff).await)).await.unwrap();
    assert_eq!(desk.join("ops:metrics", json!({})).await.0, "ok");
    let first = desk.hear("metrics").await;
    assert_eq!((&first["orders"], &first["sockets"]), (&json!(0), &json!(2)), "{first}");
    ann.orders(&shop, 3).await;
    let told = loop {
        let told = desk.hear("metrics").await;
        if told["orders"] == 1 {
            break told;
        }
    };
    assert_eq!(told["revenue_pence"], 300);
});

db_test!(a_drain_sends_programs_away, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut program = Program::connect(&shop, None).await.unwrap();
    program.join("shop:stock", json!({})).await;
    assert!(shop.web.drain(PATIENCE).await);
    assert_eq!(program.end().await, Some(1001));
    assert_eq!(Program::connect(&shop, None).await.err(), Some(503));
});
