//! The committed sample: where it comes from, and the independent count over it.
//!
//! **Invariant.** The files in `tests/data` are what the generator writes for seed 11 (`cargo run -p pulse_ingest
//! --example sample`), and `expected.json` is what `tests/oracle.py` counts over them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pulse_ingest::retail::{Records, Row, classify};
use serde_json::Value;

/// The sample's files, in order.
pub(crate) fn files() -> Vec<PathBuf> {
    ["2011-01.csv", "2011-02.csv"].map(|name| folder().join(name)).into()
}

/// The independent count over them.
pub(crate) fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
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
    assert_eq!(dead.len(), 7, "each reason but `refused` occurs: {dead:?}");
}
