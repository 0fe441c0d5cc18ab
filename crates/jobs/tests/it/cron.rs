//! Cron entries and their leader: one fires each tick, whoever dies.

use std::sync::Arc;
use std::time::Duration;

use jobs::testing::TestClock;
use jobs::{Cron, Engine, Missed, NewJob, Options, Outcome, Running, State, Stored, Unique, crons, list};
use sea_orm::DatabaseConnection;
use serde_json::json;

use crate::database::both;
use crate::workers::{Always, wait_until};

/// Every five minutes.
fn entry() -> Cron {
    Cron::new("five", "*/5 * * * *", "Europe/London", NewJob::new("tick", json!({ "a": 1 }))).unwrap()
}

fn node(db: &DatabaseConnection, clock: &TestClock, entry: Cron) -> Running {
    Engine::new(Arc::new(db.clone()), clock.options())
        .queue("default", 1)
        .worker(Always::new("tick", Outcome::Done))
        .cron(entry)
        .start()
}

async fn ticks(db: &DatabaseConnection) -> Vec<Stored> {
    list(db, &jobs::Filter::default(), None, 200).await.unwrap().jobs
}

fn fired(nodes: &[Running]) -> u64 {
    nodes.iter().map(|node| node.stats().snapshot().fired).sum()
}

fn leaders(nodes: &[Running]) -> i64 {
    nodes.iter().map(|node| node.stats().snapshot().leads).sum()
}

async fn drain(nodes: Vec<Running>) {
    for node in nodes {
        node.drain(Duration::from_secs(10)).await;
    }
}

const FIVE: Duration = Duration::from_mins(5);

/// The row of the entry exists: what comes from now on is fired.
async fn declared(db: &DatabaseConnection) {
    wait_until(|| async { !crons(db).await.unwrap().is_empty() }).await;
}

both!(a_tick_fires_once_with_three_nodes, |db| {
    let clock = TestClock::new();
    let nodes: Vec<_> = (0..3).map(|_| node(&db, &clock, entry())).collect();
    declared(&db).await;
    for n in 1..=4 {
        wait_until(|| async { leaders(&nodes) == 1 }).await;
        clock.turn(FIVE);
        wait_until(|| async { fired(&nodes) == n }).await;
    }
    let jobs = ticks(&db).await;
    assert_eq!(jobs.len(), 4);
    let at: Vec<i64> = jobs.iter().map(|job| job.tick.clone().unwrap().1).collect();
    assert!(at.windows(2).all(|pair| pair[0] - pair[1] == 300_000), "{at:?}");
    let newest = &jobs[0];
    assert_eq!(newest.tick.as_ref().unwrap().0, "five");
    assert_eq!(newest.scheduled_at, at[0]);
    assert!(newest.meta.contains("\"cron\":\"five\""), "{newest:?}");
    wait_until(|| async { ticks(&db).await.iter().all(|job| job.state == State::Completed) }).await;
    drain(nodes).await;
});

both!(a_leader_that_dies_is_followed_by_another_and_no_tick_is_lost, |db| {
    let clock = TestClock::new();
    let mut nodes = vec![node(&db, &clock, entry())];
    wait_until(|| async { leaders(&nodes) == 1 }).await;
    nodes.push(node(&db, &clock, entry()));
    // It is gone without a word, and a tick comes before its lease is over.
    drop(nodes.remove(0));
    clock.turn(Duration::from_millis(u64::try_from(300_000 - clock.now() % 300_000).unwrap()));
    wait_until(|| async { leaders(&nodes) == 1 && fired(&nodes) == 1 }).await;
    assert_eq!(ticks(&db).await.len(), 1);
    drain(nodes).await;
});

both!(a_leader_that_drains_hands_over_at_once, |db| {
    let clock = TestClock::new();
    let first = node(&db, &clock, entry());
    wait_until(|| async { first.stats().snapshot().leads == 1 }).await;
    let nodes = vec![node(&db, &clock, entry())];
    let stats = first.stats();
    first.drain(Duration::from_secs(10)).await;
    assert_eq!(stats.snapshot().leads, 0);
    // The clock stands still: no lease ends.
    wait_until(|| async { leaders(&nodes) == 1 }).await;
    drain(nodes).await;
});

