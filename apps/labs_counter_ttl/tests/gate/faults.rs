//! What happens when a callback panics: once, in the middle of something, or for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use labs_counter_ttl::{
    CallError, Child, CounterError, Handle, Intensity, Next, Outcome, Restart, Server, Settings, Spec,
    Supervisor,
};
use tokio::time::{Instant, sleep};

use crate::probe::{Diary, Probe, SECOND, Tell, counter, crash, lone, settle, timed};

const HOUR: Duration = Duration::from_hours(1);

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Callers of a server that crashes hear so at once, the one whose message it was and those behind it; the next is served.
///
/// Holes: `live`, `supervise`.
#[test]
fn callers_of_a_crashing_server_hear_of_it_at_once() {
    gate::paused(async || {
        let (_supervised, handle, _diary) = lone(Restart::Permanent, HOUR);
        settle().await;
        assert!(handle.cast(Tell::Crash).is_ok(), "it runs");
        // All three are sent before the server runs again: they wait behind the message that it crashes on.
        let ask = || timed(handle.call(HOUR, Tell::Hello));
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        let died = (Duration::ZERO, Err(CallError::Died));
        assert_eq!([a, b, c], [died; 3], "a caller waited for a life that was over");
        settle().await;
        assert!(handle.call(SECOND, Tell::Hello).await.is_ok(), "a permanent child comes back and answers");
    });
}

/// What was acknowledged survives a crash.
///
/// Holes: `change`, `inherit`.
#[test]
fn acknowledged_counts_survive_a_crash() {
    gate::paused(async || {
        let (supervised, client) = counter(Settings::default());
        for n in 1..=5 {
            assert_eq!(client.increment("a").await, Ok(n), "one more");
        }
        let died = client.update(keys(&["poison"]), |_, _| crash()).await;
        assert_eq!(died, Err(CounterError::Call(CallError::Died)), "its code has panicked");
        settle().await;
        assert_eq!(supervised.restarts(), 1, "it is in its second life");
        assert_eq!(client.get("a").await, Ok(5), "a count was acknowledged, and a crash has undone it");
        assert_eq!(client.increment("a").await, Ok(6), "it goes on where it was");
    });
}

/// A change is with the heir when it is answered, and not soon after.
///
/// Hole: `change`.
#[test]
fn the_heir_knows_before_the_caller_does() {
    gate::paused(async || {
        let (_supervised, client) = counter(Settings::default());
        // Both wait in the mailbox: the second one is handled right behind the first, and nothing else runs in between.
        let (known, heir) = (Arc::new(AtomicUsize::new(0)), client.clone());
        let note = known.clone();
        let look = move |_: &str, count| {
            note.store(heir.inherited(), Ordering::SeqCst);
            count
        };
        let (first, second) = tokio::join!(client.increment("a"), client.update(keys(&["b"]), look));
        assert_eq!((first, second), (Ok(1), Ok(vec![0])), "both are answered");
        let known = known.load(Ordering::SeqCst);
        assert_eq!(known, 1, "a change was answered, and the heir did not know of it yet");
    });
}

/// A batch that crashed in its middle was not done at all.
///
/// Holes: `change`, `update`.
#[test]
fn a_crash_leaves_no_half_of_a_batch() {
    gate::paused(async || {
        let (_supervised, client) = counter(Settings::default());
        assert_eq!(client.update(keys(&["a", "b", "c"]), |_, _| 1).await, Ok(vec![1; 3]), "there is room");
        let add = |key: &str, count: u64| if key == "c" { crash() } else { count + 100 };
        let died = client.update(keys(&["a", "b", "c"]), add).await;
        assert_eq!(died, Err(CounterError::Call(CallError::Died)), "its code has panicked");
        settle().await;
        for key in ["a", "b", "c"] {
            assert_eq!(client.get(key).await, Ok(1), "half of a batch outlived the crash in its middle");
        }
        let died = client.update(keys(&["new", "c"]), add).await;
        assert_eq!(died, Err(CounterError::Call(CallError::Died)), "its code has panicked");
        settle().await;
        assert_eq!(client.len().await, Ok(3), "half of a batch outlived the crash in its middle");
        assert_eq!(client.inherited(), 3, "the heir knows of whole changes alone");
    });
}

