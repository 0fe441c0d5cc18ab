//! Made-up feeds of any length, drawn from a seed: for benchmarks, soaks and demonstrations.
//!
//! **Invariant.** The same arguments write the same bytes, and memory does not grow with the rows.

use std::io::{self, Write};

use pulse_data::feeds::Kind;

use crate::demo::Dice;

/// Writes a CSV feed with so many rows about the products `F00000001` to as many as `products`.
///
/// A catalogue names each product in turn, prices and stock draw one for each row. Stock is moved by 1 to 9 pieces up, so
/// that what a feed has done can be counted.
pub fn generate(to: &mut impl Write, kind: Kind, seed: u64, rows: u64, products: u64) -> io::Result<()> {
    let (mut dice, products) = (Dice::new(seed), products.max(1));
    let header = match kind {
        Kind::Catalogue => "sku,name,category,price",
        Kind::Prices => "sku,price",
        Kind::Stock => "sku,delta",
        Kind::Orders => "event,order",
    };
    writeln!(to, "{header}")?;
    let most = i64::try_from(products).unwrap_or(i64::MAX);
    for row in 0..rows {
        let drawn = dice.between(1, most);
        match kind {
            Kind::Catalogue => {
                let n = row % products + 1;
                let (shelf, pence) = (n % 40 + 1, dice.between(100, 9999));
                writeln!(to, "F{n:08},Thing number {n},Shelf {shelf},{}.{:02}", pence / 100, pence % 100)?;
            }
            Kind::Prices => {
                let pence = dice.between(100, 9999);
                writeln!(to, "F{drawn:08},{}.{:02}", pence / 100, pence % 100)?;
            }
            Kind::Stock => writeln!(to, "F{drawn:08},{}", dice.between(1, 9))?,
            Kind::Orders => writeln!(to, "delivered,{drawn}")?,
        }
    }
    to.flush()
}
