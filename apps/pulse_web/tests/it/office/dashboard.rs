//! The dashboard: who may see it, and that it follows the shop.

use std::time::Duration;

use live::testing::Departure;
use pulse_core::order::{Channel, PaymentMethod, Step};
use pulse_core::{CartId, CheckoutKey, CommandId, OrderId, Principal, Quantity, Role, Sku, UserId};
use pulse_data::accounts::{UserQuery, UserStatus};
use pulse_data::db_test;
use pulse_data::imports::{Counts, Imports};
use pulse_fleet::Checkout;
use pulse_web::{ServeOptions, WebConfig};

use crate::stage::{SYSTEM, Shop, config};

/// A guest's order of so many pieces of `A1`.
pub(crate) async fn order(shop: &Shop, name: &str, pieces: i64) -> OrderId {
    order_of(shop, None, name, pieces).await
}

/// An order of an account or a guest.
pub(crate) async fn order_of(shop: &Shop, buyer: Option<UserId>, name: &str, pieces: i64) -> OrderId {
    let who = buyer.map_or(Principal::Guest, |id| Principal::User { id, role: Role::Buyer });
    let (front, cart) = (&shop.rooms.front, CartId(rand::random()));
    let sku = Sku::new("A1").unwrap();
    front.add(&who, cart, CommandId(rand::random()), sku, Quantity::new(pieces).unwrap()).await.unwrap();
    let checkout = Checkout {
        key: CheckoutKey::new(name).unwrap(),
        buyer,
        email: Some("guest@shop.example".to_owned()),
        country: "GB".to_owned(),
        payment: PaymentMethod::Card,
        channel: Channel::Web,
        placed_at: None,
    };
    front.checkout(&who, cart, checkout).await.unwrap().id
}

db_test!(only_staff_is_let_in_and_only_staff_sees_the_way, |repo| async move {
    let shop = Shop::open(repo).await;
    let guest = shop.browser().get("/office").await;
    assert_eq!((guest.status.as_u16(), guest.location.as_deref()), (302, Some("/login?next=%2Foffice")));
    let buyer = shop.browser_of(Role::Buyer).await.get("/office").await;
    assert_eq!(buyer.status, 403);
    assert!(buyer.html.contains("Your account may not see this"), "{}", buyer.html);
    for role in Role::ALL {
        let page = shop.browser_of(role).await.open("/").await;
        assert_eq!(page.has("a[href='/office']"), role != Role::Buyer, "{role} sees the way");
        if role != Role::Buyer {
            let page = shop.browser_of(role).await.open("/office").await;
            assert_eq!(page.text("h1"), "Dashboard");
            assert_eq!(page.has("#replays"), role != Role::Support, "{role} and the replays");
        }
    }
});

db_test!(figures_follow_what_happens, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(2, 12).await;
    order(&shop, "before", 2).await;
    let mut page = shop.browser_of(Role::Manager).await.open("/office").await;
    assert_eq!((page.text("#orders-hour"), page.text("#revenue-hour")), ("1".into(), "£2.00".into()));
    assert_eq!(
        (page.count("#newest tr"), page.text("#running-low"), page.text("#shoppers")),
        (1, "0".into(), "0".into())
    );
    assert_eq!(page.count("#orders-chart-title, svg rect.bar"), 121);

    let guest = shop.browser().open("/").await;
    let id = order(&shop, "after", 1).await;
    while page.text("#orders-hour") != "2" {
        page.next_message().await;
    }
    assert_eq!(page.text("#revenue-hour"), "£3.00");
    assert_eq!(page.text("#shoppers"), "1");
    assert_eq!(page.text("#running-low"), "1", "of twelve nine are left");
    assert_eq!(page.texts("#low .tag"), ["9 left"]);
    assert_eq!(page.count("#newest tr"), 2);
    assert_eq!(page.texts("#newest tr:first-child a"), [id.to_string()], "the newest comes first");
    // Where a minute has ended between them, the two are in two minutes.
    assert_eq!(page.texts("#hour-table tbody tr:first-child td"), ["2", "£3.00"]);

    shop.rooms.orders.step(&SYSTEM, id, Step::Cancel).await.unwrap();
    drop(guest);
    while page.texts("#newest tr:first-child .tag") != ["Cancelled"] || page.text("#shoppers") != "0" {
        page.next_message().await;
    }
});

db_test!(the_list_of_newest_orders_keeps_its_length, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 1_000).await;
    for n in 0..7 {
        order(&shop, &format!("first-{n}"), 1).await;
    }
    let mut page = shop.browser_of(Role::Support).await.open("/office").await;
    assert_eq!(page.count("#newest tr"), 7);
    let mut last = OrderId(0);
    for n in 0..3 {
        last = order(&shop, &format!("second-{n}"), 1).await;
    }
    while page.texts("#newest tr:first-child a") != [last.to_string()] {
        page.next_message().await;
    }
    assert_eq!(page.count("#newest tr"), 8);
});

db_test!(a_replay_in_another_process_is_seen, |repo| async move {
    let shop = Shop::open(repo.clone()).await;
    let mut page = shop.browser_of(Role::Manager).await.open("/office").await;
    assert!(page.attr("#replays", "hidden").is_some(), "nothing was replayed yet");
    let imports = Imports::new(repo, shop.rooms.clock.clone());
    let (file, _) = imports.begin(&SYSTEM, &"a".repeat(64), "year.csv").await.unwrap();
    let counts = |rows| Counts { rows, sale_lines: rows, return_lines: 0 };
    imports.advance(&SYSTEM, file.id, counts(1_500)).await.unwrap();
    while page.texts("#replays td:nth-child(3)") != ["1,500"] {
        page.next_message().await;
    }
    assert_eq!(page.texts("#replays .tag"), ["Not done"]);
    imports.advance(&SYSTEM, file.id, counts(2_500)).await.unwrap();
    while page.texts("#replays td:nth-child(6)") != ["1,000"] {
        page.next_message().await;
    }
    assert_eq!(page.texts("#replays .tag"), ["Running"]);
    imports.finish(&SYSTEM, file.id, counts(2_501), vec![]).await.unwrap();
    while page.texts("#replays .tag") != ["Done"] {
        page.next_message().await;
    }
});

db_test!(who_is_locked_out_sees_no_more, |repo| async move {
    let belief = WebConfig { session_belief: Duration::from_millis(50), ..config() };
    let shop = Shop::open_with(repo, belief, ServeOptions::default()).await;
    let browser = shop.browser_of(Role::Support).await;
    let mut page = browser.clone().open("/office").await;
    let users =
        shop.rooms.accounts.list(&SYSTEM, &UserQuery { limit: 1, ..UserQuery::default() }).await.unwrap();
    shop.rooms.accounts.set_status(&SYSTEM, users.items[0].id, UserStatus::Locked).await.unwrap();
    while page.departure().is_none() {
        page.next_message().await;
    }
    assert_eq!(page.departure(), Some(&Departure::Redirect("/office".to_owned())));
    assert_eq!(browser.clone().get("/office").await.status, 302, "the door sends to the sign-in");
});
