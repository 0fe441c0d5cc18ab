//! Slow readers, lost connections, changes in an unlucky moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use labs_orders_web::book::{Change, KEPT_CHANGES};
use labs_orders_web::desk::Orders;
use labs_orders_web::order::{Order, Status};
use labs_orders_web::page::{Info, OrdersPage, SHOWN};
use labs_orders_web::site::Site;
use live::LiveView;
use live::testing::{Browser, Tab};
use parking_lot::Mutex;
use serde_json::json;

use crate::client::{Client, PATIENCE, Served, desk, open, wish};

const FEED: &str = "orders:feed";

/// Number and status of each order on a page.
fn shown(page: &Tab) -> Vec<(String, String)> {
    page.texts("#orders td:first-child").into_iter().zip(page.texts("#orders .status")).collect()
}

/// The same of the desk's newest orders.
fn orders(site: &Site) -> Vec<(String, String)> {
    let said = |order: Order| (order.no.to_string(), order.status.name().to_owned());
    site.desk().read(SHOWN as usize).orders.into_iter().map(said).collect()
}

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
        let late = Arc::new(late);
        page.send::<<OrdersPage as LiveView>::Info>(Info::Changed(late.clone())).await;
        assert_eq!(page.texts("#orders .status"), [status.name()]);
        // And to a page that was told of nothing yet, but has read all of it.
        let mut new = open(&site).await;
        new.send::<<OrdersPage as LiveView>::Info>(Info::Changed(late)).await;
        assert_eq!(new.texts("#orders .status"), [status.name()], "a page that has read the newest version");
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
        let mut page = Browser::new(served.site.live()).open("/").await;
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
                    std::thread::sleep(Duration::from_micros(200));
                }
            });
            let mut page = open(&site).await;
            placing.join().unwrap();
            page.settle().await;
            assert_eq!(shown(&page), orders(&site), "in round {round} the page has missed an order");
        }
    });
}

/// A page listens before it reads: else it has read what it will not be told of.
///
/// Hole: `mount`.
#[test]
fn a_page_listens_before_it_reads() {
    gate::running(async || {
        let site = desk().await;
        let page = open(&site).await;
        // As long as somebody is being told of a change, nobody can read.
        let (listener, _told) = otp::inbox::<()>(8);
        let (telling, is_telling) = std::sync::mpsc::channel();
        let (read_on, may_read) = std::sync::mpsc::channel();
        let may_read = Mutex::new(may_read);
        let wrap = move |_| _ = telling.send(()).is_ok() && may_read.lock().recv() == Ok(());
        site.desk().bus().subscribe(Orders, &listener, wrap);
        let busy = site.desk().clone();
        let placing = std::thread::spawn(move || busy.place(wish("Ada")));
        is_telling.recv().unwrap();
        let listening = || site.desk().bus().subscriber_count(&Orders);
        let (before, started) = (listening(), Instant::now());
        let joining = tokio::spawn(page.try_reconnect());
        while listening() == before && started.elapsed() < PATIENCE {
            tokio::task::yield_now().await;
        }
        let listens = listening() > before;
        read_on.send(()).unwrap();
        placing.join().unwrap().unwrap();
        let mut page = joining.await.unwrap().unwrap();
        assert!(listens, "it waits to read the orders, and does not listen yet");
        page.settle().await;
        assert_eq!(shown(&page), orders(&site), "an order that was placed while the page opened");
    });
}

/// A page that could not be told of some changes, because its mailbox was full, shows them when it hears of the next one.
///
/// Hole: `show`.
#[test]
fn a_page_that_was_told_too_much_at_once_catches_up() {
    gate::running(async || {
        for changes in [20, KEPT_CHANGES + 20] {
            let site = desk().await;
            let mut page = Browser::new(site.live()).mailbox(4).open("/").await;
            let order = site.desk().place(wish("Ada")).unwrap();
            page.settle().await;
            // Full of what the page knows: it hears of none of what comes now.
            for _ in 0..4 {
                site.desk().bus().publish(&Orders, Change { version: 1, order: order.clone() });
            }
            for _ in 0..changes {
                site.desk().place(wish("Ada")).unwrap();
            }
            page.settle().await;
            let newest = site.desk().read(1).orders.remove(0);
            site.desk().advance(newest.no, Status::Placed).unwrap();
            page.settle().await;
            assert_eq!(
                shown(&page),
                orders(&site),
                "it was told of none of {changes} changes, and of the next one"
            );
        }
    });
}

/// Nobody is told of a change while the one before it is still being told.
///
/// Hole: `change`.
#[test]
fn a_change_is_told_before_the_next_one_is_made() {
    gate::running(async || {
        let site = desk().await;
        let (listener, _told) = otp::inbox::<()>(8);
        let (says, said) = std::sync::mpsc::channel();
        let (second, second_is_told) = std::sync::mpsc::channel();
        let (second_is_told, busy) = (Mutex::new(second_is_told), site.desk().clone());
        site.desk().bus().subscribe(Orders, &listener, move |change| {
            if change.version == 1 {
                let busy = busy.clone();
                std::thread::spawn(move || busy.place(wish("Grace")));
                // It waits until this has been told. Whoever lets it go first has the time to do so.
                _ = second_is_told.lock().recv_timeout(Duration::from_millis(500));
            }
            _ = says.send(change.version);
            _ = second.send(());
        });
        site.desk().place(wish("Ada")).unwrap();
        let versions = (said.recv_timeout(PATIENCE).ok(), said.recv_timeout(PATIENCE).ok());
        assert_eq!(versions, (Some(1), Some(2)), "versions in the order in which they were told");
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
