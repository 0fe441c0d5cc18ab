//! Where carts are kept.
