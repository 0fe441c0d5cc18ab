//! What pages and programs see on a good day.

use labs_orders_web::book::KEPT_CHANGES;
use labs_orders_web::feed::FIRST;
use labs_orders_web::order::Status;
use labs_orders_web::page::SHOWN;
use live::testing::Browser;
use serde_json::{Value, json};

use crate::client::{Client, Served, desk, open, wish};

const FEED: &str = "orders:feed";

const FILLED: [(&str, &str); 3] =
    [("order[customer]", "Ada"), ("order[item]", "Tea"), ("order[pieces]", "3")];

/// An order that one page places is on every page, in full.
///
/// Holes: `mount`, `show`.
#[test]
fn an_order_that_one_page_places_is_on_every_page() {
    gate::running(async || {
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
    });
}

/// A field is judged once somebody was in it, and a refusal never loses what was typed.
///
/// Hole: `mount`.
#[test]
fn a_field_is_judged_once_somebody_was_in_it_and_keeps_what_was_typed() {
    gate::running(async || {
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
    });
}

/// Every input has a label.
///
/// Hole: `mount`.
#[test]
fn every_input_has_a_label() {
    gate::running(async || {
        let site = desk().await;
        let page = open(&site).await;
        for field in ["customer", "item", "pieces"] {
            assert!(
                page.has(&format!("label[for=order_{field}]")) && page.has(&format!("input#order_{field}"))
            );
        }
    });
}

/// A step that somebody else has made already is refused, and the page says so.
///
/// Hole: `advance`.
#[test]
fn a_button_that_somebody_else_has_pressed_says_so() {
    gate::running(async || {
        let site = desk().await;
        let mut page = open(&site).await;
        page.submit("#order", &FILLED).await;
        page.settle().await;
        page.forge("ship", serde_json::json!({ "no": "1" })).await;
        assert_eq!(page.text("#messages .error"), "order 1 is placed: it can't go on from packed");
    });
}

/// An order that has scrolled out of the page is not brought back when it moves on.
///
/// Hole: `show`.
#[test]
fn an_order_that_has_scrolled_out_stays_out() {
    gate::running(async || {
        let site = desk().await;
        let first = site.desk().place(wish("Ada")).unwrap();
        for _ in 0..SHOWN {
            site.desk().place(wish("Grace")).unwrap();
        }
        let mut page = open(&site).await;
        site.desk().advance(first.no, Status::Placed).unwrap();
        page.settle().await;
        assert!(!page.has("#order-1"), "order 1 is back on the page");
        assert_eq!(page.texts("#orders .status").len(), SHOWN as usize);
    });
}

/// A program is told the orders when it joins, and then every change.
///
/// Holes: `join`, `change`.
#[test]
fn a_program_is_told_the_orders_and_then_every_change() {
    gate::running(async || {
        let served = Served::start().await;
        let desk = served.site.desk();
        let no = desk.place(wish("Ada")).unwrap().no;
        let mut program = Client::connect(&served).await;
        let (status, told) = program.ask(FEED, "phx_join", json!({})).await;
        assert_eq!(
            (status.as_str(), &told["version"], &told["orders"][0]["customer"]),
            ("ok", &json!(1), &json!("Ada"))
        );
        desk.advance(no, Status::Placed).unwrap();
        let (event, change) = program.next().await;
        assert_eq!(
            (event.as_str(), &change["version"], &change["order"]["status"]),
            ("changed", &json!(2), &json!("packed"))
        );
    });
}

/// A program that was away is told exactly what it has missed, or, if that is too long ago, everything.
///
/// Holes: `join`, `since`.
#[test]
fn a_program_that_was_away_is_told_what_it_has_missed() {
    gate::running(async || {
        let served = Served::start().await;
        let desk = served.site.desk();
        desk.place(wish("Ada")).unwrap();
        desk.place(wish("Grace")).unwrap();
        let since = async |known: u64| {
            let (_, told) =
                Client::connect(&served).await.ask(FEED, "phx_join", json!({ "since": known })).await;
            let all =
                told["changes"].as_array().map(|all| all.iter().map(|c| c["version"].clone()).collect());
            (told["version"].clone(), all)
        };
        assert_eq!(since(1).await, (json!(2), Some(vec![json!(2)])));
        assert_eq!(since(2).await, (json!(2), Some(Vec::<Value>::new())));
        for _ in 0..KEPT_CHANGES {
            desk.place(wish("Ada")).unwrap();
        }
        assert_eq!(since(1).await.1, None, "too long ago: all orders anew");
    });
}

/// Who joins is given the newest orders and no more, however many there are: a program some of them, a page what it shows.
///
/// Holes: `join`, `mount`.
#[test]
fn who_joins_is_given_the_newest_orders_and_no_more() {
    gate::running(async || {
        let served = Served::start().await;
        for _ in 0..FIRST + 20 {
            served.site.desk().place(wish("Ada")).unwrap();
        }
        let (_, told) = Client::connect(&served).await.ask(FEED, "phx_join", json!({})).await;
        let orders = told["orders"].as_array().unwrap();
        assert_eq!((orders.len(), &orders[0]["no"]), (FIRST, &json!(FIRST + 20)), "orders for a program");
        let html = Browser::new(served.site.live()).get("/").await.html;
        assert_eq!(html.matches("<tr id=").count(), SHOWN as usize, "orders in a page's document");
    });
}

/// A program places an order, or is told which field is wrong; like all others it hears of it.
///
/// Holes: `join`, `write`.
#[test]
fn a_program_places_an_order_and_hears_of_it() {
    gate::running(async || {
        let served = Served::start().await;
        let mut program = Client::connect(&served).await;
        program.ask(FEED, "phx_join", json!({})).await;
        let order = json!({ "customer": "Ada", "item": "Tea", "pieces": "2" });
        let (status, placed) = program.ask(FEED, "place", order).await;
        assert_eq!((status.as_str(), &placed["no"]), ("ok", &json!(1)));
        assert_eq!(program.next().await.1["order"], placed);
        let (status, refused) = program.ask(FEED, "place", json!({ "customer": "Ada", "pieces": "0" })).await;
        assert_eq!(status, "error");
        assert_eq!(refused["errors"]["pieces"], json!(["must be a number from 1 to 99"]));
        assert_eq!(refused["errors"]["item"], json!(["must be filled in"]));
    });
}

/// A join that makes no sense is refused with its reason.
///
/// Hole: `join`.
#[test]
fn a_join_that_makes_no_sense_is_refused_with_its_reason() {
    gate::running(async || {
        let served = Served::start().await;
        for (topic, payload, reason) in [
            (FEED, json!({ "since": "yesterday" }), "since must be a version: a number"),
            ("lobby", json!({}), "name is missing"),
            ("lobby", json!({ "name": "x".repeat(25) }), "name must have 1 to 24 characters"),
        ] {
            let (status, told) = Client::connect(&served).await.ask(topic, "phx_join", payload).await;
            assert_eq!((status.as_str(), told["reason"].as_str()), ("error", Some(reason)));
        }
    });
}
