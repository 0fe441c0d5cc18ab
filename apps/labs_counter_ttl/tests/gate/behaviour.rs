//! What counters, servers and supervisors do when nothing goes wrong.

use std::time::Duration;

use labs_counter_ttl::{
    CallError, CounterError, Counters, Full, Intensity, Outcome, Restart, Settings, Supervisor, Window,
};
use tokio::time::{Instant, sleep};

use crate::probe::{Diary, Probe, SECOND, Tell, counter, lone, settle, timed};

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const MINUTE: Duration = Duration::from_mins(1);

/// A count is what its updates have made of nothing, each key for itself.
///
/// Hole: `update`.
#[test]
fn counts_go_up_each_for_itself() {
    gate::check(|| {
        let now = Instant::now();
        let mut counters = Counters::new(MINUTE, 10);
        let changes = counters.update(now, &keys(&["a", "b", "a"]), |_, n| n + 1);
        let values: Vec<_> = changes.expect("there is room").iter().map(|change| change.value).collect();
        assert_eq!(values, [1, 1, 2], "a key that is named twice is updated twice");
        let named = counters.update(now, &keys(&["b"]), |key, n| n + key.len() as u64 * 10);
        assert_eq!(named.expect("there is room")[0].value, 11, "the update is told its key");
        assert_eq!((counters.get(now, "a"), counters.get(now, "b")), (2, 11), "the counts");
        assert_eq!(counters.get(now, "c"), 0, "nobody has counted it");
        assert_eq!(counters.len(), 2, "two keys are kept");
    });
}

/// A count lives for its time after its last update: a busy one does not end.
///
/// Hole: `update`.
#[test]
fn an_update_starts_the_clock_anew() {
    gate::check(|| {
        let start = Instant::now();
        let mut counters = Counters::new(MINUTE, 10);
        for n in 0..10 {
            let now = start + n * MINUTE / 2;
            let changes = counters.update(now, &keys(&["a"]), |_, n| n + 1).expect("there is room");
            assert_eq!(
                changes[0].value,
                u64::from(n) + 1,
                "a count ended half a minute after its last update"
            );
            assert_eq!(changes[0].expires, now + MINUTE, "an update did not start the clock anew");
        }
        let last = start + 9 * MINUTE / 2;
        let before_the_end = last + MINUTE - Duration::from_millis(1);
        assert_eq!(counters.get(before_the_end, "a"), 10, "a millisecond before its end the count is there");
        assert_eq!(counters.get(last + MINUTE, "a"), 0, "a count was read when its time was over");
    });
}

/// A count whose time is over is nothing, whether it was swept away or not.
///
/// Hole: `update`.
#[test]
fn an_expired_count_begins_at_nothing() {
    gate::check(|| {
        let start = Instant::now();
        let mut counters = Counters::new(MINUTE, 10);
        for _ in 0..5 {
            counters.update(start, &keys(&["a"]), |_, n| n + 1).expect("there is room");
        }
        let changes = counters.update(start + MINUTE, &keys(&["a"]), |_, n| n + 1).expect("there is room");
        assert_eq!(changes[0].value, 1, "a count came back from the dead");
        assert_eq!(counters.get(start + MINUTE, "a"), 1, "what was counted since");
    });
}

/// The bound counts the living alone; at the bound nothing is changed.
///
/// Hole: `update`.
#[test]
fn at_the_bound_nothing_is_changed() {
    gate::check(|| {
        let start = Instant::now();
        let mut counters = Counters::new(MINUTE, 2);
        counters.update(start, &keys(&["a"]), |_, _| 7).expect("there is room for two");
        let both = counters.update(start, &keys(&["a", "b", "c"]), |_, n| n + 1);
        assert_eq!(both, Err(Full), "one is there, and two more are one too many");
        assert_eq!(counters.get(start, "a"), 7, "an update that found no room was half done");
        assert_eq!(counters.len(), 1, "nothing was added");
        let one = counters.update(start + MINUTE / 2, &keys(&["b", "b", "a"]), |_, n| n + 1);
        assert!(one.is_ok(), "a key that is named twice, and one that is there, need room for one");
        let later = counters.update(start + 2 * MINUTE, &keys(&["c", "d"]), |_, n| n + 1);
        assert!(later.is_ok(), "the time of the other two is over, and they still took room");
        assert_eq!(counters.len(), 2, "the living");
    });
}

/// A sweep forgets those whose time is over, and only those.
///
/// Hole: `sweep`.
#[test]
fn a_sweep_takes_the_dead_and_leaves_the_living() {
    gate::check(|| {
        let start = Instant::now();
        let mut counters = Counters::new(MINUTE, 10);
        counters.update(start, &keys(&["busy", "idle", "other"]), |_, n| n + 1).expect("there is room");
        counters.update(start + MINUTE / 2, &keys(&["busy"]), |_, n| n + 1).expect("there is room");
        assert_eq!(counters.sweep(start + MINUTE / 2), 0, "nobody's time is over");
        assert_eq!(counters.sweep(start + MINUTE), 2, "two were not updated since");
        assert_eq!(counters.get(start + MINUTE, "busy"), 2, "a sweep took a count that lives");
        assert_eq!(counters.sweep(start + MINUTE), 0, "they are gone already");
        assert_eq!(counters.sweep(start + 2 * MINUTE), 1, "a busy count was never swept away");
        assert!(counters.is_empty(), "nothing lives any more");
    });
}

