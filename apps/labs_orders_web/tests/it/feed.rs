//! The channels, over a real socket.

use labs_orders_web::book::KEPT_CHANGES;
use labs_orders_web::order::Status;
use serde_json::{Value, json};

use crate::book::wish;
use crate::client::{Client, Served};

const FEED: &str = "orders:feed";

#[tokio::test]
async fn a_program_is_told_the_orders_and_then_every_change() {
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
}

#[tokio::test]
async fn a_program_that_was_away_is_told_what_it_has_missed() {
    let served = Served::start().await;
    let desk = served.site.desk();
    desk.place(wish("Ada")).unwrap();
    desk.place(wish("Grace")).unwrap();
    let since = async |known: u64| {
        let (_, told) = Client::connect(&served).await.ask(FEED, "phx_join", json!({ "since": known })).await;
        let all = told["changes"].as_array().map(|all| all.iter().map(|c| c["version"].clone()).collect());
        (told["version"].clone(), all)
    };
    assert_eq!(since(1).await, (json!(2), Some(vec![json!(2)])));
    assert_eq!(since(2).await, (json!(2), Some(Vec::<Value>::new())));
    for _ in 0..KEPT_CHANGES {
        desk.place(wish("Ada")).unwrap();
    }
    assert_eq!(since(1).await.1, None, "too long ago: all orders anew");
}

#[tokio::test]
async fn a_program_places_an_order_and_hears_of_it() {
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
}

/// The reader's own queue is bounded, and at its bound the reader is let go; the desk and the others go on.
#[tokio::test]
async fn a_program_that_never_reads_holds_up_nobody() {
    let served = Served::start().await;
    let mut slow = Client::connect(&served).await;
    slow.ask(FEED, "phx_join", json!({})).await;
    let mut quick = Client::connect(&served).await;
    quick.ask(FEED, "phx_join", json!({})).await;
    let desk = served.site.desk();
    for version in 1..=5_000_u64 {
        desk.place(wish(&"a long name ".repeat(5))).unwrap();
        assert_eq!(quick.next().await.1["version"], version);
    }
    assert_eq!(served.site.programs().stats().slow_consumers, 1);
}

#[tokio::test]
async fn somebody_is_here_until_their_last_tab_is_gone() {
    let served = Served::start().await;
    let mut watcher = Client::connect(&served).await;
    watcher.ask("lobby", "phx_join", json!({ "name": "watcher" })).await;
    assert_eq!(watcher.next().await, ("presence_state".into(), json!({})));
    assert!(watcher.next().await.1["joins"]["watcher"].is_object(), "one's own join is told too");
    let (mut one, mut two) = (Client::connect(&served).await, Client::connect(&served).await);
    for tab in [&mut one, &mut two] {
        tab.ask("lobby", "phx_join", json!({ "name": "Ada" })).await;
        assert!(watcher.next().await.1["joins"]["Ada"].is_object());
    }
    let mut page = live::testing::Browser::new(served.site.live()).open("/").await;
    assert_eq!(page.text("#here"), "2 here: Ada, watcher");
    drop(one);
    assert!(watcher.next().await.1["leaves"]["Ada"].is_object());
    page.settle().await;
    assert_eq!(page.text("#here"), "2 here: Ada, watcher");
    drop(two);
    assert!(watcher.next().await.1["leaves"]["Ada"].is_object());
    page.settle().await;
    assert_eq!(page.text("#here"), "1 here: watcher");
}

#[tokio::test]
async fn a_join_that_makes_no_sense_is_refused_with_its_reason() {
    let served = Served::start().await;
    for (topic, payload, reason) in [
        (FEED, json!({ "since": "yesterday" }), "since must be a version: a number"),
        ("lobby", json!({}), "name is missing"),
        ("lobby", json!({ "name": "x".repeat(25) }), "name must have 1 to 24 characters"),
    ] {
        let (status, told) = Client::connect(&served).await.ask(topic, "phx_join", payload).await;
        assert_eq!((status.as_str(), told["reason"].as_str()), ("error", Some(reason)));
    }
}
