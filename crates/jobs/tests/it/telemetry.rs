//! What an observer hears and what a span carries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobs::testing::TestClock;
use jobs::{Engine, Event, NewJob, Observer, Outcome, enqueue, queues};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;

use crate::database::both;
use crate::workers::{Always, wait_until};

/// Writes down what it hears, without what differs from run to run.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn event(&self, event: &Event<'_>) {
        let note = match event {
            Event::Taken { queue, jobs } => format!("taken {queue} {jobs}"),
            Event::Began { job, .. } => format!("began {}", job.worker),
            Event::Ended { job, outcome, .. } => format!("ended {} {outcome:?}", job.worker),
            Event::Queue { queue, setting } => format!("queue {queue} paused={}", setting.paused),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(note);
    }
}

both!(an_observer_hears_each_step, |db| {
    let notes = Arc::new(Notes::default());
    enqueue(&db, &NewJob::new("w", json!({}))).await.unwrap();
    let running = Engine::new(Arc::new(db.clone()), TestClock::new().options())
        .queue("default", 1)
        .worker(Always::new("w", Outcome::cancel("no")))
        .observe(notes.clone())
        .start();
    let heard = |n: usize| {
        let notes = Arc::clone(&notes);
        wait_until(move || {
            let notes = Arc::clone(&notes);
            async move { notes.0.lock().unwrap().len() == n }
        })
    };
    heard(3).await;
    queues::pause(&db, "default").await.unwrap();
    running.wake().control();
    heard(4).await;
    running.drain(Duration::from_secs(10)).await;
    let expected = ["taken default 1", "began w", "ended w Cancel(\"no\")", "queue default paused=true"];
    assert_eq!(*notes.0.lock().unwrap(), expected);
});

/// Collects the fields of spans named `job`.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

struct Collect<'a>(&'a Mutex<Vec<String>>);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push(format!("{}={value:?}", field.name()));
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "job"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Collect(&self.0));
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, values: &Record<'_>) {
        values.record(&mut Collect(&self.0));
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, _event: &tracing::Event<'_>) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[tokio::test]
async fn each_attempt_has_a_span_with_the_trace_that_asked_for_it() {
    let test = crate::database::sqlite().await;
    let spans = Spans::default();
    let _here: DefaultGuard = tracing::subscriber::set_default(spans.clone());
    let meta = json!({ "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736" });
    enqueue(&test.db, &NewJob::new("w", json!({})).meta(meta)).await.unwrap();
    let engine = Engine::new(Arc::new(test.db.clone()), TestClock::new().options())
        .queue("default", 1)
        .worker(Always::new("w", Outcome::Done));
    engine.run_due().await.unwrap();
    let fields = spans.0.lock().unwrap().clone();
    assert!(fields.contains(&"trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"".to_owned()), "{fields:?}");
    for field in ["id=1", "worker=\"w\"", "queue=\"default\"", "attempt=1"] {
        assert!(fields.contains(&field.to_owned()), "{fields:?}");
    }
    test.close().await;
}
