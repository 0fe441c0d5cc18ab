//! Slow readers, lost connections, changes in an unlucky moment.

use labs_orders_web::order::{Order, Status};
use labs_orders_web::page::{Info, OrdersPage, SHOWN};
use live::LiveView;
use serde_json::json;

use crate::client::{Client, Served, desk, open, wish};

const FEED: &str = "orders:feed";

/// A change that the page shows already, known by its version, changes nothing when it is told again.
///
/// Hole: `show`.
#[test]
fn what_happened_between_listening_and_reading_is_shown_once() {
    gate::running(async || {
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
        // The newest one comes once more, too, as it does between listening and reading: nothing is sent for it.
        let sent = site.live().stats().diff_bytes;
        let again = labs_orders_web::book::Change { version: 2, order: Order { status, ..first } };
        page.send::<<OrdersPage as LiveView>::Info>(Info::Changed(again.into())).await;
        assert_eq!(
            site.live().stats().diff_bytes - sent,
            0,
            "bytes for a change that the page shows already"
        );
    });
}

/// A page that was away shows, when it is back, what it has missed.
///
/// Hole: `mount`.
#[test]
fn a_page_that_was_away_shows_what_it_has_missed() {
    gate::running(async || {
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
    });
}

/// A reader who never reads has a queue with a bound: at the bound it is let go, and the others are told everything.
///
/// Hole: `change`.
#[test]
fn a_program_that_never_reads_holds_up_nobody() {
    gate::running(async || {
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
    });
}

/// Somebody is here until the last of their tabs is gone, however it ended.
///
/// Hole: `mount`.
#[test]
fn somebody_is_here_until_their_last_tab_is_gone() {
    gate::running(async || {
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
    });
}

/// Orders that are placed while a page opens are all on it: it listens before it reads.
///
/// Hole: `mount`.
#[test]
fn a_page_that_opens_in_a_busy_moment_misses_nothing() {
    gate::running(async || {
        let site = desk().await;
        for round in 0..20 {
            let busy = site.desk().clone();
            let placing = std::thread::spawn(move || {
                for _ in 0..20 {
                    busy.place(wish("Ada")).unwrap();
                    std::thread::sleep(std::time::Duration::from_micros(200));
                }
            });
            let mut page = open(&site).await;
            placing.join().unwrap();
            page.settle().await;
            let shown = page.texts("#orders td:first-child");
            let newest: Vec<_> =
                site.desk().read(SHOWN as usize).orders.iter().map(|order| order.no.to_string()).collect();
            assert_eq!(shown, newest, "in round {round} the page has missed an order");
        }
    });
}

/// Changes are told in the order of their versions, however many make them at the same time.
///
/// Hole: `change`.
#[test]
fn changes_are_told_in_the_order_of_their_versions() {
    gate::running(async || {
        let served = Served::start().await;
        let mut program = Client::connect(&served).await;
        program.ask(FEED, "phx_join", json!({})).await;
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let desk = served.site.desk().clone();
                std::thread::spawn(move || {
                    for _ in 0..50 {
                        desk.place(wish("Ada")).unwrap();
                    }
                })
            })
            .collect();
        for version in 1..=200 {
            let told = program.next().await.1["version"].clone();
            assert_eq!(told, json!(version), "told out of order");
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
