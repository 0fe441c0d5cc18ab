//! A made-up shop: goods, shoppers, and retail files, all drawn from a seed.
//!
//! **Invariant.** The same seed makes the same shop.

mod dice;
mod goods;
mod sample;
mod seed;
mod shoppers;

pub use dice::Dice;
pub use goods::{Goods, goods};
pub use sample::files;
pub use seed::stock_up;
pub use shoppers::{Shoppers, VisitCounts, Visits, visit};
