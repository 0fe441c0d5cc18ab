//! The test kit itself.

use std::sync::Arc;
use std::time::Duration;

use jobs::testing::{Match, TestClock, all_enqueued, assert_enqueued, drain, job, perform, refute_enqueued};
use jobs::{Engine, NewJob, Outcome, State, enqueue};
use serde_json::json;

use crate::database::both;
use crate::workers::{Always, Gated};

both!(what_was_enqueued_is_found_by_part_of_its_arguments, |db| {
    let args = json!({ "order": { "id": 7, "lines": [1, 2] }, "loud": true });
    enqueue(&db, &NewJob::new("mail", args).queue("letters")).await.unwrap();
    let found = assert_enqueued(&db, &Match::worker("mail").args(json!({ "order": { "id": 7 } }))).await;
    assert_eq!(found.queue, "letters");
    assert_enqueued(&db, &Match::worker("mail").queue("letters")).await;
    refute_enqueued(&db, &Match::worker("mail").queue("default")).await;
    refute_enqueued(&db, &Match::worker("mail").args(json!({ "order": { "id": 8 } }))).await;
    refute_enqueued(&db, &Match::worker("mail").args(json!({ "order": { "lines": [1] } }))).await;
    refute_enqueued(&db, &Match::worker("other")).await;
    refute_enqueued(&db, &Match::worker("mail").in_states(&[State::Completed])).await;
    assert_eq!(all_enqueued(&db, &Match::worker("mail")).await.unwrap().len(), 1);
});

both!(a_drain_counts_what_came_of_each_attempt, |db| {
    let clock = TestClock::new();
    for worker in ["done", "retry", "cancel", "snooze"] {
        enqueue(&db, &NewJob::new(worker, json!({})).max_attempts(2)).await.unwrap();
    }
    enqueue(&db, &NewJob::new("done", json!({})).queue("other")).await.unwrap();
    let engine = Engine::new(Arc::new(db.clone()), clock.options())
        .queue("default", 1)
        .worker(Always::new("done", Outcome::Done))
        .worker(Always::new("retry", Outcome::retry("no")))
        .worker(Always::new("cancel", Outcome::cancel("no")))
        .worker(Always::new("snooze", Outcome::Snooze(Duration::from_hours(1))));
    let ran = drain(&engine, "default").await;
    assert_eq!((ran.attempts, ran.completed, ran.retryable, ran.cancelled, ran.snoozed), (4, 1, 1, 1, 1));
    clock.turn(Duration::from_mins(1));
    let ran = drain(&engine, "default").await;
    assert_eq!((ran.attempts, ran.discarded), (1, 1));
    assert_eq!(drain(&engine, "other").await.completed, 1);
});

#[tokio::test(start_paused = true)]
async fn a_worker_runs_by_itself_under_its_own_timeout() {
    assert_eq!(
        perform(&Always::new("w", Outcome::cancel("no")), NewJob::new("w", json!(1))).await,
        Outcome::cancel("no")
    );
    let hung = perform(&Gated::new(), NewJob::new("gated", json!(1))).await;
    assert_eq!(hung, Outcome::retry("the worker took longer than 30s"));
    let built = job(NewJob::new("w", json!({ "a": 1 })).max_attempts(1).meta(json!({ "trace_id": "4bf9" })));
    assert!(built.is_last_attempt());
    assert_eq!(built.trace_id().as_deref(), Some("4bf9"));
}
