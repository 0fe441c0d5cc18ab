//! The conformance suite: what each piece of OTP must do, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test's helper may fail as its test does")]

mod cart;
mod dynamic;
mod lifecycle;
mod messages;
mod monitors;
mod names;
mod pubsub;
mod races;
mod supervisors;
mod timers;
