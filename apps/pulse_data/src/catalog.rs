//! Products, stock, promotions, deliveries.
