//! Jobs that can't be run: each ends by name with its error visible, and the others flow on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::testing::TestClock;
use jobs::{Backoff, Engine, Job, NewJob, Options, Outcome, State, Worker, enqueue, enqueue_many};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::database::both;
use crate::workers::{Meter, Metered, one, row, wait_until};

/// Spoilt in the way that its arguments say.
struct Spoilt;

impl Worker for Spoilt {
    fn name(&self) -> &'static str {
        "spoilt"
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            match job.args::<String>() {
                Ok(how) if how == "panic" => panic!("always"),
                Ok(how) if how == "hang" => std::future::pending().await,
                Ok(_) => Outcome::retry("never"),
                Err(error) => Outcome::cancel(error),
            }
        })
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(5)
    }

    fn backoff(&self, failures: u32, jitter: f64) -> Duration {
        assert_ne!(failures, 2, "a back-off that panics");
        Backoff { first: Duration::from_millis(1), most: Duration::from_millis(4) }.delay(failures, jitter)
    }
}

both!(each_ends_by_name_and_the_others_flow_on, |db| {
    let spoilt = |args| one(&db, NewJob::new("spoilt", args).max_attempts(3));
    let panics = spoilt(json!("panic")).await;
    let hangs = spoilt(json!("hang")).await;
    let unreadable = spoilt(json!({ "no": "text" })).await;
    let unknown = one(&db, NewJob::new("nobody", json!(1)).max_attempts(1)).await;
    enqueue_many(&db, &(0..200).map(|n| NewJob::new("metered", json!(n))).collect::<Vec<_>>()).await.unwrap();
    let meter = Arc::new(Meter::default());
    let clock = TestClock::new();
    // The clock is turned while jobs run: no lease may end by that.
    let options = Options { lease: Duration::from_hours(8), ..clock.options() };
    let running = Engine::new(Arc::new(db.clone()), options)
        .queue("default", 4)
        .worker(Spoilt)
        .worker(Metered(Arc::clone(&meter)))
        .start();
    let ended = [
        (panics, State::Discarded, "the worker panicked: always"),
        (hangs, State::Discarded, "the worker took longer than 5ms"),
        (unreadable, State::Cancelled, "the arguments of job"),
        (unknown, State::Discarded, "no worker named nobody runs here"),
    ];
    for (id, state, why) in ended {
        wait_until(|| async {
            clock.turn(Duration::from_secs(2));
            row(&db, id).await.state == state
        })
        .await;
        let stored = row(&db, id).await;
        assert!(stored.errors.last().unwrap().error.contains(why), "{stored:?}");
    }
    // The second failure's back-off panicked itself: that is a failure like any other.
    let errors = row(&db, panics).await.errors;
    assert!(errors[1].error.contains("a back-off that panics"), "{errors:?}");
    wait_until(|| async { meter.seen.lock().unwrap().len() == 200 }).await;
    assert!(running.drain(Duration::from_secs(10)).await.clean);
});

both!(a_row_that_was_spoilt_by_hand_is_cancelled_and_the_others_flow_on, |db| {
    // PostgreSQL's columns hold only what they are declared to hold: there the list of errors is what one can spoil.
    let (spoilt, state) = match db.get_database_backend() {
        sea_orm::DbBackend::Sqlite => ("args = x'ff00ff'", State::Cancelled),
        _ => ("errors = 'nonsense'", State::Completed),
    };
    let bad = one(&db, NewJob::new("metered", json!(0))).await;
    db.execute_unprepared(&format!("UPDATE jobs SET {spoilt}")).await.unwrap();
    enqueue(&db, &NewJob::new("metered", json!(1))).await.unwrap();
    let meter = Arc::new(Meter::default());
    let running = Engine::new(Arc::new(db.clone()), TestClock::new().options())
        .queue("default", 1)
        .worker(Metered(Arc::clone(&meter)))
        .start();
    wait_until(|| async { row(&db, bad).await.state == state }).await;
    if state == State::Cancelled {
        let stored = row(&db, bad).await;
        assert!(stored.errors[0].error.contains("the row can't be read"), "{stored:?}");
    }
    wait_until(|| async { meter.seen.lock().unwrap().keys().any(|id| *id == bad.0 + 1) }).await;
    running.drain(Duration::from_secs(10)).await;
    assert!(meter.most.load(Ordering::SeqCst) <= 1);
});
