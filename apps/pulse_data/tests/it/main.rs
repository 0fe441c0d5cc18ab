//! The data room's tests, on both databases.

mod repo;
