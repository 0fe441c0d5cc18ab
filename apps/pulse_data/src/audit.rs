//! The audit trail and its sealed chain.
