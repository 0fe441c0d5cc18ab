//! A made-up shop: goods, shoppers, and retail files, all drawn from a seed.
//!
//! **Invariant.** The same seed makes the same shop.

mod dice;
mod goods;
mod sample;

pub use dice::Dice;
pub use goods::{Goods, goods};
pub use sample::files;
