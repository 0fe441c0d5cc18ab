//! NATS JetStream as a source: a durable pull consumer, asked for as many messages as there is room for.
//!
//! **Invariant.** A message is acknowledged to the broker after its end, never before. While it is under way the broker is
//! told so, and a broker that goes away for a while is waited for: what is not acknowledged comes again.
//!
//! | its end | what the broker is told |
//! |---|---|
//! | well | `+ACK`; with [`JetStream::double_ack`] the broker confirms it |
//! | [`Next::Retry`](crate::Next::Retry) | `-NAK` with a back-off by attempt |
//! | [`Next::RetryAfter`](crate::Next::RetryAfter) | `-NAK` with that delay |
//! | [`Next::Reject`](crate::Next::Reject), or the last attempt | stored under [`JetStream::dead_letters`], then `+TERM` |
//!
//! JetStream acknowledges a publish before it is on the disk, and may deliver again what was acknowledged just before a
//! crash: effects have to be idempotent, by [`Delivery::sequence`] or a key of one's own.
//!
//! ```no_run
//! # async fn example<H: pipeline::Handler<In = pipeline::producers::nats::Delivery>>(handler: H)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use pipeline::Pipeline;
//! use pipeline::producers::nats::{JetStream, async_nats};
//!
//! let client = async_nats::connect("nats://localhost:4222").await?;
//! let producer = JetStream::new(async_nats::jetstream::new(client), "FEEDS", "pulse")
//!     .filter("feeds.prices.*")
//!     .dead_letters("dead.feeds");
//! let running = Pipeline::builder(handler).producer(producer).start()?;
//! # Ok(()) }
//! ```

mod acks;
mod delivery;
mod pull;

use std::sync::Arc;
use std::time::Duration;

// The client's types are part of this interface.
pub use async_nats;
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{AckPolicy, pull as consumer};
pub use delivery::Delivery;

use crate::ack::{Acknowledger, BoxError};
use crate::failure::Failure;
use crate::message::Message;
use crate::producer::Producer;
use acks::NatsAcks;
use pull::Pull;

/// What is set before it runs.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) context: Context,
    pub(crate) stream: String,
    pub(crate) durable: String,
    pub(crate) filters: Vec<String>,
    pub(crate) ack_wait: Duration,
    pub(crate) max_ack_pending: usize,
    pub(crate) max_attempts: u32,
    pub(crate) retry_first: Duration,
    pub(crate) retry_most: Duration,
    pub(crate) double_ack: bool,
    pub(crate) dead_letters: Option<String>,
}

/// The messages of one durable consumer, as a producer. Several of them on one durable, here or on other nodes, share
/// its messages.
pub struct JetStream {
    settings: Settings,
    /// Made when the first message is asked for, so that changes of the settings above reach it.
    live: Option<Live>,
    pull: Option<Pull>,
}

struct Live {
    acks: Arc<NatsAcks>,
    /// The same, as messages know it.
    source: Arc<dyn Acknowledger>,
}

impl JetStream {
    /// The messages of `stream`, which exists, through the consumer `durable`, which is made or brought up to date.
    pub fn new(context: Context, stream: impl Into<String>, durable: impl Into<String>) -> Self {
        let settings = Settings {
            context,
            stream: stream.into(),
            durable: durable.into(),
            filters: Vec::new(),
            ack_wait: Duration::from_secs(30),
            max_ack_pending: 10_000,
            max_attempts: 20,
            retry_first: Duration::from_secs(1),
            retry_most: Duration::from_mins(10),
            double_ack: false,
            dead_letters: None,
        };
        Self { settings, live: None, pull: None }
    }

    /// Only messages of this subject; may be called again for more of them.
    #[must_use]
    pub fn filter(mut self, subject: impl Into<String>) -> Self {
        self.settings.filters.push(subject.into());
        self
    }

