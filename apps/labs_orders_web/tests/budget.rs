//! The budgets of `labs_orders_web`. All are counts: the same on any machine.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without")]

#[path = "gate/client.rs"]
#[expect(dead_code, reason = "the gate's other tests use the rest")]
mod client;

use client::{Client, Served, desk, open, wish};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;

const LAB: &str = include_str!("../lab.toml");

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

/// A change sends its row, and not the list.
///
/// Hole: `show`.
#[test]
fn a_change_sends_its_row_and_not_the_list() {
    gate::running(async || {
        let site = desk().await;
        for n in 0..50 {
            site.desk().place(wish(&format!("Customer {n}"))).unwrap();
        }
        let mut page = open(&site).await;
        let before = site.live().stats().diff_bytes;
        site.desk().place(wish("Grace")).unwrap();
        page.settle().await;
        let (sent, limit) = (site.live().stats().diff_bytes - before, gate::limit(LAB, "bytes_a_change"));
        assert!(sent > 0, "nothing was sent");
        assert!(float(sent) <= limit, "{sent} bytes for one order of 51; the limit is {limit}");
    });
}

/// A change is encoded once, however many programs listen: telling one more of them allocates next to nothing.
///
/// Hole: `change`.
#[test]
fn a_change_is_encoded_once_for_all() {
    gate::running(async || {
        let served = Served::start().await;
        let mut programs = Vec::new();
        let mut bytes = Vec::new();
        for listeners in [1, 41] {
            while programs.len() < listeners {
                let mut program = Client::connect(&served).await;
                program.ask("orders:feed", "phx_join", json!({})).await;
                programs.push(program);
            }
            let desk = served.site.desk();
            // The first one may make room in tables that then stay.
            desk.place(wish("Ada")).unwrap();
            let (placed, cost) = gate::alloc::here(|| desk.place(wish(&"a long name ".repeat(5))));
            placed.unwrap();
            bytes.push(cost.bytes);
        }
        let (more, limit) = (bytes[1].saturating_sub(bytes[0]) / 40, gate::limit(LAB, "bytes_a_listener"));
        assert!(float(more) <= limit, "{more} bytes allocated a listener; the limit is {limit}");
    });
}
