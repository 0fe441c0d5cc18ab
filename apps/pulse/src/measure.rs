//! Hands the rooms' counters to the metrics.
//!
//! **Invariant.** Every bound that can turn somebody away has a counter here.

mod feeds;
mod jobs;

use std::sync::Arc;

use pulse_cache::CacheStats;
use pulse_data::{Repo, RepoStats};
use pulse_jobs::{EffectSnapshot, EffectStats};
use pulse_obs::{BuildInfo, ExportStats, Kind, Metrics, Sample};
use pulse_web::{AppState, SocketStats, Web};

use crate::rooms::Rooms;
pub(crate) use feeds::feeds;
pub(crate) use jobs::jobs;

/// What was built.
pub(crate) const BUILD: BuildInfo = BuildInfo {
    version: env!("CARGO_PKG_VERSION"),
    commit: match option_env!("PULSE_BUILD_COMMIT") {
        Some(commit) => commit,
        None => "unknown",
    },
    profile: if cfg!(debug_assertions) { "debug" } else { "release" },
};

/// A count as Prometheus has them; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "a counter beyond 2^53 may be off by one")]
const fn float(count: u64) -> f64 {
    count as f64
}

/// The fleet: carts awake, calls, crashes, refusals.
pub(crate) fn fleet(metrics: &Metrics, rooms: &Rooms) {
    let add = |name, help, kind, read: fn(&pulse_fleet::FleetStats) -> u64| {
        let fleet = rooms.door.fleet().clone();
        metrics.read(name, help, kind, move || float(read(&fleet.stats())));
    };
    add("pulse_fleet_carts_awake", "Carts in memory", Kind::Gauge, |s| s.awake as u64);
    add("pulse_fleet_calls_in_flight", "Calls under way", Kind::Gauge, |s| s.in_flight as u64);
    add("pulse_fleet_carts_backing_off", "Carts that wait after crashes", Kind::Gauge, |s| {
        s.backing_off as u64
    });
    add("pulse_fleet_carts_started", "Carts woken", Kind::Counter, |s| s.started);
    add("pulse_fleet_carts_evicted", "Carts put to sleep to make room", Kind::Counter, |s| s.evicted);
    add("pulse_fleet_calls_crashed", "Calls whose cart crashed", Kind::Counter, |s| s.crashed);
    add("pulse_fleet_calls_overloaded", "Calls turned away", Kind::Counter, |s| s.overloaded);
}

/// The store: writes, and what they cost.
pub(crate) fn store(metrics: &Metrics, repo: &Repo) {
    let add = |name, help, read: fn(&RepoStats) -> u64| {
        let repo = repo.clone();
        metrics.read(name, help, Kind::Counter, move || float(read(&repo.stats())));
    };
    add("pulse_store_writes", "Writes that ran to their end", |s| s.writes);
    add("pulse_store_commits", "Commits; fewer than writes where those share them", |s| s.commits);
    add("pulse_store_refused", "Writes turned away because too many waited", |s| s.refused);
    add("pulse_store_retries", "Writes tried again", |s| s.retries);
}

/// The caches: the catalogue's, and those of the web room.
pub(crate) fn caches(metrics: &Metrics, rooms: &Rooms, web: &AppState) {
    type Read = fn(&CacheStats) -> f64;
    let families: [(&'static str, &'static str, Kind, Read); 7] = [
        ("pulse_cache_hits", "Answers from memory", Kind::Counter, |s| float(s.hits)),
        ("pulse_cache_negative_hits", "Answers from memory that there is nothing", Kind::Counter, |s| {
            float(s.negative_hits)
        }),
        ("pulse_cache_misses", "Answers that had to be loaded", Kind::Counter, |s| float(s.misses)),
        ("pulse_cache_loads", "Loads from the store", Kind::Counter, |s| float(s.loads)),
        ("pulse_cache_load_errors", "Loads that failed", Kind::Counter, |s| float(s.load_errors)),
        ("pulse_cache_load_seconds", "Time spent in loads", Kind::Counter, |s| s.load_time.as_secs_f64()),
        ("pulse_cache_entries", "Entries kept", Kind::Gauge, |s| float(s.entries)),
    ];
    for (name, help, kind, read) in families {
        let (catalogue, web) = (Arc::clone(&rooms.cache), web.clone());
        metrics.samples(name, help, kind, move |out| {
            let (catalogue, web) = (catalogue.stats(), web.stats());
            let caches = [
                ("offers", catalogue.offers),
                ("promotions", catalogue.promotions),
                ("pages", web.pages),
                ("products", web.products),
                ("sessions", web.sessions),
                ("listings", web.listings),
            ];
            for (cache, stats) in caches {
                out.push(Sample { label: Some(("cache", cache.to_owned())), value: read(&stats) });
            }
        });
    }
}

