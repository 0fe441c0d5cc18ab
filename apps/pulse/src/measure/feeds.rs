//! What feeds have done, what waits, and how far behind the shop is, as metrics.
//!
//! **Invariant.** What feeds of this process have done is told from memory; what waits is told from what was last read of the
//! database, which a scrape never asks.

use std::sync::{Arc, PoisonError};

use pulse_data::feeds::Reason;
use pulse_ingest::feed::FeedStanding;
use pulse_obs::{Kind, Metrics};

use super::{float, labelled};
use crate::feeds::Waiting;
use crate::rooms::Rooms;

/// Feeds: what became of rows and of feeds, what waits, and how far behind the shop is.
pub(crate) fn feeds(metrics: &Metrics, rooms: &Rooms, waiting: &Waiting) {
    let fed = Arc::clone(&rooms.fed);
    progress(metrics, move || fed.look());
    let fed = Arc::clone(&rooms.fed);
    metrics.samples(
        "pulse_feeds_dead_rows",
        "Rows that became dead letters, by reason",
        Kind::Counter,
        move |out| {
            out.extend(fed.reasons().map(|(reason, rows)| labelled("reason", reason.name(), rows)));
        },
    );
    backlog(metrics, rooms, waiting);
}

/// What the feeds of this process have done.
fn progress(metrics: &Metrics, look: impl Fn() -> FeedStanding + Clone + Send + Sync + 'static) {
    type Read = fn(&FeedStanding) -> u64;
    type Family = (&'static str, &'static str, &'static [(&'static str, Read)]);
    const FAMILIES: [Family; 2] = [
        (
            "pulse_feeds_rows",
            "Rows of feeds that were taken, by what became of them",
            &[
                ("changed", |s| s.counts.changed),
                ("unchanged", |s| s.counts.unchanged),
                ("dead", |s| s.counts.dead),
                ("repeated", |s| s.repeated),
            ],
        ),
        (
            "pulse_feeds_ended",
            "Feeds by how they ended",
            &[
                ("done", |s| s.ends.done),
                ("known", |s| s.ends.known),
                ("refused", |s| s.ends.refused),
                ("failed", |s| s.ends.failed),
            ],
        ),
    ];
    for (name, help, samples) in FAMILIES {
        let look = look.clone();
        metrics.samples(name, help, Kind::Counter, move |out| {
            let now = look();
            out.extend(samples.iter().map(|(outcome, read)| labelled("outcome", outcome, read(&now))));
        });
    }
    let waits = look.clone();
    metrics.read(
        "pulse_feeds_waits",
        "Times that rows had to wait for the database",
        Kind::Counter,
        move || float(waits().waits),
    );
    metrics.read(
        "pulse_feeds_stream_pending",
        "Messages that the stream of feeds holds",
        Kind::Gauge,
        move || float(look().pending),
    );
}

/// What waits for a person or for its turn.
fn backlog(metrics: &Metrics, rooms: &Rooms, waiting: &Waiting) {
    let look = |waiting: &Waiting| waiting.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let open = Arc::clone(waiting);
    metrics.samples(
        "pulse_feeds_letters_open",
        "Dead letters that wait for somebody",
        Kind::Gauge,
        move |out| {
            let open = look(&open).open;
            let letters =
                |reason| open.iter().find(|(of, _)| *of == reason).map_or(0, |(_, letters)| *letters);
            out.extend(
                Reason::ALL.into_iter().map(|reason| labelled("reason", reason.name(), letters(reason))),
            );
        },
    );
    let posts = Arc::clone(waiting);
    metrics.read(
        "pulse_feeds_posts_waiting",
        "Posted feeds that are not at their end",
        Kind::Gauge,
        move || float(look(&posts).waiting),
    );
    let (oldest, clock) = (Arc::clone(waiting), Arc::clone(&rooms.clock));
    metrics.read(
        "pulse_feeds_lag_seconds",
        "For how long the oldest posted feed has waited; 0 where none waits",
        Kind::Gauge,
        move || {
            let lag = look(&oldest).oldest.map_or(0, |oldest| clock.now().0.saturating_sub(oldest.0));
            float(lag.max(0).unsigned_abs()) / 1_000.0
        },
    );
}

#[cfg(test)]
mod tests {
    use pulse_data::feeds::Counts;
    use pulse_ingest::feed::FeedEnds;

    use super::*;

    #[test]
    fn each_figure_of_the_feeds_moves_its_own_metric() {
        let standing = FeedStanding {
            bytes: 100,
            counts: Counts { changed: 101, unchanged: 102, dead: 103 },
            repeated: 104,
            waits: 105,
            pending: 106,
            ends: FeedEnds { done: 107, known: 108, refused: 109, failed: 110 },
        };
        let metrics = Metrics::new(super::super::BUILD);
        progress(&metrics, move || standing);
        let told = metrics.encode().unwrap();
        for line in [
            "pulse_feeds_rows_total{outcome=\"changed\"} 101.0",
            "pulse_feeds_rows_total{outcome=\"unchanged\"} 102.0",
            "pulse_feeds_rows_total{outcome=\"dead\"} 103.0",
            "pulse_feeds_rows_total{outcome=\"repeated\"} 104.0",
            "pulse_feeds_waits_total 105.0",
            "pulse_feeds_stream_pending 106.0",
            "pulse_feeds_ended_total{outcome=\"done\"} 107.0",
            "pulse_feeds_ended_total{outcome=\"known\"} 108.0",
            "pulse_feeds_ended_total{outcome=\"refused\"} 109.0",
            "pulse_feeds_ended_total{outcome=\"failed\"} 110.0",
        ] {
            assert!(told.lines().any(|told| told == line), "{line} is missing:\n{told}");
        }
    }
}