    /// How long a node may be silent before its messages go to others; 30 s unless told. While they are under way the
    /// broker is told so three times in this time.
    #[must_use]
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.settings.ack_wait = wait;
        self
    }

    /// How many messages of this durable are out at a time, over all nodes; 10,000 unless told. A pipeline with a larger
    /// [`in_flight_bound`](crate::Topology::in_flight_bound) is held up by it.
    #[must_use]
    pub fn max_ack_pending(mut self, messages: usize) -> Self {
        self.settings.max_ack_pending = messages.max(1);
        self
    }

    /// How often a message is tried; 20 unless told. One that was given out more often (its nodes died of it) comes
    /// failed.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.settings.max_attempts = attempts.max(1);
        self
    }

    /// How long to wait after the first failed attempt, doubled with each up to `most`; a second and ten minutes unless
    /// told.
    #[must_use]
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        (self.settings.retry_first, self.settings.retry_most) = (first, most);
        self
    }

    /// Waits until the broker has confirmed each acknowledgement. Costs a round trip a batch.
    #[must_use]
    pub fn double_ack(mut self, yes: bool) -> Self {
        self.settings.double_ack = yes;
        self
    }

    /// Stores what will not be tried again under this subject (which belongs to a stream that the consumer's filters
    /// don't reach), with the reason in the header `Pipeline-Reason`. Without it such messages are ended, and
    /// [`Handler::handle_failed`](crate::Handler::handle_failed) has to keep them.
    #[must_use]
    pub fn dead_letters(mut self, subject: impl Into<String>) -> Self {
        self.settings.dead_letters = Some(subject.into());
        self
    }

    async fn connect(&self) -> Result<Pull, BoxError> {
        let settings = &self.settings;
        let (filter_subject, filter_subjects) = match settings.filters.as_slice() {
            [] => (String::new(), Vec::new()),
            [one] => (one.clone(), Vec::new()),
            many => (String::new(), many.to_vec()),
        };
        let config = consumer::Config {
            durable_name: Some(settings.durable.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: settings.ack_wait,
            max_ack_pending: i64::try_from(settings.max_ack_pending).unwrap_or(i64::MAX),
            // The broker would drop a message silently; we end it with a dead letter.
            max_deliver: -1,
            filter_subject,
            filter_subjects,
            ..consumer::Config::default()
        };
        let consumer = settings.context.create_consumer_on_stream(config, settings.stream.as_str()).await?;
        Pull::new(consumer, settings.context.clone()).await
    }

    fn message(&self, live: &Live, delivery: Delivery) -> Message<Delivery> {
        let attempts = delivery.attempt();
        let receipt = live.acks.hold(&delivery);
        let mut message = Message::new(delivery, &live.source, receipt);
        if attempts > self.settings.max_attempts {
            message.fail(Failure::reject(format_args!("given out {attempts} times and never ended")));
        }
        message
    }
}

impl Producer for JetStream {
    type Item = Delivery;

    async fn produce(&mut self, demand: usize) -> Result<Option<Vec<Message<Delivery>>>, BoxError> {
        if self.live.is_none() {
            let acks = Arc::new(NatsAcks::new(self.settings.clone()));
            acks::keep_alive(&acks);
            self.live = Some(Live { source: Arc::clone(&acks) as Arc<dyn Acknowledger>, acks });
        }
        if self.pull.is_none() {
            self.pull = Some(self.connect().await?);
        }
        let (Some(pull), Some(live)) = (&mut self.pull, &self.live) else { return Ok(None) };
        match pull.next(demand).await {
            Ok(taken) => {
                let messages = taken.into_iter().map(|delivery| self.message(live, delivery)).collect();
                Ok(Some(messages))
            }
            Err(error) => {
                // Whatever it was: with a new consumer and a new inbox everything is asked for again.
                self.pull = None;
                Err(error)
            }
        }
    }

    /// What has arrived and was not handed out goes back at once.
    async fn stop(&mut self) {
        if let Some(pull) = self.pull.take() {
            pull.give_back().await;
        }
    }

    fn name(&self) -> &'static str {
        "jetstream"
    }
}

impl std::fmt::Debug for JetStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JetStream")
            .field("stream", &self.settings.stream)
            .field("durable", &self.settings.durable)
            .finish_non_exhaustive()
    }
}
