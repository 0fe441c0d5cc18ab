//! A stream of a NATS server as a feed without an end: each message a row, its number in the stream the row's.
//!
//! **Invariant.** A message is acknowledged after the transaction that has done it, and a number that is done is not done
//! again: so what the broker gives out twice, after a crash or of its own accord, counts once. The feed is that of the stream
//! as it was made; one that is made anew under the same name, whose numbers begin again, is another feed.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use pipeline::producers::nats::async_nats::{self, jetstream};
use pipeline::producers::nats::{Delivery, JetStream};
use pulse_data::feeds::{Format, Kind, NewFeed, Origin, Place};

use super::apply::{Floor, Sent};
use super::parse::Reading;
use super::progress::FeedProgress;
use super::raw::{MOST_ROW, RawRow};
use super::run::{AHEAD, FeedOptions, FeedRooms, FeedRunError, WHO, through_stream};
use crate::replay::patiently;

/// Where a stream is: `nats://HOST:PORT/STREAM?kind=stock`, with `/SUBJECT` behind the stream, `source` and `consumer`
/// where they are wanted.
///
/// ```
/// use pulse_ingest::feed::StreamAddress;
/// let address: StreamAddress = "nats://localhost:4222/FEEDS/feeds.stock.*?kind=stock&source=acme".parse().unwrap();
/// assert_eq!((address.stream.as_str(), address.subject.as_deref()), ("FEEDS", Some("feeds.stock.*")));
/// assert_eq!((address.source.as_str(), address.consumer.as_str()), ("acme", "pulse-stock"));
/// assert!("nats://localhost/FEEDS".parse::<StreamAddress>().is_err(), "it does not say what it tells of");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAddress {
    /// Where the server is, as its client takes it; may hold a password.
    pub server: String,
    /// The stream, which exists.
    pub stream: String,
    /// Only messages of this subject.
    pub subject: Option<String>,
    /// The durable consumer: who names the same one shares its messages. `pulse-` and the kind where it is not named.
    pub consumer: String,
    /// What its messages tell of.
    pub kind: Kind,
    /// Whose it is; the stream's name where it is not named.
    pub source: String,
    /// How long the broker waits for an acknowledgement before it gives a message out again.
    pub ack_wait: Duration,
}

/// A text that is no address of a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no address of a stream ({0}): give nats://HOST:PORT/STREAM?kind=KIND, where KIND is catalogue, prices, stock or orders"
)]
pub struct InvalidAddress(&'static str);

impl FromStr for StreamAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let wrong = InvalidAddress;
        let rest = text.strip_prefix("nats://").ok_or(wrong("it does not begin with nats://"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (server, path) = place.split_once('/').ok_or(wrong("it names no stream"))?;
        let (stream, subject) = path.split_once('/').unwrap_or((path, ""));
        if server.is_empty() || stream.is_empty() {
            return Err(wrong("it names no server or no stream"));
        }
        let (mut kind, mut source, mut consumer) = (None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(wrong("a setting has no value"))?;
            match name {
                "kind" => kind = Some(Kind::from_name(value).ok_or(wrong("its kind is none"))?),
                "source" if (1..=60).contains(&value.chars().count()) => source = Some(value.to_owned()),
                "consumer" if !value.is_empty() => consumer = Some(value.to_owned()),
                _ => return Err(wrong("a setting is none of kind, source, consumer")),
            }
        }
        let kind = kind.ok_or(wrong("it does not say its kind"))?;
        Ok(Self {
            server: format!("nats://{server}"),
            stream: stream.to_owned(),
            subject: Some(subject).filter(|subject| !subject.is_empty()).map(str::to_owned),
            consumer: consumer.unwrap_or_else(|| format!("pulse-{}", kind.name())),
            kind,
            source: source.unwrap_or_else(|| stream.chars().take(60).collect()),
            ack_wait: Duration::from_secs(30),
        })
    }
}

impl Sent for Delivery {
    fn take(&mut self) -> RawRow {
        let kept = self.payload.get(..MOST_ROW).unwrap_or(&self.payload);
        let place = Place { row: self.sequence(), line: 0 };
        RawRow { place, text: kept.into(), cut: kept.len() < self.payload.len() }
    }
}

fn gone(error: impl std::fmt::Display) -> FeedRunError {
    FeedRunError::Broker(error.to_string())
}

/// Feeds a stream until it is asked to stop. A broker that goes away meanwhile is waited for; one that can't be reached at
/// the beginning is told.
pub async fn feed_stream(
    rooms: &FeedRooms,
    address: &StreamAddress,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
) -> Result<(), FeedRunError> {
    let connecting = async_nats::ConnectOptions::new().reconnect_delay_callback(|attempts| {
        Duration::from_millis(50 * u64::try_from(attempts.min(20)).unwrap_or(20))
    });
    let context = jetstream::new(connecting.connect(&address.server).await.map_err(gone)?);
    let stream = context.get_stream(&address.stream).await.map_err(gone)?;
    let created = stream.cached_info().created.unix_timestamp_nanos();
    let new = NewFeed {
        source: address.source.clone(),
        kind: address.kind,
        origin: Origin::Stream,
        name: format!("{} {}", address.stream, address.subject.as_deref().unwrap_or_default())
            .trim()
            .to_owned(),
        content: format!(
            "nats:{}:{created}:{}",
            address.stream,
            address.subject.as_deref().unwrap_or_default()
        ),
        format: Format::Ndjson,
        columns: Vec::new(),
        fed_at: None,
    };
    let (feed, _) = patiently(|| rooms.feeds.begin(&WHO, new.clone())).await?;
    let reading = Reading::of(&feed, rooms.clock.now().after(AHEAD)).map_err(FeedRunError::Crashed)?;
    let mut producer = JetStream::new(context, &address.stream, &address.consumer).ack_wait(address.ack_wait);
    if let Some(subject) = &address.subject {
        producer = producer.filter(subject);
    }
    let consumer = address.consumer.clone();
    let looking = watch_backlog(stream.clone(), consumer.clone(), Arc::clone(progress));
    let floor: Floor = Arc::new(move || {
        let (stream, consumer) = (stream.clone(), consumer.clone());
        async move { Some(stream.consumer_info(&consumer).await.ok()?.ack_floor.stream_sequence) }.boxed()
    });
    tokio::select! {
        ended = through_stream(rooms, feed, reading, producer, options, progress, floor) => ended,
        () = looking => Ok(()),
    }
}

/// How often the broker is asked how much it holds.
const LOOK: Duration = Duration::from_secs(1);

/// Notes again and again how many messages wait at the broker, also those that are given out and not acknowledged. For ever;
/// a broker that does not say leaves the last number standing.
async fn watch_backlog(stream: jetstream::stream::Stream, consumer: String, progress: Arc<FeedProgress>) {
    loop {
        if let Ok(info) = stream.consumer_info(&consumer).await {
            progress.pending(info.num_pending + info.num_ack_pending as u64);
        }
        tokio::time::sleep(LOOK).await;
    }
}
