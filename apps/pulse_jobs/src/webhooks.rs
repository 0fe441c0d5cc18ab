//! Telling other programs: the worker of `webhook.deliver`.
//!
//! **Invariant.** An endpoint is sent what was written down, signed, and its answer is noted before the job ends; a
//! message is sent again under the same id, so a program that knows ids acts once. One slow endpoint holds at most
//! its share of the queue: the others' messages go on. An endpoint that asks for a pause gets it, within bounds. The job's error names a status or a kind of failure, never
//! what an endpoint has said: that stands in the delivery's log.

mod address;
mod asked;
mod client;
mod sign;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::{Backoff, Job, Outcome, Wake, Worker};
use parking_lot::Mutex;
use pulse_core::Principal;
use pulse_core::ports::Clock;
use pulse_data::mail::MAIL_QUEUE;
use pulse_data::webhooks::{
    Answer, DeliveryId, Due, EndpointId, Noted, Outbound, WEBHOOK_WORKER, WebhookError, Webhooks,
};
use serde::Deserialize;

pub use address::Reach;
pub use asked::{LONGEST_ASKED, asked_pause};
pub use client::ClientOptions;
pub use sign::{Signed, sign};

use crate::stats::{EffectStats, add};
use client::{Answered, Client};

/// In whose name messages are sent.
const HOOKS: Principal = Principal::System("webhooks");

/// Five seconds, doubled up to six hours: with [`WEBHOOK_ATTEMPTS`](pulse_data::webhooks::WEBHOOK_ATTEMPTS) attempts
/// that is about four days.
pub const WEBHOOK_BACKOFF: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_hours(6) };

/// How long a message waits for its endpoint's turn.
const TURN: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Args {
    delivery: DeliveryId,
}

/// Sends messages to webhook endpoints.
pub struct Deliver {
    webhooks: Webhooks,
    client: Client,
    clock: Arc<dyn Clock>,
    wake: Wake,
    stats: Arc<EffectStats>,
    /// Messages under way by endpoint; never more entries than the queue has places.
    under_way: Arc<Mutex<HashMap<EndpointId, usize>>>,
    share: usize,
}

impl Deliver {
    /// The worker over these webhooks; at most `share` messages are on their way to one endpoint. `wake` is told when a
    /// letter waits.
    pub fn new(
        webhooks: Webhooks,
        options: ClientOptions,
        share: usize,
        clock: Arc<dyn Clock>,
        wake: Wake,
        stats: Arc<EffectStats>,
    ) -> Self {
        let client = Client::new(options);
        Self { webhooks, client, clock, wake, stats, under_way: Arc::default(), share: share.max(1) }
    }

    async fn work(&self, job: &Job) -> Outcome {
        let Args { delivery } = match job.args() {
            Ok(args) => args,
            Err(error) => return Outcome::cancel(error),
        };
        let outbound = match self.webhooks.due(&HOOKS, delivery).await {
            Ok(Due::Send(outbound)) => outbound,
            Ok(Due::Delivered) => return Outcome::Done,
            Ok(Due::Over) => return Outcome::cancel("its endpoint is gone or switched off"),
            Err(error) => return failed(&error),
        };
        let Some(_turn) = Turn::take(&self.under_way, outbound.endpoint, self.share) else {
            return Outcome::Snooze(TURN);
        };
        let Sent { status, why, answer, asked } = self.send(&outbound, job.is_last_attempt()).await;
        let taken = answer.is_taken();
        add(if taken { &self.stats.webhooks_delivered } else { &self.stats.webhooks_failed }, 1);
        match self.webhooks.noted(&HOOKS, delivery, outbound.endpoint, answer).await {
            Ok(Noted::Delivered) => Outcome::Done,
            Ok(Noted::Again) => match asked {
                Some(pause) => Outcome::RetryAfter(why, pause),
                None => Outcome::Retry(why),
            },
            Ok(Noted::Failed) => {
                tracing::warn!(
                    delivery = delivery.0,
                    endpoint = outbound.endpoint.0,
                    status,
                    "webhook given up"
                );
                Outcome::Retry(why)
            }
            Ok(Noted::SwitchedOff) => {
                tracing::error!(endpoint = outbound.endpoint.0, status, "webhook endpoint switched off");
                add(&self.stats.webhooks_switched_off, 1);
                self.wake.queue(MAIL_QUEUE);
                Outcome::Cancel(why)
            }
            Ok(Noted::Gone) => Outcome::cancel("its endpoint is gone"),
            Err(error) => failed(&error),
        }
    }

