//! The shop's pure domain: money, pricing, the cart, an order's life, who may do what, and the ports.
//!
//! **Invariant.** No I/O, no async runtime, no clock, no randomness: time and ids come in as arguments, so the
//! same input always gives the same output. Everything outside (a database, a gateway, a clock) is reached
//! through a trait in [`ports`] that an adapter implements and only the binary wires.

pub mod access;
pub mod cart;
pub mod id;
pub mod money;
pub mod order;
pub mod ports;
pub mod pricing;
pub mod quantity;
pub mod sku;
pub mod time;

pub use access::{Permission, Principal, Role};
pub use id::{CartId, CheckoutKey, CommandId, InvalidId, OrderId, UserId, Version};
pub use money::{Currency, Money, MoneyError};
pub use quantity::{Quantity, QuantityError};
pub use sku::{InvalidSku, Sku};
pub use time::Timestamp;
