//! A message of the broker, as a handler sees it.
//!
//! **Invariant.** Sequence and attempt are the broker's own; the payload is not copied.

use async_nats::jetstream;
use bytes::Bytes;

use crate::ack::BoxError;

/// One delivery of a stored message.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What was published.
    pub payload: Bytes,
    pub(super) message: async_nats::Message,
    sequence: u64,
    attempt: u32,
}

impl Delivery {
    pub(super) fn new(message: jetstream::Message) -> Result<Self, BoxError> {
        let info = message.info()?;
        let (sequence, attempt) = (info.stream_sequence, u32::try_from(info.delivered).unwrap_or(u32::MAX));
        Ok(Self { payload: message.payload.clone(), message: message.message, sequence, attempt })
    }

    /// The subject that it was published under.
    pub fn subject(&self) -> &str {
        &self.message.subject
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.message.headers.as_ref()?.get(name).map(async_nats::HeaderValue::as_str)
    }

    /// Its number in the stream: the same at each attempt, so an effect can be keyed by it.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The payload as text, or a failure.
    pub fn text(&self) -> Result<&str, crate::Failure> {
        std::str::from_utf8(&self.payload).map_err(|error| {
            crate::Failure::reject(format_args!(
                "message {}: not UTF-8 behind byte {}",
                self.sequence,
                error.valid_up_to()
            ))
        })
    }
}