both!(two_that_both_believe_that_they_lead_make_one_job, |db| {
    let (behind, ahead) = (TestClock::new(), TestClock::new());
    let first = node(&db, &behind, entry());
    wait_until(|| async { first.stats().snapshot().leads == 1 }).await;
    // For the other one's clock the first one's lease is over; for its own it is not.
    ahead.turn(Duration::from_secs(16));
    let second = node(&db, &ahead, entry());
    wait_until(|| async { second.stats().snapshot().leads == 1 }).await;
    let nodes = vec![first, second];
    assert_eq!(leaders(&nodes), 2);
    let until = 300_000 - ahead.now() % 300_000;
    for clock in [&behind, &ahead] {
        clock.turn(Duration::from_millis(u64::try_from(until).unwrap() + 16_000));
    }
    wait_until(|| async { fired(&nodes) >= 1 }).await;
    // A second tick shows that both have looked at the first.
    for clock in [&behind, &ahead] {
        clock.turn(FIVE);
    }
    wait_until(|| async { fired(&nodes) >= 2 }).await;
    let mut at: Vec<i64> = ticks(&db).await.into_iter().map(|job| job.tick.unwrap().1).collect();
    let all = at.len();
    at.dedup();
    assert_eq!(at.len(), all, "a tick has two jobs");
    drain(nodes).await;
});

both!(missed_ticks_are_made_up_for_once_or_let_go, |db| {
    let clock = TestClock::new();
    let entries = |name: &str, missed: Missed| {
        Cron::new(name, "0 * * * *", "UTC", NewJob::new("tick", json!(name))).unwrap().missed(missed)
    };
    let start = || {
        Engine::new(Arc::new(db.clone()), clock.options())
            .cron(entries("once", Missed::RunOnce))
            .cron(entries("skip", Missed::Skip))
            .start()
    };
    let nodes = vec![start()];
    wait_until(|| async { crons(&db).await.unwrap().len() == 2 && leaders(&nodes) == 1 }).await;
    drain(nodes).await;
    // Away for five ticks; the newest is half an hour old.
    clock.turn(Duration::from_hours(5));
    clock.turn(Duration::from_millis(u64::try_from(5_400_000 - clock.now() % 3_600_000).unwrap()));
    let newest = clock.now() - 1_800_000;
    let nodes = vec![start()];
    let dealt = || async { crons(&db).await.unwrap().iter().all(|row| row.last_tick == newest) };
    wait_until(dealt).await;
    let jobs = ticks(&db).await;
    assert_eq!(
        jobs.iter().map(|job| job.tick.clone().unwrap()).collect::<Vec<_>>(),
        [("once".to_owned(), newest)]
    );
    drain(nodes).await;
});

both!(an_entry_that_was_changed_owes_nothing_for_the_past, |db| {
    let clock = TestClock::new();
    let nodes = vec![node(&db, &clock, entry())];
    declared(&db).await;
    drain(nodes).await;
    clock.turn(Duration::from_hours(1));
    let changed = Cron::new("five", "*/6 * * * *", "UTC", NewJob::new("tick", json!({}))).unwrap();
    let nodes = vec![node(&db, &clock, changed)];
    wait_until(|| async { crons(&db).await.unwrap()[0].expression == "*/6 * * * *" && leaders(&nodes) == 1 })
        .await;
    assert_eq!(crons(&db).await.unwrap()[0].last_tick, clock.now());
    clock.turn(Duration::from_mins(6));
    wait_until(|| async { fired(&nodes) == 1 }).await;
    assert_eq!(ticks(&db).await.len(), 1);
    drain(nodes).await;
});

both!(an_entry_whose_job_is_unique_waits_for_its_last_one, |db| {
    let clock = TestClock::new();
    let job = NewJob::new("nobody", json!({})).unique(Unique::worker());
    let entry = Cron::new("five", "*/5 * * * *", "UTC", job).unwrap();
    let options = Options { poll: Duration::from_millis(20), ..clock.options() };
    let nodes = vec![Engine::new(Arc::new(db.clone()), options).cron(entry).start()];
    declared(&db).await;
    wait_until(|| async { leaders(&nodes) == 1 }).await;
    let mut last = crons(&db).await.unwrap()[0].last_tick;
    for _ in 0..3 {
        clock.turn(FIVE);
        wait_until(|| async { crons(&db).await.unwrap()[0].last_tick > last }).await;
        last = crons(&db).await.unwrap()[0].last_tick;
    }
    assert_eq!((fired(&nodes), ticks(&db).await.len()), (1, 1));
    drain(nodes).await;
});
