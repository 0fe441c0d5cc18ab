//! The shop's background jobs.
