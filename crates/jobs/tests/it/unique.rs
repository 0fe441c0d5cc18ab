//! Uniqueness: by what, for how long, in which states, and what a second one changes.

use std::sync::Arc;
use std::time::Duration;

use jobs::testing::TestClock;
use jobs::{
    Engine, Enqueued, Field, NewJob, Outcome, State, Unique, enqueue, enqueue_at, enqueue_many, system_clock,
};
use sea_orm::TransactionTrait;
use serde_json::json;

use crate::database::both;
use crate::workers::{Always, row};

fn remind(order: i64, text: &str, unique: Unique) -> NewJob {
    NewJob::new("remind", json!({ "order": order, "text": text })).unique(unique)
}

both!(chosen_arguments_make_two_jobs_the_same, |db| {
    let unique = || Unique::args(["order"]);
    let first = enqueue(&db, &remind(7, "a", unique())).await.unwrap();
    assert_eq!(enqueue(&db, &remind(7, "b", unique())).await.unwrap(), Enqueued::Duplicate(first.id()));
    assert!(matches!(enqueue(&db, &remind(8, "a", unique())).await.unwrap(), Enqueued::New(_)));
    let elsewhere = remind(7, "a", unique()).queue("other");
    assert!(matches!(enqueue(&db, &elsewhere).await.unwrap(), Enqueued::New(_)));
    let stored = row(&db, first.id()).await;
    assert!(stored.args.contains("\"a\""), "it stays as it was: {stored:?}");
});

both!(a_period_ends, |db| {
    let unique = || Unique::args(["order"]).within(Duration::from_mins(1));
    let now = system_clock()();
    let first = enqueue_at(&db, &remind(7, "a", unique()), now).await.unwrap();
    let again = enqueue_at(&db, &remind(7, "a", unique()), now + 59_999).await.unwrap();
    assert_eq!(again, Enqueued::Duplicate(first.id()));
    // The first one still waits: that alone keeps nobody out for longer than the period.
    let later = enqueue_at(&db, &remind(7, "a", unique()), now + 60_000).await.unwrap();
    assert!(matches!(later, Enqueued::New(_)));
});

both!(chosen_states_keep_others_out_and_the_rest_do_not, |db| {
    let clock = TestClock::new();
    let engine = Engine::new(Arc::new(db.clone()), clock.options())
        .queue("default", 1)
        .worker(Always::new("remind", Outcome::Done));
    let (live, ever) = (Unique::key("k"), Unique::key("k").in_states(&State::ALL));
    let first = enqueue(&db, &remind(1, "a", live.clone())).await.unwrap();
    engine.run_due().await.unwrap();
    assert_eq!(row(&db, first.id()).await.state, State::Completed);
    assert_eq!(enqueue(&db, &remind(1, "a", ever)).await.unwrap(), Enqueued::Duplicate(first.id()));
    assert!(matches!(enqueue(&db, &remind(1, "a", live)).await.unwrap(), Enqueued::New(_)));
});

both!(a_second_wish_changes_what_waits_and_nothing_else, |db| {
    let clock = TestClock::new();
    let unique = || {
        Unique::key("k").replace(&[
            Field::Args,
            Field::ScheduledAt,
            Field::Priority,
            Field::MaxAttempts,
            Field::Meta,
        ])
    };
    let first = enqueue(&db, &remind(1, "a", unique())).await.unwrap();
    let later = i64::MAX / 2;
    let wish = remind(1, "b", unique()).at(later).priority(3).max_attempts(5).meta(json!({ "why": "moved" }));
    assert_eq!(enqueue(&db, &wish).await.unwrap(), Enqueued::Replaced(first.id()));
    let stored = row(&db, first.id()).await;
    assert_eq!((stored.state, stored.scheduled_at), (State::Scheduled, later));
    assert_eq!((stored.priority, stored.max_attempts), (3, 5));
    assert!(stored.args.contains("\"b\"") && stored.meta.contains("moved"), "{stored:?}");
    // Sooner again: it may be taken at once.
    assert_eq!(enqueue(&db, &remind(1, "c", unique())).await.unwrap(), Enqueued::Replaced(first.id()));
    assert_eq!(row(&db, first.id()).await.state, State::Available);
    // One that waits for its next attempt waits on, if only its arguments change.
    let engine = Engine::new(Arc::new(db.clone()), clock.options())
        .queue("default", 1)
        .worker(Always::new("remind", Outcome::retry("no")));
    engine.run_due().await.unwrap();
    let args = Unique::key("k").replace(&[Field::Args]);
    assert_eq!(enqueue(&db, &remind(1, "d", args)).await.unwrap(), Enqueued::Replaced(first.id()));
    let stored = row(&db, first.id()).await;
    assert_eq!(stored.state, State::Retryable);
    assert!(stored.args.contains("\"d\""), "{stored:?}");
    // A job that runs is not changed under its worker.
    let sql = "UPDATE jobs SET state = 'executing', lease_until = 9e15, node = 'n'"
        .replace("9e15", "9000000000000000");
    sea_orm::ConnectionTrait::execute_unprepared(&db, &sql).await.unwrap();
    assert_eq!(enqueue(&db, &remind(1, "e", unique())).await.unwrap(), Enqueued::Duplicate(first.id()));
    assert!(row(&db, first.id()).await.args.contains("\"d\""));
});