/// A crash makes nothing live longer, nor shorter.
///
/// Hole: `inherit`.
#[test]
fn a_crash_does_not_start_the_clock_anew() {
    gate::paused(async || {
        let (_supervised, client) = counter(Settings { ttl: 10 * SECOND, ..Settings::default() });
        assert_eq!(client.increment("a").await, Ok(1), "the first one");
        sleep(8 * SECOND).await;
        let _ = client.update(keys(&["poison"]), |_, _| crash()).await;
        settle().await;
        assert_eq!(client.get("a").await, Ok(1), "two of its ten seconds are left");
        sleep(SECOND + SECOND / 2).await;
        assert_eq!(client.get("a").await, Ok(1), "half a second is left");
        sleep(SECOND / 2).await;
        assert_eq!(client.get("a").await, Ok(0), "a crash gave a count more time than it had");
        sleep(2 * SECOND).await;
        assert_eq!((client.len().await, client.inherited()), (Ok(0), 0), "it is swept away as ever");
    });
}

/// A crash touches nobody else.
///
/// Hole: `supervise`.
#[test]
fn a_crash_touches_no_sibling() {
    gate::paused(async || {
        let diary = Diary::default();
        let (good, good_handle) = Probe::child("good", Restart::Permanent, HOUR, &diary);
        let (bad, bad_handle) = Probe::child("bad", Restart::Permanent, HOUR, &diary);
        let _supervised = Supervisor::new(Intensity::default()).child(good).child(bad).start();
        settle().await;
        assert_eq!(good_handle.call(SECOND, Tell::Hello).await, Ok(1), "its first message");
        assert!(bad_handle.cast(Tell::Crash).is_ok(), "it runs");
        settle().await;
        assert_eq!(diary.count("bad starts"), 2, "it is in its second life");
        assert_eq!(diary.count("good starts"), 1, "a sibling was restarted for another one's crash");
        assert_eq!(good_handle.call(SECOND, Tell::Hello).await, Ok(2), "it still knows of its first message");
        assert_eq!(bad_handle.call(SECOND, Tell::Hello).await, Ok(1), "a new life knows of none");
    });
}

/// A server whose first line panics, a thousand times.
struct Doomed;

impl Server for Doomed {
    type Message = ();

    fn handle(&mut self, (): (), _now: Instant) -> Next {
        Next::GoOn
    }
}

fn doomed(diary: &Diary) -> (Child, Handle<()>) {
    let diary = diary.clone();
    Child::new(Restart::Permanent, Spec::default(), move || {
        diary.note("doomed starts");
        // After a thousand restarts the storm has been seen well enough.
        if diary.count("doomed starts") <= 1_000 {
            crash()
        }
        Doomed
    })
}

