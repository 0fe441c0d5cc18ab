//! Feeds in: a year of a real shop, the report over it, and a made-up shop for newcomers.
//!
//! **Invariant.** Whatever comes in goes through the shop's front door and the contexts, and can be fed again without
//! being counted twice.
//!
//! | module | what it is |
//! |---|---|
//! | [`feed`] | feeds of suppliers and partners, through the pipeline |
//! | [`retail`] | rows of the data set and the rules for them; pure |
//! | [`replay`] | files, through carts, checkouts, stock and returns |
//! | [`report`] | the figures |
//! | [`demo`] | goods, shoppers and files drawn from a seed |

pub mod demo;
pub mod feed;
pub mod replay;
pub mod report;
pub mod retail;
