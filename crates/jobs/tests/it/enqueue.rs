//! Enqueueing belongs to the caller's transaction.

use jobs::{Engine, Enqueued, NewJob, Options, State, counts, enqueue, enqueue_many, schema};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;
use std::sync::Arc;

use crate::database::both;
use crate::workers::Always;

async fn total(db: &sea_orm::DatabaseConnection) -> i64 {
    counts(db).await.unwrap().iter().map(|count| count.jobs).sum()
}

both!(a_job_exists_exactly_if_its_transaction_commits, |db| {
    let tx = db.begin().await.unwrap();
    enqueue(&tx, &NewJob::new("w", json!(1))).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(total(&db).await, 0);
    let tx = db.begin().await.unwrap();
    enqueue(&tx, &NewJob::new("w", json!(1))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(total(&db).await, 1);
});

both!(a_duplicate_is_an_answer_and_the_transaction_goes_on, |db| {
    let job = NewJob::new("w", json!(1)).unique("only one");
    let tx = db.begin().await.unwrap();
    let first = enqueue(&tx, &job).await.unwrap();
    assert!(matches!(first, Enqueued::New(_)));
    assert_eq!(enqueue(&tx, &job).await.unwrap(), Enqueued::Duplicate(first.id()));
    enqueue(&tx, &NewJob::new("w", json!(2))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(total(&db).await, 2);
});

both!(a_key_is_free_again_when_its_job_has_ended, |db| {
    let job = NewJob::new("w", json!(1)).unique("only one");
    enqueue(&db, &job).await.unwrap();
    let engine = Engine::new(Arc::new(db.clone()), Options::default())
        .queue("default", 1)
        .worker(Always::new("w", jobs::Outcome::Done));
    assert_eq!(engine.run_due().await.unwrap(), 1);
    assert!(matches!(enqueue(&db, &job).await.unwrap(), Enqueued::New(_)));
});

both!(many_go_in_with_one_statement_and_duplicates_stay_out, |db| {
    let mut jobs: Vec<NewJob> =
        (0..500).map(|n| NewJob::new("w", json!({ "n": n, "text": "it's \"ü\"" }))).collect();
    jobs.push(NewJob::new("w", json!(0)).unique("k"));
    jobs.push(NewJob::new("w", json!(0)).unique("k"));
    jobs.push(NewJob::new("w", json!(0)).at(i64::MAX / 2));
    assert_eq!(enqueue_many(&db, &jobs).await.unwrap(), 502);
    let counts = counts(&db).await.unwrap();
    assert!(counts.iter().any(|count| count.state == State::Scheduled && count.jobs == 1), "{counts:?}");
    assert!(counts.iter().any(|count| count.state == State::Available && count.jobs == 501), "{counts:?}");
    let first = jobs::find(&db, jobs::JobId(1)).await.unwrap().unwrap();
    let args: serde_json::Value = serde_json::from_str(&first.args).unwrap();
    assert_eq!(args, json!({ "n": 0, "text": "it's \"ü\"" }));
});

both!(down_leaves_nothing_behind, |db| {
    let backend = db.get_database_backend();
    db.execute_unprepared(&schema::down(backend)).await.unwrap();
    db.execute_unprepared(&schema::up(backend)).await.unwrap();
    assert_eq!(total(&db).await, 0);
});
