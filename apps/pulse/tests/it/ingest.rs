//! `pulse ingest`: what it prints, how it leaves, and that it goes on where it was cut.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pulse_data::Backend;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::life::first_product;
use crate::program::{Place, Server, finish, on_both};

fn written(place: &Place, name: &str, rows: &str) -> String {
    let path = place.folder().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, rows).unwrap();
    name.to_owned()
}

on_both! {
    a_folder_is_fed_its_dirt_is_listed_and_mended => folder;
}

fn folder(backend: Backend) {
    let place = Place::new(backend);
    place.run(&["migrate", "up"]).succeeded();
    written(&place, "inbox/acme/stock-1.csv", "sku,delta\nLAMP,5\nLAMP,x\n");
    written(&place, "inbox/stock-2.csv", "sku,delta\nLAMP,1\n");
    written(&place, "inbox/notes.txt", "no feed");
    let fed = place.run(&["ingest", "inbox"]).succeeded().stdout;
    assert!(
        fed.contains(
            "fed 2 file(s), 0 known before, 0 refused: 3 rows, 0 changed something, 0 did not, 3 dead letters"
        ),
        "{fed}"
    );
    let told = place.run(&["ingest", "letters"]).succeeded().stdout;
    assert!(told.contains("acme stock-1.csv line 3 (invalid): delta \"x\" is no whole number"), "{told}");
    assert_eq!(told.lines().count(), 6);
    let json = place.run(&["ingest", "letters", "--json", "--source", "local"]).succeeded().stdout;
    let letter: Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(
        (&letter["reason"], &letter["row"], &letter["payload"]),
        (&"unknown_product".into(), &1.into(), &"LAMP,1".into())
    );

    written(&place, "catalogue.ndjson", "{\"sku\":\"LAMP\",\"name\":\"Lamp\",\"price\":12.5}\n");
    place.run(&["ingest", "catalogue.ndjson"]).succeeded();
    let mended =
        place.run(&["ingest", "retry", "--reason", "unknown_product", "--source", "acme"]).succeeded().stdout;
    assert!(mended.contains("1 done, 0 still dead"), "{mended}");
    let still = place.run(&["ingest", "retry"]).failed_with(1);
    assert!(still.stdout.contains("1 done, 1 still dead"), "{still:?}");
    let dropped = place.run(&["ingest", "discard", "--reason", "invalid"]).succeeded().stdout;
    assert!(dropped.contains("1 dropped"), "{dropped}");
    let again = place.run(&["ingest", "inbox"]).succeeded().stdout;
    assert!(again.contains("fed 0 file(s), 2 known before"), "{again}");
    let verified = place.run(&["audit", "verify"]).succeeded().stdout;
    assert!(verified.contains(", 0 not sealed yet"), "{verified}");
}

#[test]
fn what_can_not_be_fed_is_told_before_anything_is_opened() {
    let place = Place::sqlite();
    for (arguments, why) in [
        (&["ingest", "nowhere.csv"][..], "no such file"),
        (&["ingest", "pulse.toml"], "does not say what it tells of"),
        (&["ingest", "prices.txt"], "ends in none of"),
        (&["ingest", "empty"], "holds no feeds"),
        (&["ingest", "prices.txt", "--watch"], "is no folder"),
    ] {
        written(&place, "pulse.toml", "");
        written(&place, "prices.txt", "sku,price\n");
        std::fs::create_dir_all(place.folder().join("empty")).unwrap();
        let refused = place.run(arguments).failed_with(1);
        assert!(refused.complaint().contains(why), "{refused:?}");
        assert!(!place.folder().join("shop.db").exists());
    }
    let help = place.run(&["ingest", "--help"]).succeeded().stdout;
    assert!(help.contains("delta") && help.contains("pieces that came"), "{help}");
    written(&place, "prices.csv", "sku,prise\n");
    let refused = place.run(&["ingest", "prices.csv"]).failed_with(1);
    assert!(
        refused.stdout.contains("refused  prices.csv: \"prise\" is no column of a feed of prices"),
        "{refused:?}"
    );
}