both!(of_many_at_once_one_goes_in, |db| {
    for round in 0..10 {
        let tasks: Vec<_> = (0..12)
            .map(|n| {
                let db = db.clone();
                let unique = Unique::args(["order"]).within(Duration::from_hours(1)).in_states(&State::ALL);
                tokio::spawn(async move {
                    // Half of them inside a transaction that stays open for a moment, half without one.
                    let job = remind(round, &n.to_string(), unique);
                    if n % 2 == 0 {
                        return enqueue(&db, &job).await.unwrap();
                    }
                    let tx = db.begin().await.unwrap();
                    let enqueued = enqueue(&tx, &job).await.unwrap();
                    tokio::task::yield_now().await;
                    tx.commit().await.unwrap();
                    enqueued
                })
            })
            .collect();
        let answers = futures::future::join_all(tasks).await;
        let new = answers.iter().filter(|answer| matches!(answer, Ok(Enqueued::New(_)))).count();
        assert_eq!(new, 1, "{answers:?}");
    }
});

both!(many_with_keys_go_in_with_one_statement, |db| {
    let unique = || Unique::args(["order"]).within(Duration::from_hours(1));
    enqueue(&db, &remind(3, "there", unique())).await.unwrap();
    let jobs: Vec<NewJob> =
        (0..10).flat_map(|n| [remind(n, "a", unique()), remind(n, "b", unique())]).collect();
    assert_eq!(enqueue_many(&db, &jobs).await.unwrap(), 9);
    assert_eq!(enqueue_many(&db, &jobs).await.unwrap(), 0);
    let replacing: Vec<NewJob> = (8..12).map(|n| remind(n, "c", unique().replace(&[Field::Args]))).collect();
    assert_eq!(enqueue_many(&db, &replacing).await.unwrap(), 2);
    let stored = row(&db, enqueue(&db, &remind(8, "d", unique())).await.unwrap().id()).await;
    assert!(stored.args.contains("\"c\""), "{stored:?}");
});

both!(what_was_rolled_back_keeps_nobody_out, |db| {
    let job = remind(1, "a", Unique::job().within(Duration::from_hours(1)));
    let tx = db.begin().await.unwrap();
    enqueue(&tx, &job).await.unwrap();
    tx.rollback().await.unwrap();
    assert!(matches!(enqueue(&db, &job).await.unwrap(), Enqueued::New(_)));
});

both!(large_batches_with_the_same_keys_in_any_order_neither_block_each_other_nor_double, |db| {
    let batches: Vec<_> = (0..6)
        .map(|n: i64| {
            let db = db.clone();
            tokio::spawn(async move {
                let unique = || Unique::args(["order"]).in_states(&State::ALL);
                let mut jobs: Vec<NewJob> = (0..3_000).map(|order| remind(order, "a", unique())).collect();
                jobs.rotate_left(usize::try_from(n * 500).unwrap());
                let tx = db.begin().await.unwrap();
                let went_in = enqueue_many(&tx, &jobs).await.unwrap();
                tx.commit().await.unwrap();
                went_in
            })
        })
        .collect();
    let went_in: Vec<u64> =
        futures::future::join_all(batches).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(went_in.iter().sum::<u64>(), 3_000, "{went_in:?}");
});
