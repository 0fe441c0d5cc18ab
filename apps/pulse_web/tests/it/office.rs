//! The back office, page by page, in process.

mod audit;
mod dashboard;
mod orders;
mod products;
mod promotions;
mod returns;