#[test]
fn interrupted_it_stops_after_the_batch_in_hand_and_goes_on_from_there() {
    let place = Place::sqlite();
    let rows: Vec<String> = (0..400_000).map(|n| format!("P{},1", n % 10)).collect();
    written(&place, "stock.csv", &format!("sku,delta\n{}\n", rows.join("\n")));
    let goods: Vec<String> = (0..10).map(|n| format!("P{n},Product {n},1.00")).collect();
    written(&place, "catalogue.csv", &format!("sku,name,price\n{}\n", goods.join("\n")));
    place.run(&["ingest", "catalogue.csv"]).succeeded();
    let mut command = place.command();
    let child =
        command.args(["ingest", "stock.csv"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let pid = Pid::from_child(&child);
    let _ = kill_process(pid, Signal::INT);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said} {}", String::from_utf8_lossy(&output.stderr));
    place.run(&["ingest", "stock.csv"]).succeeded();
    let server = place.serve();
    let page = crate::http::get(server.shop, "/api/v1/products?limit=100").unwrap().ok().json();
    let stocks: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| item["stock"].as_i64().unwrap()).collect();
    assert_eq!(stocks, [40_000; 10]);
}

#[test]
fn the_shop_feeds_what_is_posted_and_what_arrives_in_its_folder() {
    let place = Place::sqlite();
    place.run(&["demo", "--products", "3"]).succeeded();
    std::fs::create_dir_all(place.folder().join("inbox/acme")).unwrap();
    let server = Server::start(place.command().env("PULSE_INGEST_FOLDER", "inbox").arg("serve"));
    let sku = first_product(server.shop);
    let stock = || {
        let product = crate::http::get(server.shop, &format!("/api/v1/products/{sku}")).unwrap().ok().json();
        product["stock"].as_i64().unwrap()
    };
    let before = stock();
    written(&place, "inbox/acme/stock.csv", &format!("sku,delta\n{sku},7\n"));
    while stock() != before + 7 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
}

#[test]
fn what_feeds_do_is_counted_by_outcome_and_reason() {
    let place = Place::sqlite();
    place.run(&["demo", "--products", "3"]).succeeded();
    std::fs::create_dir_all(place.folder().join("inbox")).unwrap();
    let server = Server::start(place.command().env("PULSE_INGEST_FOLDER", "inbox").arg("serve"));
    let sku = first_product(server.shop);
    let scrape = || crate::http::get(server.ops, "/metrics").unwrap().ok().body;
    let until = |line: &str| {
        while !scrape().contains(line) {
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    for line in [
        "pulse_feeds_rows_total{outcome=\"changed\"} 0",
        "pulse_feeds_dead_rows_total{reason=\"not_enough\"} 0",
        "pulse_feeds_letters_open{reason=\"invalid\"} 0",
        "pulse_feeds_lag_seconds 0",
        "pulse_jobs_ended_total{outcome=\"stopped\"} 0",
        "pulse_jobs_fired_total ",
        "pulse_jobs_stuck 0",
    ] {
        assert!(scrape().contains(line), "{line} is missing:\n{}", scrape());
    }
    until("pulse_jobs_leads 1");
    let rows = format!("sku,delta\n{sku},7\n{sku},0\nNOPE,1\n{sku},x\n{sku},y\n");
    written(&place, "inbox/stock.csv", &rows);
    until("pulse_feeds_ended_total{outcome=\"done\"} 1");
    // The same rows under another name, and what is no feed at all.
    written(&place, "inbox/stock-again.csv", &rows);
    written(&place, "inbox/stock-wrong.csv", "sku,pieces\n");
    until("pulse_feeds_ended_total{outcome=\"known\"} 1");
    until("pulse_feeds_ended_total{outcome=\"refused\"} 1");
    until("pulse_feeds_letters_open{reason=\"invalid\"} 2");
    for line in [
        "pulse_feeds_rows_total{outcome=\"changed\"} 1",
        "pulse_feeds_rows_total{outcome=\"unchanged\"} 1",
        "pulse_feeds_rows_total{outcome=\"dead\"} 3",
        "pulse_feeds_dead_rows_total{reason=\"invalid\"} 2",
        "pulse_feeds_dead_rows_total{reason=\"unknown_product\"} 1",
        "pulse_feeds_letters_open{reason=\"unknown_product\"} 1",
        "pulse_feeds_posts_waiting 0",
    ] {
        assert!(scrape().contains(line), "{line} is missing:\n{}", scrape());
    }
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
}

#[test]
fn the_demo_page_of_feeds_does_what_it_says() {
    let page = include_str!("../../../../docs/demos/feeds.md");
    assert!(page.contains(&pulse_ingest::feed::describe()), "the page lists the columns as they are");
    let script: String = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(script.contains("pulse ingest retry") && script.contains("pulse audit verify"), "{script}");
    let place = Place::sqlite();
    let binary = Path::new(env!("CARGO_BIN_EXE_pulse")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    place.settle(&mut command);
    let done = finish(command.env("PATH", path).args(["-e", "-c", &script])).succeeded();
    assert!(done.stdout.contains("1 done, 0 still dead"), "{done:?}");
}
