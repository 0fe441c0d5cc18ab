//! A database of the first release moves on with its jobs in all states.

use std::sync::Arc;

use jobs::testing::TestClock;
use jobs::{Engine, Enqueued, NewJob, Outcome, State, enqueue, find, list, schema};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::json;

use crate::database::both;
use crate::workers::Always;

/// One job a state, as the first release wrote them; the executing one's node is long gone.
const OLD: &str = "
INSERT INTO jobs (queue, worker, args, state, priority, attempt, max_attempts, scheduled_at, inserted_at, attempted_at,
    completed_at, lease_until, node, unique_key, errors) VALUES
('default', 'w', '1', 'scheduled',  0, 0, 20, 4000000000000, 1, NULL, NULL, NULL, NULL,  'k1', '[]'),
('default', 'w', '2', 'available',  3, 0, 20, 1, 1, NULL, NULL, NULL, NULL,  'k2', '[]'),
('default', 'w', '3', 'executing',  0, 1, 20, 1, 1, 2, NULL, 5,    'old-1', 'k3', '[]'),
('default', 'w', '4', 'retryable',  0, 1, 20, 9, 1, 2, NULL, NULL, 'old-1', 'k4', '[{\"attempt\":1,\"at\":3,\"error\":\"no\"}]'),
('default', 'w', '5', 'completed',  0, 1, 20, 1, 1, 2, 4000000000000, NULL, 'old-1', 'k5', '[]'),
('default', 'w', '6', 'discarded',  0, 2, 2,  1, 1, 2, 4000000000000, NULL, 'old-1', 'k5', '[{\"attempt\":2,\"at\":3,\"error\":\"no\"}]'),
('default', 'w', '7', 'cancelled',  0, 1, 20, 1, 1, 2, 4000000000000, NULL, 'old-1', NULL, '[]')";

async fn states(db: &DatabaseConnection) -> Vec<State> {
    let page = list(db, &jobs::Filter::default(), None, 200).await.unwrap();
    page.jobs.iter().rev().map(|job| job.state).collect()
}

both!(jobs_in_all_states_are_kept_and_go_on, |db| {
    let backend = db.get_database_backend();
    db.execute_unprepared(&schema::down(backend)).await.unwrap();
    db.execute_unprepared(&(schema::JOBS.up)(backend)).await.unwrap();
    db.execute_unprepared(OLD).await.unwrap();
    db.execute_unprepared(&(schema::QUEUES.up)(backend)).await.unwrap();
    let before = [
        State::Scheduled,
        State::Available,
        State::Executing,
        State::Retryable,
        State::Completed,
        State::Discarded,
        State::Cancelled,
    ];
    assert_eq!(states(&db).await, before);
    // A key that kept others away still does.
    let again = |key: &str| NewJob::new("w", json!(0)).unique(key);
    for (id, key) in [(1, "k1"), (2, "k2"), (3, "k3"), (4, "k4")] {
        assert_eq!(enqueue(&db, &again(key)).await.unwrap(), Enqueued::Duplicate(jobs::JobId(id)));
    }
    let new = enqueue(&db, &again("k5")).await.unwrap();
    assert_eq!(new, Enqueued::New(jobs::JobId(8)), "numbers go on, and k5's jobs have ended");
    let engine = Engine::new(Arc::new(db.clone()), TestClock::new().options())
        .queue("default", 1)
        .worker(Always::new("w", Outcome::Done));
    assert_eq!(engine.run_due().await.unwrap(), 4);
    let done = State::Completed;
    let after = [State::Scheduled, done, done, done, done, State::Discarded, State::Cancelled, done];
    assert_eq!(states(&db).await, after);
    let rescued = find(&db, jobs::JobId(3)).await.unwrap().unwrap();
    assert!(rescued.errors[0].error.contains("the lease of node old-1 is over"), "{rescued:?}");
});

both!(the_way_back_keeps_jobs_and_lets_the_older_of_two_keep_its_key, |db| {
    let backend = db.get_database_backend();
    let unique = || jobs::Unique::key("k").within(std::time::Duration::from_secs(1));
    let now = jobs::system_clock()();
    for ago in [5_000, 3_000] {
        let job = NewJob::new("w", json!(ago)).unique(unique());
        assert!(matches!(jobs::enqueue_at(&db, &job, now - ago).await.unwrap(), Enqueued::New(_)));
    }
    db.execute_unprepared(&(schema::QUEUES.down)(backend)).await.unwrap();
    let sql = "INSERT INTO jobs (queue, worker, args, state, scheduled_at, inserted_at, unique_key) \
               VALUES ('default', 'w', '1', 'available', 1, 1, 'k')";
    assert!(db.execute_unprepared(sql).await.is_err(), "the old index is back");
    db.execute_unprepared(&(schema::QUEUES.up)(backend)).await.unwrap();
    let keys: Vec<Option<String>> = list(&db, &jobs::Filter::default(), None, 9)
        .await
        .unwrap()
        .jobs
        .into_iter()
        .map(|job| job.unique_key)
        .collect();
    assert_eq!(keys, [None, Some("k".to_owned())]);
});
