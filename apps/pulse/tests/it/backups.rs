//! Backup and restore: a copy that is whole, and goes where it belongs.

use pulse_data::Backend;

use crate::http::get;
use crate::life::{first_product, stock};
use crate::program::{Place, on_both};

on_both! {
    a_copy_taken_while_the_shop_runs_brings_it_back => round_trip;
}

fn round_trip(backend: Backend) {
    let place = Place::new(backend);
    place.run(&["demo", "--products", "20", "--shoppers", "10"]).succeeded();
    let server = place.serve();
    let sku = first_product(server.shop);
    let kept = stock(server.shop, &sku);
    place.run(&["backup", "copy"]).succeeded();
    let refused = place.run(&["backup", "copy"]).failed_with(73);
    assert!(refused.complaint().contains("already"), "{refused:?}");
    if backend == Backend::Sqlite {
        let in_use = place.run(&["restore", "copy", "--yes"]).failed_with(75);
        assert!(in_use.complaint().contains("in use"), "{in_use:?}");
    }
    assert!(server.stop().0.success());

    place.run(&["demo", "--products", "20", "--shoppers", "40"]).succeeded();
    place.run(&["demo", "--seed", "5", "--products", "3"]).succeeded();
    assert!(place.run(&["restore", "copy"]).failed_with(1).complaint().contains("--yes"));
    place.run(&["restore", "copy", "--yes"]).succeeded();
    let server = place.serve();
    assert_eq!(stock(server.shop, &sku), kept);
    let goods = get(server.shop, "/api/v1/products?limit=100").unwrap().ok().json();
    assert_eq!(goods["items"].as_array().unwrap().len(), 20, "what came after the copy is gone");
    assert!(server.stop().0.success());
    place.run(&["audit", "verify"]).succeeded();
}

#[test]
fn what_is_no_copy_replaces_nothing() {
    let place = Place::sqlite();
    place.run(&["demo", "--products", "5"]).succeeded();
    std::fs::write(place.folder().join("junk"), b"this is no database").unwrap();
    let refused = place.run(&["restore", "junk", "--yes"]).failed_with(1);
    assert!(refused.complaint().contains("no sound copy"), "{refused:?}");
    place.run(&["restore", "nowhere", "--yes"]).failed_with(1);
    let server = place.serve();
    first_product(server.shop);
    assert!(server.stop().0.success());
}