/// What has expired is freed by the server's own periodic work, though nobody asks for it.
///
/// Holes: `live`, `sweep`.
#[test]
fn expired_counts_are_freed_though_nobody_asks() {
    gate::paused(async || {
        let (_supervised, client) = counter(Settings { ttl: 10 * SECOND, ..Settings::default() });
        assert_eq!(client.increment("a").await, Ok(1), "the first one");
        sleep(9 * SECOND).await;
        assert_eq!(client.len().await, Ok(1), "nine seconds old, of ten");
        assert_eq!(client.get("a").await, Ok(1), "reading does not change it");
        sleep(2 * SECOND).await;
        assert_eq!(client.len().await, Ok(0), "its time is over, and its memory is still taken");
        assert_eq!(client.inherited(), 0, "its time is over, and the heir still has it");
    });
}

/// Ticks come a period apart, the first one a period after the start.
///
/// Hole: `live`.
#[test]
fn ticks_come_a_period_apart() {
    gate::paused(async || {
        let (_supervised, handle, diary) = lone(Restart::Permanent, 3 * SECOND);
        sleep(Duration::from_millis(2_999)).await;
        assert_eq!(handle.call(SECOND, Tell::Hello).await, Ok(1), "the server runs");
        assert_eq!(diary.count("probe ticks"), 0, "the first period is not over");
        sleep(Duration::from_millis(1)).await;
        settle().await;
        assert_eq!(diary.count("probe ticks"), 1, "the first period is over");
        sleep(9 * SECOND).await;
        settle().await;
        assert_eq!(diary.count("probe ticks"), 4, "three more are over");
    });
}

/// Periodic work is done under steady traffic, too.
///
/// Hole: `live`.
#[test]
fn ticks_come_though_messages_never_stop() {
    gate::paused(async || {
        let (_supervised, handle, diary) = lone(Restart::Permanent, SECOND);
        // A message every tenth of a second, for ten seconds; the last tick may be due at this very moment.
        for _ in 0..100 {
            sleep(SECOND / 10).await;
            assert!(handle.cast(Tell::Pass).is_ok(), "the server keeps up");
        }
        let ticks = diary.count("probe ticks");
        assert!(ticks >= 9, "steady traffic held up the periodic work");
    });
}

/// Periodic work is done before a queue that is never empty.
///
/// Hole: `live`.
#[test]
fn ticks_do_not_wait_for_an_empty_queue() {
    gate::paused(async || {
        let (_supervised, handle, diary) = lone(Restart::Permanent, SECOND);
        settle().await;
        assert!(handle.cast(Tell::Chain(20_000, handle.clone())).is_ok(), "it runs");
        // The period ends while messages follow each other.
        tokio::time::advance(SECOND).await;
        while diary.count("probe passes") < 20_000 {
            tokio::task::yield_now().await;
        }
        let before = diary.read().iter().take_while(|noted| *noted != "probe ticks").count();
        assert!(before < 15_000, "a tick that was due waited for the queue: {before} messages came first");
    });
}

/// A server that was away for many periods owes one tick, not many.
///
/// Hole: `live`.
#[test]
fn missed_ticks_are_not_made_up_for() {
    gate::paused(async || {
        let (_supervised, handle, diary) = lone(Restart::Permanent, SECOND);
        settle().await;
        tokio::time::advance(100 * SECOND + SECOND / 2).await;
        settle().await;
        assert_eq!(handle.call(SECOND, Tell::Hello).await, Ok(1), "the server runs");
        let ticks = diary.count("probe ticks");
        assert!(ticks >= 1, "a tick was due");
        assert!(ticks <= 2, "missed ticks were made up for: {ticks} at once");
        assert_eq!(
            diary.count("probe hears an old time"),
            0,
            "a tick that comes late was told the time when it was due"
        );
    });
}

/// A stop goes before what is queued, and the server has its last words once.
///
/// Hole: `live`.
#[test]
fn a_stop_goes_before_what_is_queued() {
    gate::paused(async || {
        let (supervised, handle, diary) = lone(Restart::Permanent, MINUTE);
        settle().await;
        assert!(handle.cast(Tell::Chain(5_000, handle.clone())).is_ok(), "it runs");
        assert_eq!(timed(supervised.stop()).await, (Duration::ZERO, Outcome::Stopped), "nothing holds it up");
        assert_eq!(diary.count("probe stops"), 1, "its last words");
        let passed = diary.count("probe passes");
        assert!(passed < 2_500, "a stop waited for the queue: {passed} messages came first");
        assert_eq!(handle.cast(Tell::Pass), Err(CallError::NoProc), "nobody is there any more");
    });
}

