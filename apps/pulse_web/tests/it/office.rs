//! The back office, page by page, in process.

mod audit;
mod dashboard;
mod feeds;
mod jobs;
mod orders;
mod products;
mod promotions;
mod returns;
mod webhooks;
