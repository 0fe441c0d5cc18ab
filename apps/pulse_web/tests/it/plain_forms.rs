//! The pages without a script: plain documents and plain forms, over a real socket.

use std::time::Duration;

use hyper::Method;
use pulse_core::{Principal, Role, Sku, UserId};
use pulse_data::db_test;
use serde_json::json;

use crate::stage::{Client, Reply, SYSTEM, Shop};

/// The value of the hidden field that proves a form to be ours.
async fn proof(client: &mut Client, page: &str) -> String {
    let document = client.get(page).await;
    assert_eq!(document.status, 200, "{document:?}");
    let (_, rest) = document.text.split_once("name=\"_csrf_token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn send(client: &mut Client, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    client.raw(Method::POST, path, &kind, body.finish().into()).await
}

db_test!(a_product_goes_into_the_cart_by_a_plain_form, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut client = shop.client();
    let proof = proof(&mut client, "/products/A1").await;
    let fields = [("_csrf_token", proof.as_str()), ("line[sku]", "A1"), ("line[quantity]", "2")];
    let done = send(&mut client, "/cart/lines", &fields).await;
    assert_eq!((done.status, done.header("location")), (303, "/cart"), "{done:?}");
    let cart = client.get("/cart").await.text;
    assert!(cart.contains("Cup number 1") && cart.contains("£2.00"), "{cart}");
    let mut stranger = shop.client();
    stranger.get("/").await;
    let refused = send(&mut stranger, "/cart/lines", &fields).await;
    assert_eq!((refused.status, refused.header("location")), (303, "/products/A1"));
    assert!(!stranger.get("/cart").await.text.contains("Cup number 1"), "another's proof proves nothing");
});

db_test!(a_wrong_password_comes_back_with_the_address_and_the_way_on, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.buyer("ann@shop.example").await;
    let mut client = shop.client();
    let proof = proof(&mut client, "/login?next=%2Fcheckout").await;
    let fields = |password| {
        [
            ("_csrf_token", proof.as_str()),
            ("account[email]", "ann@shop.example"),
            ("account[password]", password),
            ("next", "/checkout"),
        ]
    };
    let refused = send(&mut client, "/login", &fields("another password")).await;
    assert_eq!((refused.status, refused.header("location")), (303, "/login?next=%2Fcheckout"));
    let page = client.get(refused.header("location")).await.text;
    assert!(page.contains("value=\"ann@shop.example\""), "{page}");
    assert!(page.contains("The e-mail address or the password is wrong."), "{page}");
    assert_eq!(
        page.matches("ann@shop.example").count(),
        1,
        "the address is in its field, and no message: {page}"
    );
    let done = send(&mut client, "/login", &fields("long enough for a test")).await;
    assert_eq!((done.status, done.header("location")), (303, "/checkout"), "{done:?}");
});

db_test!(a_forgotten_password_is_answered_alike_for_everybody, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.buyer("ann@shop.example").await;
    for email in ["ann@shop.example", "nobody@shop.example"] {
        let mut client = shop.client();
        let proof = proof(&mut client, "/password/forgot").await;
        let done =
            send(&mut client, "/password/forgot", &[("_csrf_token", &proof), ("account[email]", email)])
                .await;
        assert_eq!((done.status, done.header("location")), (303, "/login"), "{email}");
        assert!(client.get("/login").await.text.contains("a letter is on its way"), "{email}");
    }
    let mut client = shop.client();
    let proof = proof(&mut client, "/password/reset?token=forged").await;
    let fields = [
        ("_csrf_token", proof.as_str()),
        ("token", "forged"),
        ("account[password]", "long enough for a test"),
    ];
    let refused = send(&mut client, "/password/reset", &fields).await;
    assert_eq!((refused.status, refused.header("location")), (303, "/password/forgot"));
});

db_test!(the_catalogue_goes_on_without_a_script, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(30, 5).await;
    let mut client = shop.client();
    let (mut path, mut seen) = ("/?sort=price_asc".to_owned(), 0);
    loop {
        let page = client.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        seen += page.text.matches("<li id=\"product-").count();
        assert!(seen <= 30, "{path} shows again what an earlier page has shown");
        let Some((before, _)) = page.text.split_once("\">More</a>") else { break };
        path = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
    }
    assert_eq!(seen, 30, "each product once");
    let found = client.get("/?q=number+30").await.text;
    assert_eq!(found.matches("<li id=\"product-").count(), 1, "{found}");
    assert!(Sku::new("A30").is_ok_and(|sku| found.contains(&format!("/products/{sku}"))));
});

db_test!(a_link_from_a_letter_stops_reminders_at_one_click, |repo| async move {
    let shop = Shop::open(repo.clone()).await;
    shop.stock(1, 5).await;
    let mut ann = shop.buyer("ann@shop.example").await;
    ann.post("/api/v1/cart/lines", &json!({ "sku": "A1", "quantity": 1 })).await;
    let reminders = &shop.rooms.reminders;
    let id = ann.get("/api/v1/account").await.body["id"].as_i64().unwrap();
    let who = Principal::User { id: UserId(id), role: Role::Buyer };
    assert_eq!(reminders.watch(&SYSTEM, Duration::ZERO).await.unwrap(), 1);
    let job = jobs::list(repo.reader(), &jobs::Filter::default(), None, 1).await.unwrap().jobs.remove(0);
    let letter = reminders.letter(&SYSTEM, serde_json::from_str(&job.args).unwrap()).await.unwrap().unwrap();
    let link = letter.letter.unsubscribe.unwrap();
    let path = link.strip_prefix("http://localhost:4000").unwrap();
    // Looking changes nothing: programs look into letters, too.
    assert!(shop.text(path, "text/html").await.contains("No more reminders?"));
    assert!(reminders.wanted(&who).await.unwrap());
    let posted = shop.client().send(Method::POST, path, &[], None).await;
    assert_eq!((posted.status, posted.header("location")), (303, "/"));
    assert!(!reminders.wanted(&who).await.unwrap());
    let guessed = shop.client().send(Method::POST, "/reminders/stop?token=guessed", &[], None).await;
    assert_eq!(guessed.status, 303);
});