/// A permanent child always comes back, a transient one after a crash, a temporary one never.
///
/// Hole: `supervise`.
#[test]
fn who_comes_back_is_said_by_the_kind_of_child() {
    gate::paused(async || {
        for (restart, after_a_crash, after_its_work) in
            [(Restart::Permanent, 2, 2), (Restart::Transient, 2, 1), (Restart::Temporary, 1, 1)]
        {
            let (_supervised, handle, diary) = lone(restart, MINUTE);
            settle().await;
            assert!(handle.cast(Tell::Crash).is_ok(), "it runs");
            settle().await;
            let starts = diary.count("probe starts");
            assert_eq!(starts, after_a_crash, "starts of a {restart:?} child that crashed");
            assert_eq!(handle.call(SECOND, Tell::Hello).await.is_ok(), starts == 2, "who is back answers");

            let (supervised, handle, diary) = lone(restart, MINUTE);
            settle().await;
            assert!(handle.cast(Tell::Finish).is_ok(), "it runs");
            settle().await;
            let starts = diary.count("probe starts");
            assert_eq!(starts, after_its_work, "starts of a {restart:?} child whose work was done");
            assert_eq!(handle.call(SECOND, Tell::Hello).await.is_ok(), starts == 2, "who is back answers");
            assert_eq!(diary.count("probe stops"), 0, "last words of somebody whom nobody has stopped");
            assert!(supervised.is_running(), "a supervisor with nobody left waits to be stopped");
            assert_eq!(
                timed(supervised.stop()).await,
                (Duration::ZERO, Outcome::Stopped),
                "nothing holds it up"
            );
        }
    });
}

/// Children start in order and stop in reverse: who needs another one is stopped before it.
///
/// Holes: `supervise`, `live`.
#[test]
fn children_stop_in_reverse_order() {
    gate::paused(async || {
        let diary = Diary::default();
        let mut supervisor = Supervisor::new(Intensity::default());
        for name in ["first", "second", "third"] {
            supervisor = supervisor.child(Probe::child(name, Restart::Permanent, MINUTE, &diary).0);
        }
        let supervised = supervisor.start();
        settle().await;
        assert_eq!(supervised.stop().await, Outcome::Stopped, "it was asked to");
        assert_eq!(
            diary.read(),
            ["first starts", "second starts", "third starts", "third stops", "second stops", "first stops"],
            "who was started last is stopped first"
        );
    });
}

/// Whose work is done is no crash, and who is not wanted back is no restart: they do not count.
///
/// Hole: `supervise`.
#[test]
fn an_end_that_wants_no_restart_does_not_count() {
    gate::paused(async || {
        let diary = Diary::default();
        let mut supervisor = Supervisor::new(Intensity { restarts: 1, period: MINUTE });
        let mut handles = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            let (child, handle) = Probe::child(name, Restart::Temporary, MINUTE, &diary);
            supervisor = supervisor.child(child);
            handles.push(handle);
        }
        let (child, handle) = Probe::child("wanted", Restart::Permanent, MINUTE, &diary);
        let supervised = supervisor.child(child).start();
        settle().await;
        for (at, ends) in handles.iter().enumerate() {
            assert!(ends.cast(if at % 2 == 0 { Tell::Finish } else { Tell::Crash }).is_ok(), "it runs");
            settle().await;
            assert!(supervised.is_running(), "it gave up for the end of a child that nobody wants back");
        }
        assert!(handle.cast(Tell::Crash).is_ok(), "it runs");
        settle().await;
        assert_eq!(supervised.restarts(), 1, "the first restart, of one that is allowed");
        assert_eq!(handle.call(SECOND, Tell::Hello).await, Ok(1), "it is back");
    });
}

/// Each restart counts for one period: neither for ever, nor until some bucket is emptied.
///
/// Hole: `admit`.
#[test]
fn a_restart_counts_for_one_period() {
    gate::check(|| {
        let start = Instant::now();
        let mut window = Window::new(Intensity { restarts: 3, period: 5 * SECOND });
        let at = |tenths: u32| start + tenths * SECOND / 10;
        for tenths in [0, 40, 49] {
            assert!(window.admit(at(tenths)), "three are allowed in five seconds");
        }
        assert!(window.admit(at(51)), "the first one counts no more after five seconds");
        assert!(!window.admit(at(55)), "four restarts within five seconds, where three are allowed");
        assert!(!window.admit(at(89)), "those at 4.0, 4.9 and 5.1 s still count at 8.9 s");
        assert!(window.admit(at(90)), "at 9.0 s the one at 4.0 s counts no more");
        let mut none = Window::new(Intensity { restarts: 0, period: SECOND });
        assert!(!none.admit(start), "none is allowed");
    });
}

/// The client hears of the bound, and may go on.
///
/// Hole: `change`.
#[test]
fn a_client_hears_of_the_bound() {
    gate::paused(async || {
        let (_supervised, client) = counter(Settings { keys: 2, ..Settings::default() });
        assert_eq!(client.update(keys(&["a", "b"]), |_, n| n + 2).await, Ok(vec![2, 2]), "room for two");
        assert_eq!(client.increment("c").await, Err(CounterError::Full(Full)), "and not for three");
        assert!(client.inherited() <= 2, "what was refused is no fact");
        assert_eq!(client.increment("a").await, Ok(3), "a key that is there needs no room");
    });
}
