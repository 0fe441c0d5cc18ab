//! Orders, payments and returns.