/// Live pages, and the sockets of pages and of programs.
pub(crate) fn pages(metrics: &Metrics, web: &Web) {
    type Read = fn(&SocketStats) -> u64;
    const GAUGES: [(&str, &str, Read); 2] = [
        ("pulse_sockets_open", "Sockets that are open", |s| s.sockets),
        ("pulse_channels_open", "Topics that are joined", |s| s.channels),
    ];
    let connected = web.clone();
    metrics.read("pulse_pages_open", "Live pages that are open", Kind::Gauge, move || {
        float(connected.stats().0.connected)
    });
    let views = web.clone();
    metrics.samples(
        "pulse_pages",
        "What live pages have done, and what they refused",
        Kind::Counter,
        move |out| {
            for (what, count) in views.stats().0.iter().filter(|(what, _)| *what != "connected") {
                out.push(Sample { label: Some(("what", what.to_owned())), value: float(count) });
            }
        },
    );
    for (name, help, read) in GAUGES {
        let web = web.clone();
        metrics.samples(name, help, Kind::Gauge, move |out| {
            for (of, stats) in [("pages", web.stats().1), ("programs", web.programs())] {
                out.push(Sample { label: Some(("of", of.to_owned())), value: float(read(&stats)) });
            }
        });
    }
    for (name, help, of_pages) in [
        ("pulse_sockets_of_pages", "What the sockets of pages have done, and what they refused", true),
        ("pulse_sockets_of_programs", "What the sockets of programs have done, and what they refused", false),
    ] {
        let web = web.clone();
        metrics.samples(name, help, Kind::Counter, move |out| {
            let stats = if of_pages { web.stats().1 } else { web.programs() };
            for (what, count) in stats.iter() {
                out.push(Sample { label: Some(("what", what.to_owned())), value: float(count) });
            }
        });
    }
    let state = web.clone();
    metrics.read(
        "pulse_news_missed",
        "News that a page missed because its mailbox was full",
        Kind::Counter,
        move || float(state.missed_news()),
    );
}

/// Mails, messages to other programs, and what the shop looks after by itself.
pub(crate) fn effects(metrics: &Metrics, stats: &Arc<EffectStats>) {
    type Read = fn(&EffectSnapshot) -> u64;
    type Family = (&'static str, &'static str, &'static str, &'static [(&'static str, Read)]);
    const FAMILIES: [Family; 3] = [
        (
            "pulse_mails",
            "Attempts at mails by what became of them",
            "outcome",
            &[("sent", |s| s.mails_sent), ("later", |s| s.mails_later), ("refused", |s| s.mails_refused)],
        ),
        (
            "pulse_webhooks",
            "Attempts at webhooks by what became of them, and endpoints switched off",
            "outcome",
            &[
                ("delivered", |s| s.webhooks_delivered),
                ("failed", |s| s.webhooks_failed),
                ("switched_off", |s| s.webhooks_switched_off),
            ],
        ),
        (
            "pulse_watch",
            "What the shop has found by looking after itself",
            "found",
            &[
                ("carts_left", |s| s.reminders),
                ("low_stock", |s| s.low_stock),
                ("overdue_payments", |s| s.overdue),
                ("payment_news", |s| s.payments_told_again),
                ("old_rows", |s| s.pruned),
                ("guest_carts", |s| s.guest_carts),
            ],
        ),
    ];
    for (name, help, label, samples) in FAMILIES {
        let stats = Arc::clone(stats);
        metrics.samples(name, help, Kind::Counter, move |out| {
            let now = stats.snapshot();
            for (value, read) in samples {
                out.push(Sample { label: Some((label, (*value).to_owned())), value: float(read(&now)) });
            }
        });
    }
    let found = Arc::clone(stats);
    metrics.read(
        "pulse_audit_findings",
        "What the last verification of the audit trail found",
        Kind::Gauge,
        move || float(found.snapshot().audit_findings),
    );
    let stats = Arc::clone(stats);
    metrics.read(
        "pulse_audit_verified_timestamp_seconds",
        "When the audit trail was last verified; 0 for never in this process",
        Kind::Gauge,
        move || float(stats.snapshot().audit_verified_at.max(0).unsigned_abs() / 1_000),
    );
}

fn labelled(label: &'static str, value: &str, count: u64) -> Sample {
    Sample { label: Some((label, value.to_owned())), value: float(count) }
}

/// The export of spans.
pub(crate) fn export(metrics: &Metrics, stats: &ExportStats) {
    let read = stats.clone();
    metrics.samples("pulse_otlp_spans", "Spans by what became of them", Kind::Counter, move |out| {
        for (outcome, count) in
            [("exported", read.exported()), ("failed", read.failed()), ("dropped", read.dropped())]
        {
            out.push(Sample { label: Some(("outcome", outcome.to_owned())), value: float(count) });
        }
    });
}
