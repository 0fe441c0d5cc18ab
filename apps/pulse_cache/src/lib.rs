//! Read-through cache over the catalogue.
