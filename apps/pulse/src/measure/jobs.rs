//! The counters of the job engine, as metrics.
//!
//! **Invariant.** Each figure that the engine tells of itself is told under a name of its own.

use jobs::Snapshot;
use pulse_obs::{Kind, Metrics};

use super::{float, labelled};

/// The job engine.
pub(crate) fn jobs(metrics: &Metrics, look: impl Fn() -> Snapshot + Clone + Send + Sync + 'static) {
    let read = look.clone();
    metrics.samples("pulse_jobs_ended", "Attempts and jobs by how they ended", Kind::Counter, move |out| {
        let s = read();
        let outcomes = [
            ("done", s.done),
            ("retried", s.retried),
            ("discarded", s.discarded),
            ("cancelled", s.cancelled),
            ("snoozed", s.snoozed),
            ("handed_back", s.handed_back),
            ("rescued", s.rescued),
            ("stopped", s.stopped),
            ("lost", s.lost),
            ("panicked", s.panics),
            ("timed_out", s.timeouts),
        ];
        for (outcome, count) in outcomes {
            out.push(labelled("outcome", outcome, count));
        }
    });
    let add = |name, help, kind, read: fn(&Snapshot) -> f64| {
        let look = look.clone();
        metrics.read(name, help, kind, move || read(&look()));
    };
    add("pulse_jobs_taken", "Jobs taken from the table", Kind::Counter, |s| float(s.taken));
    add("pulse_jobs_store_errors", "Statements that the database refused", Kind::Counter, |s| {
        float(s.store_errors)
    });
    add("pulse_jobs_fired", "Ticks of the schedule that this node made jobs of", Kind::Counter, |s| {
        float(s.fired)
    });
    add("pulse_jobs_stuck", "Attempts that block their thread beyond their timeout", Kind::Gauge, |s| {
        float(s.stuck.max(0).unsigned_abs())
    });
    add("pulse_jobs_leads", "Whether this node turns ticks of the schedule into jobs", Kind::Gauge, |s| {
        float(s.leads.max(0).unsigned_abs())
    });
    add("pulse_jobs_running", "Jobs that run", Kind::Gauge, |s| float(s.running.max(0).unsigned_abs()));
    add("pulse_jobs_buffered", "Jobs taken that wait for their turn", Kind::Gauge, |s| {
        float(s.buffered.max(0).unsigned_abs())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_of_the_engine_moves_its_own_metric() {
        // All different, so that no two can stand in for each other.
        let snapshot = Snapshot {
            taken: 101,
            done: 102,
            retried: 103,
            discarded: 104,
            cancelled: 105,
            snoozed: 106,
            handed_back: 107,
            rescued: 108,
            lost: 109,
            stopped: 110,
            fired: 111,
            panics: 112,
            timeouts: 113,
            store_errors: 114,
            stuck: 115,
            leads: 1,
            running: 117,
            buffered: 118,
        };
        let metrics = Metrics::new(super::super::BUILD);
        jobs(&metrics, move || snapshot);
        let told = metrics.encode().unwrap();
        for line in [
            "pulse_jobs_taken_total 101.0",
            "pulse_jobs_ended_total{outcome=\"done\"} 102.0",
            "pulse_jobs_ended_total{outcome=\"retried\"} 103.0",
            "pulse_jobs_ended_total{outcome=\"discarded\"} 104.0",
            "pulse_jobs_ended_total{outcome=\"cancelled\"} 105.0",
            "pulse_jobs_ended_total{outcome=\"snoozed\"} 106.0",
            "pulse_jobs_ended_total{outcome=\"handed_back\"} 107.0",
            "pulse_jobs_ended_total{outcome=\"rescued\"} 108.0",
            "pulse_jobs_ended_total{outcome=\"lost\"} 109.0",
            "pulse_jobs_ended_total{outcome=\"stopped\"} 110.0",
            "pulse_jobs_fired_total 111.0",
            "pulse_jobs_ended_total{outcome=\"panicked\"} 112.0",
            "pulse_jobs_ended_total{outcome=\"timed_out\"} 113.0",
            "pulse_jobs_store_errors_total 114.0",
            "pulse_jobs_stuck 115.0",
            "pulse_jobs_leads 1.0",
            "pulse_jobs_running 117.0",
            "pulse_jobs_buffered 118.0",
        ] {
            assert!(told.lines().any(|told| told == line), "{line} is missing:\n{told}");
        }
    }
}
