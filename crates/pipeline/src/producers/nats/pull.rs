//! Pull requests over one inbox.
//!
//! **Invariant.** What is asked for and has not come is never more than the demand. A request that nobody answers (the
//! broker is new and knows nothing of it) is forgotten when its time is over, and made again.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::BatchConfig;
use async_nats::jetstream::{AckKind, Context, Message};
use async_nats::{StatusCode, Subject, Subscriber};
use futures::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep, timeout};

use super::delivery::Delivery;
use crate::ack::BoxError;

/// How long the broker keeps a request that it can't fill.
const EXPIRES: Duration = Duration::from_secs(5);
/// How much later than that its answer may come.
const GRACE: Duration = Duration::from_secs(1);
/// How often to look whether the broker is still there.
const LOOK: Duration = Duration::from_millis(200);

pub(super) struct Pull {
    consumer: PullConsumer,
    context: Context,
    inbox: Subject,
    messages: Subscriber,
    /// Asked for and not here yet.
    pending: usize,
    /// By then the broker has answered the last request.
    answered: Instant,
}

/// What came over the inbox.
enum Came {
    Message(Box<Delivery>),
    /// A request has ended, so many messages short.
    Ended(usize),
    Nothing,
}

impl Pull {
    pub(super) async fn new(consumer: PullConsumer, context: Context) -> Result<Self, BoxError> {
        let inbox = Subject::from(context.client().new_inbox());
        let messages = context.client().subscribe(inbox.clone()).await?;
        Ok(Self { consumer, context, inbox, messages, pending: 0, answered: Instant::now() })
    }

    /// Waits for the first message, takes those that have come with it, at most `demand`.
    pub(super) async fn next(&mut self, demand: usize) -> Result<Vec<Delivery>, BoxError> {
        let mut taken = Vec::new();
        loop {
            if self.context.client().connection_state() != State::Connected {
                // Requests die with their connection. The client is at it; what would be asked now would pile up in it.
                self.pending = 0;
                sleep(LOOK).await;
                continue;
            }
            // Asked for early, so that the next ones are on their way while these are handled.
            if self.pending <= demand / 2 {
                self.ask(demand - self.pending).await?;
            }
            let Ok(came) = timeout(LOOK, self.messages.next()).await else {
                if self.answered <= Instant::now() {
                    tracing::debug!(pending = self.pending, "a pull request was not answered");
                    self.pending = 0;
                }
                continue;
            };
            let mut came = Some(came.ok_or("the client is closed")?);
            // Nothing below awaits: what is taken here is handed out.
            while let Some(message) = came.take() {
                match self.judge(message)? {
                    Came::Message(delivery) => taken.push(*delivery),
                    Came::Ended(short) => self.pending = self.pending.saturating_sub(short),
                    Came::Nothing => {}
                }
                if taken.len() < demand {
                    came = self.messages.next().now_or_never().flatten();
                }
            }
            if !taken.is_empty() {
                return Ok(taken);
            }
        }
    }

    async fn ask(&mut self, batch: usize) -> Result<(), BoxError> {
        let request = BatchConfig { batch, expires: Some(EXPIRES), ..BatchConfig::default() };
        self.consumer.request_batch(request, self.inbox.clone()).await?;
        self.pending += batch;
        self.answered = Instant::now() + EXPIRES + GRACE;
        Ok(())
    }

    fn judge(&mut self, message: async_nats::Message) -> Result<Came, BoxError> {
        let description = message.description.as_deref().unwrap_or_default();
        match message.status {
            None | Some(StatusCode::OK) => {
                self.pending = self.pending.saturating_sub(1);
                let message = Message { message, context: self.context.clone() };
                Ok(Came::Message(Box::new(Delivery::new(message)?)))
            }
            Some(StatusCode::IDLE_HEARTBEAT) => Ok(Came::Nothing),
            // Its time is over, or the broker goes down or the consumer's leader moves and ends it early.
            Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND | StatusCode::REQUEST_TERMINATED)
                if !description.contains("Deleted") && !description.contains("push based") =>
            {
                let short = message.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
                let short = short.and_then(|short| short.as_str().parse().ok());
                Ok(Came::Ended(short.unwrap_or(self.pending)))
            }
            Some(status) => Err(format!("the broker ended the pull request: {status} {description}").into()),
        }
    }

    /// Gives back what has arrived.
    pub(super) async fn give_back(mut self) {
        // Asks for no more: what the broker sends from now on finds nobody, and comes again.
        drop(self.messages.unsubscribe().await);
        while let Some(Some(message)) = self.messages.next().now_or_never() {
            if message.status.is_none() {
                let message = Message { message, context: self.context.clone() };
                if let Err(error) = message.ack_with(AckKind::Nak(None)).await {
                    tracing::warn!(%error, "a message could not be given back; it comes again after its time");
                }
            }
        }
    }
}