/// What crashes at once and always is given up after as many restarts as are allowed, and takes its siblings down in order.
///
/// Holes: `supervise`, `admit`.
#[test]
fn a_restart_storm_is_given_up() {
    gate::paused(async || {
        let diary = Diary::default();
        let (good, good_handle) = Probe::child("good", Restart::Permanent, HOUR, &diary);
        let (bad, bad_handle) = doomed(&diary);
        let intensity = Intensity { restarts: 5, period: 10 * SECOND };
        let mut supervisor = Supervisor::new(intensity).child(good).child(bad);
        let others = ["second", "third", "fourth", "fifth"];
        for name in others {
            supervisor = supervisor.child(Probe::child(name, Restart::Permanent, HOUR, &diary).0);
        }
        let supervised = supervisor.start();
        settle().await;
        let starts = diary.count("doomed starts");
        assert!(starts <= 6, "a restart storm: {starts} starts, where one and five restarts are allowed");
        assert_eq!(starts, 6, "all five restarts are tried");
        assert!(!supervised.is_running(), "it has given up");
        assert_eq!(supervised.restarts(), 5, "the one that was refused is no restart");
        assert_eq!(supervised.ended().await, Outcome::GaveUp, "and says so");
        assert_eq!(diary.count("good stops"), 1, "a supervisor that gives up leaves nobody running");
        let stops: Vec<String> = diary.read().into_iter().filter(|noted| noted.ends_with(" stops")).collect();
        let wanted = ["fifth", "fourth", "third", "second", "good"].map(|name| format!("{name} stops"));
        assert_eq!(stops, wanted, "it gives up in order, too: who was started last is stopped first");
        assert_eq!(good_handle.cast(Tell::Pass), Err(CallError::NoProc), "nobody is there");
        assert_eq!(bad_handle.cast(()), Err(CallError::NoProc), "nobody is there");
    });
}

/// All children count in one window.
///
/// Hole: `supervise`.
#[test]
fn crashes_of_several_children_add_up() {
    gate::paused(async || {
        let diary = Diary::default();
        let mut supervisor = Supervisor::new(Intensity { restarts: 5, period: 5 * SECOND });
        let mut handles = Vec::new();
        for name in ["a", "b", "c", "d", "e", "f"] {
            let (child, handle) = Probe::child(name, Restart::Permanent, HOUR, &diary);
            supervisor = supervisor.child(child);
            handles.push(handle);
        }
        let supervised = supervisor.start();
        settle().await;
        for (crashes, handle) in handles.iter().enumerate() {
            assert!(supervised.is_running(), "{crashes} crashes are within what is allowed");
            assert!(handle.cast(Tell::Crash).is_ok(), "it runs");
            settle().await;
        }
        assert!(
            !supervised.is_running(),
            "six crashes within five seconds, of six children, and five are allowed"
        );
    });
}

/// A crash now and then is no storm: it may go on for ever.
///
/// Holes: `supervise`, `admit`.
#[test]
fn a_crash_now_and_then_is_no_storm() {
    gate::paused(async || {
        let diary = Diary::default();
        let (child, handle) = Probe::child("probe", Restart::Permanent, HOUR, &diary);
        let supervised = Supervisor::new(Intensity { restarts: 3, period: 5 * SECOND }).child(child).start();
        settle().await;
        for crashes in 0..100 {
            assert!(handle.cast(Tell::Crash).is_ok(), "given up after {crashes} crashes, two seconds apart");
            sleep(2 * SECOND).await;
        }
        assert_eq!(supervised.restarts(), 100, "each was a restart");
        assert_eq!(diary.count("probe starts"), 101, "and one start");
    });
}

/// A stop is heard while a child crashes and comes back.
///
/// Hole: `supervise`.
#[test]
fn a_stop_is_heard_in_the_middle_of_crashes() {
    gate::paused(async || {
        let (child, client) = labs_counter_ttl::Counter::child(Settings::default());
        let often = Intensity { restarts: 1_000_000, period: SECOND };
        let supervised = Supervisor::new(often).child(child).start();
        let crashing = client.clone();
        let crasher = tokio::spawn(async move {
            loop {
                let died = crashing.update(vec!["poison".to_owned()], |_, _| crash()).await;
                if died == Err(CounterError::Call(CallError::NoProc)) {
                    // Between two lives, or after the last one.
                    tokio::task::yield_now().await;
                }
            }
        });
        sleep(Duration::ZERO).await;
        settle().await;
        assert!(supervised.restarts() > 5, "it crashes all the time");
        assert_eq!(timed(supervised.stop()).await, (Duration::ZERO, Outcome::Stopped), "nothing holds it up");
        crasher.abort();
        settle().await;
        assert_eq!(client.get("a").await, Err(CallError::NoProc), "nobody is there any more");
    });
}
