//! What admin pages ask and do.

use std::sync::Arc;

use jobs::testing::TestClock;
use jobs::{
    Engine, Filter, JobId, NewJob, Outcome, State, cancel_many, enqueue, enqueue_many, find, list, retry_many,
};
use sea_orm::DatabaseConnection;
use serde_json::json;

use crate::database::both;
use crate::workers::{Always, row};

async fn filled(db: &DatabaseConnection) -> Engine {
    let jobs: Vec<NewJob> = (0..25)
        .map(|n| NewJob::new(if n % 5 == 0 { "bad" } else { "good" }, json!({ "n": n })).max_attempts(1))
        .collect();
    enqueue_many(db, &jobs).await.unwrap();
    let letter = NewJob::new("good", json!("100% _sure_ O'Neil")).queue("mail");
    enqueue(db, &letter).await.unwrap();
    let engine = Engine::new(Arc::new(db.clone()), TestClock::new().options())
        .queue("default", 1)
        .worker(Always::new("good", Outcome::Done))
        .worker(Always::new("bad", Outcome::retry("the gateway said 'no'")));
    engine.run_due().await.unwrap();
    engine
}

async fn ids(db: &DatabaseConnection, filter: &Filter) -> Vec<i64> {
    let page = list(db, filter, None, 200).await.unwrap();
    page.jobs.iter().map(|job| job.id.0).collect()
}

both!(pages_go_from_the_newest_to_the_oldest_and_new_jobs_shift_nothing, |db| {
    filled(&db).await;
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = list(&db, &Filter::default(), before, 10).await.unwrap();
        assert!(page.jobs.len() <= 10);
        seen.extend(page.jobs.iter().map(|job| job.id.0));
        enqueue(&db, &NewJob::new("good", json!("meanwhile"))).await.unwrap();
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=26).rev().collect::<Vec<_>>());
});

both!(a_filter_names_state_queue_worker_and_text, |db| {
    filled(&db).await;
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    let state = |state| Filter { state: Some(state), ..Filter::default() };
    let discarded = Filter { worker: Some("bad".to_owned()), ..state(State::Discarded) };
    assert_eq!(ids(&db, &discarded).await, [21, 16, 11, 6, 1]);
    assert_eq!(ids(&db, &state(State::Completed)).await.len(), 20);
    assert_eq!(ids(&db, &Filter { queue: Some("mail".to_owned()), ..Filter::default() }).await, [26]);
    assert_eq!(ids(&db, &text("% _sure_ O'N")).await, [26]);
    assert_eq!(ids(&db, &text("o'neil")).await, [] as [i64; 0]);
    assert_eq!(ids(&db, &text("gateway said 'no'")).await.len(), 5);
    assert_eq!(ids(&db, &Filter { queue: Some("mail".to_owned()), ..text("gateway") }).await, [] as [i64; 0]);
});

both!(a_job_is_shown_with_all_that_is_known, |db| {
    filled(&db).await;
    let stored = row(&db, JobId(1)).await;
    assert_eq!(
        (stored.queue.as_str(), stored.worker.as_str(), stored.state),
        ("default", "bad", State::Discarded)
    );
    assert_eq!((stored.attempt, stored.max_attempts, stored.lease_until), (1, 1, None));
    assert!(stored.node.unwrap().starts_with("node-"));
    assert!(stored.attempted_at.is_some() && stored.completed_at >= stored.attempted_at);
    assert_eq!(stored.errors[0].error, "the gateway said 'no'");
    assert_eq!(find(&db, JobId(999)).await.unwrap(), None);
});

both!(many_are_retried_and_cancelled_with_one_call, |db| {
    let engine = filled(&db).await;
    let bad: Vec<JobId> = [1, 6, 11, 16, 21].map(JobId).to_vec();
    let asked: Vec<JobId> = bad.iter().copied().chain([JobId(2), JobId(999)]).collect();
    assert_eq!(
        retry_many(&db, &asked).await.unwrap(),
        5,
        "the completed one and the one that never was are left"
    );
    assert_eq!(engine.run_due().await.unwrap(), 5);
    let stored = row(&db, JobId(1)).await;
    assert_eq!((stored.state, stored.attempt, stored.max_attempts), (State::Discarded, 2, 2));
    assert_eq!(retry_many(&db, &bad).await.unwrap(), 5);
    assert_eq!(cancel_many(&db, &bad).await.unwrap(), 5);
    assert_eq!(cancel_many(&db, &bad).await.unwrap(), 0);
    assert_eq!(engine.run_due().await.unwrap(), 0);
    assert_eq!(row(&db, JobId(21)).await.state, State::Cancelled);
    assert_eq!(retry_many(&db, &[]).await.unwrap(), 0);
});
