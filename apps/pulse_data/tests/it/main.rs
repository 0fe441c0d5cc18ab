//! The data room's tests, on both databases.

mod imports;
mod repo;
