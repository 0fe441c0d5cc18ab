//! Lab M5: orders in a database that many write to at once.
//!
//! **Invariant.** What is sold was there: for each product, what stands in stock and what open orders hold add up to
//! what was delivered, at every instant, on SQLite and on PostgreSQL, whatever fails in between.
//!
//! | file | what it decides |
//! |---|---|
//! | [`schema`] | what the database itself refuses, and under which name |
//! | [`error`] | what a database said, the same for both |
//! | [`changeset`] | what a client sent: checked values, or everything that is wrong with it |
//! | [`order`] | pure: what an order and a product are |
//! | [`multi`] | several steps, all or none |
//! | [`place`] | the checkout: one order a key, no piece sold twice |
//! | [`edit`] | two people at one row: optimistic locking |
//! | [`list`] | a page of orders in two statements |
//! | [`db`] | connections and transactions; nothing to write here |

pub mod changeset;
pub mod db;
pub mod edit;
pub mod error;
pub mod list;
pub mod multi;
pub mod order;
pub mod place;
pub mod schema;

pub use changeset::{FieldError, FieldErrors};
pub use db::{Db, Tx};
pub use error::DbError;
pub use order::{NewLine, NewOrder, Order, OrderId, Product};
