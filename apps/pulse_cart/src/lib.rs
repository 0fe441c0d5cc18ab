//! One cart as a server process.
