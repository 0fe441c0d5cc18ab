//! Servers, supervisors, registries, timers and pubsub: OTP's ideas on tokio.
