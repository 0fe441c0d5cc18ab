//! Messages to all who joined a topic.
//!
//! Invariant: a broadcast is encoded once; every socket writes the same bytes.

use std::fmt;
use std::sync::Arc;

use otp::{PubSub, ServerId};

use crate::payload::Payload;
use crate::wire::{self, EncodeError, Frame};

/// One broadcast, shared by all sockets.
#[derive(Debug)]
pub(crate) struct Broadcast {
    pub(crate) topic: Arc<str>,
    pub(crate) frame: Frame,
    /// The channel that shall not have it.
    pub(crate) except: Option<ServerId>,
}

/// Sends to topics from anywhere in the program: jobs, other servers, handlers. Cheap to clone.
#[derive(Clone, Default)]
pub struct Broadcaster {
    topics: PubSub<Arc<str>, Broadcast>,
}

impl Broadcaster {
    /// Without topics. Endpoints that share one share their topics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends to all who joined the topic, and says how many have it in their queue. Fails if topic or event are too long
    /// for a binary frame. O(subscribers), never waits.
    pub fn broadcast(
        &self,
        topic: &str,
        event: &str,
        payload: impl Into<Payload>,
    ) -> Result<usize, EncodeError> {
        self.send(topic, event, &payload.into(), None)
    }

    pub(crate) fn send(
        &self,
        topic: &str,
        event: &str,
        payload: &Payload,
        except: Option<ServerId>,
    ) -> Result<usize, EncodeError> {
        if self.topics.subscriber_count(topic) == 0 {
            return Ok(0);
        }
        let frame = wire::broadcast(topic, event, payload)?;
        Ok(self.topics.publish(topic, Broadcast { topic: topic.into(), frame, except }).delivered)
    }

    pub(crate) fn topics(&self) -> &PubSub<Arc<str>, Broadcast> {
        &self.topics
    }
}

impl fmt::Debug for Broadcaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcaster").field("topics", &self.topics.topic_count()).finish()
    }
}