    async fn send(&self, outbound: &Outbound, last: bool) -> Sent {
        let began = tokio::time::Instant::now();
        let signed = sign(outbound, self.clock.now());
        let response = match &signed {
            Some(signed) => self.client.post(&outbound.url, &outbound.payload, signed).await,
            None => Err("its secret can't be read: draw a new one".to_owned()),
        };
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match response {
            Ok(Answered { status, note, retry_after }) => {
                let asked = asked_pause(status, retry_after.as_deref(), self.clock.now());
                let pause = asked.map_or_else(String::new, |pause| format!(" and asks for {pause:?}"));
                let why = format!("the endpoint answered {status}{pause}");
                Sent { status, why, answer: Answer { status: Some(status), millis, note, last }, asked }
            }
            Err(why) => {
                let answer = Answer { status: None, millis, note: why.clone(), last };
                Sent { status: 0, why, answer, asked: None }
            }
        }
    }
}

/// What came of sending a message.
struct Sent {
    /// 0 where there was no answer.
    status: u16,
    /// For the job's row.
    why: String,
    /// What is noted.
    answer: Answer,
    /// The pause that the endpoint asks for.
    asked: Option<Duration>,
}

/// One of an endpoint's places; given back when it is dropped.
struct Turn {
    under_way: Arc<Mutex<HashMap<EndpointId, usize>>>,
    endpoint: EndpointId,
}

impl Turn {
    fn take(
        under_way: &Arc<Mutex<HashMap<EndpointId, usize>>>,
        endpoint: EndpointId,
        share: usize,
    ) -> Option<Self> {
        let mut counts = under_way.lock();
        let count = counts.entry(endpoint).or_insert(0);
        if *count >= share {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Self { under_way: Arc::clone(under_way), endpoint })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.under_way.lock();
        if let Some(count) = counts.get_mut(&self.endpoint) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.endpoint);
            }
        }
    }
}

fn failed(error: &WebhookError) -> Outcome {
    match error {
        WebhookError::Db(_) => Outcome::retry(error),
        _ => Outcome::cancel(error),
    }
}

impl Worker for Deliver {
    fn name(&self) -> &'static str {
        WEBHOOK_WORKER
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.work(&job).await })
    }

    fn backoff(&self, failures: u32, jitter: f64) -> Duration {
        WEBHOOK_BACKOFF.delay(failures, jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_data::webhooks::WEBHOOK_ATTEMPTS;

    #[test]
    fn retries_reach_over_days_and_an_hours_silence_is_soon_over() {
        let all = |jitter| -> Duration {
            (1..WEBHOOK_ATTEMPTS).map(|failures| WEBHOOK_BACKOFF.delay(failures, jitter)).sum()
        };
        let day = Duration::from_hours(24);
        assert!(all(0.0) > day && all(1.0) < 4 * day, "{:?} to {:?}", all(0.0), all(1.0));
    }

    #[test]
    fn an_endpoint_has_its_share_and_gives_it_back() {
        let under_way = Arc::default();
        let first = Turn::take(&under_way, EndpointId(1), 2).unwrap();
        let second = Turn::take(&under_way, EndpointId(1), 2).unwrap();
        assert!(Turn::take(&under_way, EndpointId(1), 2).is_none());
        let other = Turn::take(&under_way, EndpointId(2), 2);
        assert!(other.is_some(), "the other endpoint's messages go on");
        drop(first);
        assert!(Turn::take(&under_way, EndpointId(1), 2).is_some());
        drop((second, other));
        assert!(under_way.lock().is_empty());
    }
}
