//! The committed sample: where it comes from, and the independent count over it.
//!
//! **Invariant.** The files in `tests/data` are what the generator writes for seed 11 (`cargo run -p pulse_ingest
//! --example sample`), those in `tests/data/dirt` are written by hand, and each `expected.json` is what
//! `tests/oracle.py` counts over the files beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pulse_data::carts::EMPTY_BODY;
use pulse_data::{Repo, Sql as _};
use pulse_ingest::replay::Shop;
use pulse_ingest::retail::{Records, Row, classify};
use serde_json::Value;

use crate::shop::{figures, shelves};

/// The sample's files, in order.
pub(crate) fn files() -> Vec<PathBuf> {
    ["2011-01.csv", "2011-02.csv"].map(|name| folder().join(name)).into()
}

/// The independent count over them.
pub(crate) fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

/// No line is left behind in a cart.
async fn nothing_is_left_in_a_cart(repo: &Repo) {
    let sql = "SELECT count(*) FROM carts WHERE body <> $1";
    let row = repo.reader().row(sql, vec![EMPTY_BODY.into()]).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0, "carts that still hold something");
}

/// Files with every kind of dirt that was thought of, in order.
pub(crate) fn dirt() -> Vec<PathBuf> {
    let names =
        ["1-all", "2-the-same", "3-no-header", "4-header-only", "5-empty", "6-mark-only", "7-lone-quote"];
    names.map(|name| folder().join("dirt").join(name).with_extension("csv")).into()
}

/// The independent count over them.
pub(crate) fn expected_dirt() -> Value {
    serde_json::from_slice(&std::fs::read(folder().join("dirt/expected.json")).unwrap()).unwrap()
}

/// Report, stock and prices are those of the independent count, and all carts are empty.
pub(crate) async fn agrees(shop: &Shop, repo: &Repo) {
    agrees_with(&expected(), shop, repo).await;
}

/// As [`agrees`], with another count.
pub(crate) async fn agrees_with(expected: &Value, shop: &Shop, repo: &Repo) {
    assert_eq!(figures(shop).await, expected["report"]);
    let shelves = shelves(shop).await;
    assert_eq!(shelves["stock"], expected["stock"]);
    assert_eq!(shelves["prices"], expected["prices"]);
    nothing_is_left_in_a_cart(repo).await;
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

#[test]
fn the_committed_files_are_what_the_generator_writes() {
    for ((name, text), path) in pulse_ingest::demo::files(11, 2, 1300).into_iter().zip(files()) {
        assert_eq!(path.file_name().unwrap(), name.as_str());
        assert!(std::fs::read_to_string(path).unwrap() == text, "{name} differs");
    }
}

#[test]
fn the_rules_count_what_the_oracle_counts() {
    let (mut rows, mut sales, mut returns) = (0, 0, 0);
    let (mut orders, mut dead) = (BTreeSet::new(), BTreeMap::<&str, u64>::new());
    for path in files() {
        let mut records = Records::new(std::fs::File::open(path).unwrap());
        while let Some(record) = records.next().unwrap() {
            rows += 1;
            match classify(&record) {
                Row::Sale(line) => {
                    sales += 1;
                    orders.insert(line.invoice.to_owned());
                }
                Row::Return(_) => returns += 1,
                Row::Dead(reason) => *dead.entry(reason.name()).or_default() += 1,
            }
        }
    }
    let report = &expected()["report"];
    assert_eq!(report["rows"], rows);
    assert_eq!(report["sale_lines"], sales);
    assert_eq!(report["return_lines"], returns);
    assert_eq!(report["orders"], orders.len());
    assert_eq!(report["dead"], serde_json::to_value(&dead).unwrap());
    assert_eq!(dead.len(), 7, "each reason that a single row can give occurs: {dead:?}");
}
