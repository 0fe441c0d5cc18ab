//! The page, driven in process.

use labs_orders_web::order::Status;
use labs_orders_web::page::{Info, OrdersPage};
use labs_orders_web::site::Site;
use live::LiveView;
use live::testing::{Browser, Tab};

use crate::book::wish;

const FILLED: [(&str, &str); 3] =
    [("order[customer]", "Ada"), ("order[item]", "Tea"), ("order[pieces]", "3")];

async fn desk() -> Site {
    Site::open([7; 32]).await.expect("the desk opens")
}

async fn open(site: &Site) -> Tab {
    Browser::new(site.live()).open("/").await
}

#[tokio::test]
async fn an_order_that_one_page_places_is_on_every_page() {
    let site = desk().await;
    let (mut one, mut two) = (open(&site).await, open(&site).await);
    one.submit("#order", &FILLED).await;
    two.settle().await;
    one.settle().await;
    for page in [&one, &two] {
        assert_eq!(page.texts("#orders td")[..5], ["1", "Ada", "Tea", "3", "placed"]);
    }
    assert_eq!(one.text("#messages"), "Order 1 is placed.");
    assert_eq!(one.attr("#order_customer", "value").as_deref(), Some(""), "the form is empty again");
}

#[tokio::test]
async fn a_field_is_judged_once_somebody_was_in_it_and_keeps_what_was_typed() {
    let site = desk().await;
    let mut page = open(&site).await;
    page.change("#order", &[("order[pieces]", "many")]).await;
    assert_eq!(page.text("#order_pieces_errors"), "must be a number from 1 to 99");
    assert_eq!(page.attr("#order_pieces", "value").as_deref(), Some("many"));
    page.submit("#order", &[("order[customer]", "Ada")]).await;
    assert_eq!(page.text("#order_item_errors"), "must be filled in");
    assert_eq!(page.attr("#order_item", "aria-invalid").as_deref(), Some("true"));
    assert_eq!(page.attr("#order_customer", "value").as_deref(), Some("Ada"));
    assert_eq!(site.desk().read(9).orders.len(), 0);
}

#[tokio::test]
async fn every_input_has_a_label() {
    let site = desk().await;
    let page = open(&site).await;
    for field in ["customer", "item", "pieces"] {
        assert!(page.has(&format!("label[for=order_{field}]")) && page.has(&format!("input#order_{field}")));
    }
}

#[tokio::test]
async fn what_happened_between_listening_and_reading_is_shown_once() {
    let site = desk().await;
    let mut page = open(&site).await;
    let first = site.desk().place(wish("Ada")).unwrap();
    page.settle().await;
    let status = site.desk().advance(first.no, Status::Placed).unwrap().status;
    page.settle().await;
    // The change that made it comes once more, late: it is older than what is shown.
    let mut placed = first.clone();
    placed.status = Status::Placed;
    let late = labs_orders_web::book::Change { version: 1, order: placed };
    page.send::<<OrdersPage as LiveView>::Info>(Info::Changed(late.into())).await;
    assert_eq!(page.texts("#orders .status"), [status.name()]);
}

#[tokio::test]
async fn a_page_that_was_away_shows_what_it_has_missed() {
    let site = desk().await;
    let mut page = open(&site).await;
    let no = site.desk().place(wish("Ada")).unwrap().no;
    page.settle().await;
    let away = page.close();
    site.desk().advance(no, Status::Placed).unwrap();
    site.desk().place(wish("Grace")).unwrap();
    let mut back = away.open("/").await;
    assert_eq!(back.texts("#orders .status"), ["placed", "packed"]);
    back.click("#order-1 button").await;
    back.settle().await;
    assert_eq!(back.texts("#orders .status"), ["placed", "shipped"]);
}

#[tokio::test]
async fn a_button_that_somebody_else_has_pressed_says_so() {
    let site = desk().await;
    let mut page = open(&site).await;
    page.submit("#order", &FILLED).await;
    page.settle().await;
    page.forge("ship", serde_json::json!({ "no": "1" })).await;
    assert_eq!(page.text("#messages .error"), "order 1 is placed: it can't go on from packed");
}

#[tokio::test]
async fn a_change_sends_its_row_and_not_the_list() {
    let site = desk().await;
    for n in 0..50 {
        site.desk().place(wish(&format!("Customer {n}"))).unwrap();
    }
    let mut page = open(&site).await;
    let before = site.live().stats().diff_bytes;
    site.desk().place(wish("Grace")).unwrap();
    page.settle().await;
    let sent = site.live().stats().diff_bytes - before;
    assert!((1..700).contains(&sent), "{sent} bytes for one order of 51");
}
