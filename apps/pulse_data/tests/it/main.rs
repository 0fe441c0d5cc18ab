//! The data room's tests, on both databases.

mod catalog;
mod checkout;
mod imports;
mod orders;
mod repo;
mod shop;
