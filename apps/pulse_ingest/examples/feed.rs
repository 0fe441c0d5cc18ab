//! Writes a made-up feed to standard output: `cargo run -p pulse_ingest --example feed -- stock 10000000 100000 > stock.csv`.
//!
//! **Invariant.** The same kind, rows, products and seed (1 where absent) write the same bytes.

use std::io::{BufWriter, Error, Result, stdout};

use pulse_data::feeds::Kind;
use pulse_ingest::feed::generate;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || Error::other("usage: feed catalogue|prices|stock|orders ROWS PRODUCTS [SEED]");
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse().ok());
    let kind = arguments.first().and_then(|name| Kind::from_name(name)).ok_or_else(usage)?;
    let (rows, products) = (number(1).ok_or_else(usage)?, number(2).ok_or_else(usage)?);
    generate(&mut BufWriter::new(stdout().lock()), kind, number(3).unwrap_or(1), rows, products)
}
