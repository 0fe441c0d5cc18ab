//! The conformance suite: what each piece of OTP must do, on virtual time.

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
