//! What the broker is told of messages.
//!
//! **Invariant.** A message that is rejected is ended only when its dead letter is stored. Whatever the broker could not
//! be told, it delivers again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::{HeaderMap, Subject};
use bytes::Bytes;
use futures::future::try_join_all;

use super::Settings;
use super::delivery::Delivery;
use crate::ack::{Acknowledger, Acks, BoxError, BoxFuture};
use crate::failure::{Failure, Next};

pub(super) struct NatsAcks {
    settings: Settings,
    held: Mutex<Held>,
}

/// Messages under way, by receipt.
#[derive(Default)]
struct Held {
    next: u64,
    messages: HashMap<u64, Pending, foldhash::fast::RandomState>,
}

/// What is needed of a message to end it. The payload is shared with the handler's.
struct Pending {
    reply: Subject,
    subject: Subject,
    payload: Bytes,
    headers: Option<HeaderMap>,
    sequence: u64,
    attempt: u32,
}

impl NatsAcks {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a message; answers its receipt.
    pub(super) fn hold(&self, delivery: &Delivery) -> u64 {
        let message = &delivery.message;
        let dead_letters = self.settings.dead_letters.is_some();
        let pending = Pending {
            // A delivery without one would not have told its sequence.
            reply: message.reply.clone().unwrap_or_else(|| Subject::from_static("")),
            subject: message.subject.clone(),
            payload: message.payload.clone(),
            headers: if dead_letters { message.headers.clone() } else { None },
            sequence: delivery.sequence(),
            attempt: delivery.attempt(),
        };
        let mut held = self.held();
        held.next += 1;
        let receipt = held.next;
        held.messages.insert(receipt, pending);
        receipt
    }

    fn take(&self, receipts: impl Iterator<Item = u64>) -> Vec<Pending> {
        let mut held = self.held();
        receipts.filter_map(|receipt| held.messages.remove(&receipt)).collect()
    }

    async fn tell(&self, replies: &[Subject], kind: AckKind) -> Result<(), BoxError> {
        let client = self.settings.context.client();
        let word = Bytes::from(kind);
        if !self.settings.double_ack {
            for reply in replies {
                client.publish(reply.clone(), word.clone()).await?;
            }
            return Ok(());
        }
        // An answer can get lost with a connection; the broker answers a repeated one as well.
        let mut attempt = 1;
        loop {
            match try_join_all(replies.iter().map(|reply| client.request(reply.clone(), word.clone()))).await
            {
                Ok(_) => return Ok(()),
                Err(error) if attempt < 3 => {
                    tracing::warn!(%error, "the broker has not confirmed acknowledgements yet");
                    attempt += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends a failed message.
    async fn fail(&self, message: Pending, failure: &Failure) -> Result<(), BoxError> {
        let last = message.attempt >= self.settings.max_attempts;
        let kind = match failure.next() {
            Next::Reject => AckKind::Term,
            _ if last => AckKind::Term,
            Next::RetryAfter(delay) => AckKind::Nak(Some(delay)),
            Next::Retry => AckKind::Nak(Some(self.backoff(message.attempt))),
        };
        let kind = match (kind, &self.settings.dead_letters) {
            (AckKind::Term, Some(subject)) => match self.bury(subject, &message, failure).await {
                Ok(()) => AckKind::Term,
                Err(error) => {
                    tracing::warn!(%error, "a dead letter could not be stored; its message comes again");
                    AckKind::Nak(Some(self.backoff(message.attempt)))
                }
            },
            (kind, _) => kind,
        };
        self.tell(&[message.reply], kind).await
    }

    /// Stores a dead letter, once however often it is tried.
    async fn bury(&self, subject: &str, message: &Pending, failure: &Failure) -> Result<(), BoxError> {
        let mut headers = message.headers.clone().unwrap_or_default();
        // A header is one line.
        let reason: String = failure.reason().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        headers.insert("Pipeline-Reason", reason);
        headers.insert("Pipeline-Subject", message.subject.as_str());
        headers.insert("Pipeline-Sequence", message.sequence.to_string());
        let letter = PublishMessage::build()
            .payload(message.payload.clone())
            .headers(headers)
            .message_id(format!("{}:{}:{}", self.settings.stream, self.settings.durable, message.sequence));
        self.settings.context.send_publish(subject.to_owned(), letter).await?.await?;
        Ok(())
    }

    fn backoff(&self, attempt: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        self.settings.retry_first.saturating_mul(doubled).min(self.settings.retry_most)
    }
}

impl Acknowledger for NatsAcks {
    fn ack<'a>(&'a self, acks: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let done = self.take(acks.done.iter().copied());
            let replies: Vec<Subject> = done.into_iter().map(|message| message.reply).collect();
            let mut told = self.tell(&replies, AckKind::Ack).await;
            for (receipt, failure) in acks.failed {
                for message in self.take(std::iter::once(*receipt)) {
                    let ended = self.fail(message, failure).await;
                    told = told.and(ended);
                }
            }
            told
        })
    }
}

/// Tells the broker of what is under way, until nobody holds the acknowledger any more.
pub(super) fn keep_alive(acks: &Arc<NatsAcks>) {
    let every = acks.settings.ack_wait / 3;
    let weak = Arc::downgrade(acks);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(every).await;
            let Some(acks) = weak.upgrade() else { return };
            let replies: Vec<Subject> =
                acks.held().messages.values().map(|message| message.reply.clone()).collect();
            let client = acks.settings.context.client();
            for reply in replies {
                let word = Bytes::from(AckKind::Progress);
                if let Err(error) = client.publish(reply, word).await {
                    tracing::warn!(%error, "the broker can't be told that messages are under way");
                    break;
                }
            }
        }
    });
}
