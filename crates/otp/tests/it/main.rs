//! The conformance suite: what each piece of OTP must do, on virtual time.

mod cart;
mod servers;
