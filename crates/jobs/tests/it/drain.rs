//! Graceful ends.

use std::time::Duration;

use jobs::testing::TestClock;
use jobs::{NewJob, Options, State, enqueue_many};
use serde_json::json;

use crate::database::both;
use crate::workers::{Gated, engine, one, row};

both!(a_drain_ends_what_runs_and_gives_the_rest_back, |db| {
    let jobs: Vec<NewJob> = (0..20).map(|n| NewJob::new("gated", json!(n))).collect();
    enqueue_many(&db, &jobs).await.unwrap();
    let gated = Gated::new();
    let running = engine(&db, Options::default()).worker(gated.clone()).start();
    gated.begun().await;
    gated.begun().await;
    let mut drain = std::pin::pin!(running.drain(Duration::from_mins(1)));
    assert!(futures::poll!(&mut drain).is_pending());
    gated.gate.add_permits(2);
    let drained = drain.await;
    assert!(drained.clean);
    assert_eq!((drained.stats.done, drained.stats.running), (2, 0));
    let counts = jobs::counts(&db).await.unwrap();
    assert!(counts.iter().all(|count| count.state != State::Executing), "{counts:?}");
    let left: i64 =
        counts.iter().filter(|count| count.state == State::Available).map(|count| count.jobs).sum();
    assert_eq!(left, 18);
});

both!(a_drain_that_runs_out_of_patience_stops_what_runs, |db| {
    let id = one(&db, NewJob::new("gated", json!(0)).max_attempts(1)).await;
    let gated = Gated::new();
    let running = engine(&db, Options::default()).worker(gated.clone()).start();
    gated.begun().await;
    assert!(running.drain(Duration::ZERO).await.clean);
    let stored = row(&db, id).await;
    assert_eq!(stored.state, State::Available, "due again at once, and no attempt is lost");
    gated.gate.add_permits(1);
    let next = engine(&db, TestClock::new().options()).worker(gated);
    assert_eq!(next.run_due().await.unwrap(), 1);
    assert_eq!(row(&db, id).await.state, State::Completed);
});
