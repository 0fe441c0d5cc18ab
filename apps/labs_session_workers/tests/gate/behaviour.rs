//! What sessions do when nothing goes wrong, and at their bounds.

use std::sync::Mutex;
use std::time::Duration;

use labs_session_workers::{Address, CallError, Limits, Refused, Registry, Report};
use tokio::time::sleep;

use crate::room::{LIMITS, SECOND, Say, World, add, rooms, settle, timed};

/// A key names one worker, and is free when its name is dropped.
///
/// Holes: `claim`, `release`.
#[test]
fn a_key_is_given_once_and_free_again() {
    gate::check(|| {
        let registry: Registry<&str, ()> = Registry::default();
        let ((first, _first_post), (second, _second_post)) = (Address::new(1), Address::new(1));
        let name = registry.claim(&"a", &first);
        assert!(name.is_ok(), "nobody has the key");
        let taken = registry.claim(&"a", &second).err().map(|address| address.id());
        assert_eq!(taken, Some(first.id()), "a key was given to two, or it is not said who has it");
        assert!(registry.claim(&"b", &second).is_ok(), "another key is free");
        assert_eq!(registry.whereis(&"a").map(|address| address.id()), Some(first.id()), "its address");
        assert_eq!(registry.len(), 1, "its holder is gone, and the key still has an entry");
        drop(name);
        assert!(registry.whereis(&"a").is_none(), "its holder is gone, and the key still has an entry");
        assert!(registry.claim(&"a", &second).is_ok(), "the key is free again");
    });
}

/// A name that was taken away frees nothing: the key may be somebody else's by then.
///
/// Hole: `release`.
#[test]
fn a_name_frees_its_own_entry_alone() {
    gate::check(|| {
        let registry: Registry<&str, ()> = Registry::default();
        let ((first, _first_post), (second, _second_post)) = (Address::new(1), Address::new(1));
        let old = registry.claim(&"a", &first);
        assert!(registry.evict(&"a").is_some(), "the first one had it");
        let new = registry.claim(&"a", &second);
        assert!(old.is_ok() && new.is_ok(), "each was free when it was claimed");
        drop(old);
        let holder = registry.whereis(&"a").map(|address| address.id());
        assert_eq!(holder, Some(second.id()), "a name took another one's entry with it");
        drop(new);
        assert!(registry.is_empty(), "the second one is gone, too");
    });
}

/// The first use starts a worker; later uses find it.
///
/// Holes: `find_or_start`, `deliver`.
#[test]
fn the_first_use_starts_and_the_second_finds() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { opening: SECOND, ..World::default() });
        assert_eq!(world.opens.get(), 0, "nobody is started before somebody asks");
        assert_eq!(timed(add(&rooms, 1)).await, (SECOND, Ok(1)), "the opening takes a second");
        assert_eq!(timed(add(&rooms, 1)).await, (Duration::ZERO, Ok(2)), "the second use finds it open");
        assert_eq!(add(&rooms, 2).await, Ok(1), "another session is another worker");
        assert_eq!(
            (world.opens.get(), world.alive(), rooms.registry().len()),
            (2, 2, 2),
            "two of everything"
        );
    });
}

/// Two first uses of a key at the same time start one worker.
///
/// Holes: `claim`, `find_or_start`.
#[test]
fn two_first_uses_start_one_worker() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { opening: SECOND, ..World::default() });
        let (a, b) = tokio::join!(add(&rooms, 1), add(&rooms, 1));
        assert_eq!(world.opens.get(), 1, "two workers for one key");
        assert_eq!((a, b), (Ok(1), Ok(2)), "both are answered by it");
        assert_eq!((world.alive(), rooms.registry().len()), (1, 1), "one worker and one name");
    });
}

/// While one session opens slowly, nobody else waits.
///
/// Holes: `find_or_start`, `claim`.
#[test]
fn a_slow_opening_holds_up_no_other_session() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { opening: 10 * SECOND, ..World::default() });
        let calls: Vec<_> = (0..100)
            .map(|key| {
                let rooms = rooms.clone();
                tokio::spawn(async move { timed(add(&rooms, key)).await })
            })
            .collect();
        for call in calls {
            let (waited, answer) = call.await.expect("the call ends");
            assert_eq!(answer, Ok(1), "its first message");
            assert_eq!(waited, 10 * SECOND, "sessions were opened one after the other");
        }
        assert_eq!(world.alive(), 100, "all are awake");
    });
}

/// An idle worker closes its session and goes; the next use opens it again.
///
/// Hole: `live`.
#[test]
fn an_idle_worker_goes_to_sleep() {
    gate::paused(async || {
        let (rooms, world) = rooms(Limits { idle: 60 * SECOND, ..LIMITS }, World::default());
        for n in 1..=10 {
            assert_eq!(add(&rooms, 1).await, Ok(n), "its messages");
            sleep(50 * SECOND).await;
        }
        assert_eq!(world.opens.get(), 1, "a worker fell asleep fifty seconds after a message, of sixty");
        sleep(11 * SECOND).await;
        settle().await;
        assert_eq!(world.alive(), 0, "a worker was idle for long enough, and is still there");
        assert_eq!(world.closes.get(), 1, "it fell asleep without closing its session");
        assert!(rooms.registry().is_empty(), "a worker is gone, and its name is still taken");
        assert_eq!(add(&rooms, 1).await, Ok(11), "the next use wakes it");
        assert_eq!(world.opens.get(), 2, "in a second life");
    });
}

/// Who was busy was not idle: the time to sleep begins when the work is done.
///
/// Hole: `live`.
#[test]
fn a_busy_worker_is_not_idle() {
    gate::paused(async || {
        let (rooms, world) = rooms(Limits { idle: 5 * SECOND, ..LIMITS }, World::default());
        assert_eq!(rooms.call(&1, |reply| Say::Slowly(20 * SECOND, reply)).await, Ok(1), "it takes its time");
        sleep(4 * SECOND).await;
        assert_eq!(add(&rooms, 1).await, Ok(2), "its second message");
        assert_eq!(world.opens.get(), 1, "a worker fell asleep four seconds after its work, of five");
    });
}

/// A message that meets a worker on its way to sleep is handled, by this life or the next.
///
/// Holes: `deliver`, `live`.
#[test]
fn a_message_to_somebody_who_falls_asleep_is_not_lost() {
    gate::paused(async || {
        let world = World { opening: SECOND, closing: 2 * SECOND, ..World::default() };
        let (rooms, world) = rooms(Limits { idle: 60 * SECOND, ..LIMITS }, world);
        assert_eq!(add(&rooms, 1).await, Ok(1), "the first message");
        // It begins to close 60 s from now and is gone at 62 s; the next life is open a second later.
        sleep(61 * SECOND).await;
        let three = async { tokio::join!(add(&rooms, 1), add(&rooms, 1), add(&rooms, 1)) };
        let (waited, (a, b, c)) = timed(three).await;
        let mut answers = [a, b, c].map(|answer| answer.unwrap_or(0));
        answers.sort_unstable();
        assert_eq!(answers, [2, 3, 4], "a message that met a worker on its way to sleep was lost");
        assert_eq!(waited, 2 * SECOND, "one second until it is gone, one for the next opening");
        assert_eq!(world.overlaps(), [0_u32; 0], "two lives of one session at one time");
        assert_eq!(world.opens.get(), 2, "one life more");
    });
}

/// What was sent just before a worker fell asleep, or was told to stop, is handled by it.
///
/// Hole: `live`.
#[test]
fn what_is_queued_is_handled_before_the_end() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        assert_eq!(add(&rooms, 1).await, Ok(1), "the first message");
        let address = rooms.registry().whereis(&1).expect("it is awake");
        let slow = rooms.call(&1, |reply| Say::Slowly(5 * SECOND, reply));
        let closing = async {
            // The worker is busy, and three more wait, when it is told to stop.
            sleep(SECOND).await;
            address.stop();
            address.gone().await
        };
        let more = async {
            sleep(SECOND / 2).await;
            tokio::join!(add(&rooms, 1), add(&rooms, 1), add(&rooms, 1))
        };
        let (first, (a, b, c), _) = tokio::join!(slow, more, closing);
        let answers = [first, a, b, c].map(|answer| answer.unwrap_or(0));
        assert_eq!(answers, [2, 3, 4, 5], "what was queued when the stop came was thrown away");
        assert_eq!((world.opens.get(), world.closes.get()), (1, 1), "one life handled them all");
    });
}

/// However much is queued, it is handled before the end.
///
/// Hole: `live`.
#[test]
fn a_long_queue_is_handled_before_the_end() {
    gate::paused(async || {
        let (rooms, world) = rooms(Limits { mailbox: 256, ..LIMITS }, World::default());
        let ask = |time: Duration| {
            let rooms = rooms.clone();
            tokio::spawn(async move { rooms.call(&1, |reply| Say::Slowly(time, reply)).await })
        };
        // One is being handled, and two hundred wait, when the stop comes.
        let mut calls = vec![ask(SECOND)];
        settle().await;
        calls.extend((0..200).map(|_| ask(Duration::ZERO)));
        settle().await;
        rooms.close(&1).await;
        for (call, wanted) in calls.into_iter().zip(1..) {
            let answer = call.await.expect("the call ends");
            assert_eq!(answer, Ok(wanted), "of 201 messages that were taken in, some were thrown away");
        }
        assert_eq!((world.opens.get(), world.closes.get()), (1, 1), "one life handled them all");
    });
}

/// A stop does not wait for a queue that never gets empty: what is queued is handled, and what comes later is the next life's.
///
/// Hole: `live`.
#[test]
fn a_stop_is_heard_though_messages_never_stop() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        let crowd: Vec<_> = (0..20)
            .map(|_| {
                let rooms = rooms.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let answer = rooms.call(&1, |reply| Say::Slowly(SECOND, reply)).await;
                        assert!(answer.is_ok(), "a caller behind a stop heard: {answer:?}");
                    }
                })
            })
            .collect();
        sleep(5 * SECOND + SECOND / 2).await;
        let (waited, ()) = timed(rooms.close(&1)).await;
        // One is being handled, and eight are queued.
        assert!(waited <= 10 * SECOND, "a stop waited {waited:?} for a queue that others fill again");
        for caller in crowd {
            caller.await.expect("the caller comes to its end");
        }
        assert_eq!(
            (world.stored(1), world.overlaps()),
            (200, Vec::new()),
            "each was handled, by one life at a time"
        );
    });
}

/// There is a bound, and a named answer; who is awake is served at the bound, too.
///
/// Holes: `deliver`, `find_or_start`.
#[test]
fn at_the_bound_a_start_is_refused() {
    gate::paused(async || {
        let (rooms, world) = rooms(Limits { workers: 2, ..LIMITS }, World::default());
        for key in [1, 2] {
            assert_eq!(add(&rooms, key).await, Ok(1), "there is room for two");
        }
        let refused = Err(CallError::Refused(Refused::Full));
        let (a, b) = tokio::join!(timed(add(&rooms, 3)), timed(add(&rooms, 3)));
        assert_eq!(
            [a, b],
            [(Duration::ZERO, refused.clone()), (Duration::ZERO, refused)],
            "two are awake, of two"
        );
        assert_eq!(add(&rooms, 1).await, Ok(2), "who is awake is served");
        assert_eq!(rooms.registry().len(), 2, "who was refused left a name behind");
        rooms.close(&1).await;
        assert_eq!(add(&rooms, 3).await, Ok(1), "one went, so there is room for one");
        assert_eq!(world.opens.get(), 3, "three lives in all");
    });
}

/// A session that cannot be opened is an answer for all who wait; the next use tries again.
///
/// Holes: `ended`, `deliver`.
#[test]
fn a_session_that_does_not_open_is_an_answer() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { opening: SECOND, ..World::default() });
        world.shut.lock().unwrap().insert(1);
        let (a, b) = tokio::join!(timed(add(&rooms, 1)), timed(add(&rooms, 1)));
        let no_light = (SECOND, Err(CallError::NotOpened("no light".into())));
        assert_eq!([a, b], [no_light.clone(), no_light], "both hear why, when it is known");
        settle().await;
        assert_eq!(world.opens.get(), 1, "a session that could not be opened is not opened again by itself");
        assert!(rooms.registry().is_empty(), "it is not there");
        world.shut.lock().unwrap().clear();
        assert_eq!(add(&rooms, 1).await, Ok(1), "the next use tries again");
    });
}

/// The answer is that of all who wait, also of those for whom there was no room in the mailbox: none of them tries again.
///
/// Hole: `deliver`.
#[test]
fn who_waits_at_the_door_hears_it_too() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { opening: SECOND, ..World::default() });
        world.shut.lock().unwrap().insert(1);
        let calls: Vec<_> = (0..30)
            .map(|_| {
                let rooms = rooms.clone();
                tokio::spawn(async move { timed(add(&rooms, 1)).await })
            })
            .collect();
        let no_light = (SECOND, Err(CallError::NotOpened("no light".into())));
        for call in calls {
            let heard = call.await.expect("the call ends");
            assert_eq!(heard, no_light, "eight wait in the mailbox, the others for room, and all hear why");
        }
        assert_eq!(world.opens.get(), 1, "a session that could not be opened is not opened again by itself");
    });
}

/// A full mailbox makes callers wait, for as long as their patience lasts; after a crash, too.
///
/// Holes: `deliver`, `ended`.
#[test]
fn callers_wait_for_room_within_their_patience() {
    gate::paused(async || {
        for crashed in [false, true] {
            let limits = Limits { mailbox: 2, patience: 10 * SECOND, ..LIMITS };
            let (rooms, _world) = rooms(limits, World::default());
            if crashed {
                assert_eq!(rooms.call(&1, Say::Crash).await, Err(CallError::Died), "it has crashed");
                settle().await;
            }
            let calls: Vec<_> = (0..20)
                .map(|_| {
                    let rooms = rooms.clone();
                    tokio::spawn(async move { rooms.call(&1, |reply| Say::Slowly(SECOND, reply)).await })
                })
                .collect();
            let mut answers = Vec::new();
            for call in calls {
                answers.push(call.await.expect("the call ends"));
            }
            let served = answers.iter().filter(|answer| answer.is_ok()).count();
            let in_vain = answers.iter().filter(|answer| **answer == Err(CallError::Overloaded)).count();
            assert!((9..=10).contains(&served), "one a second for ten seconds, and {served} were served");
            assert!(
                in_vain >= 6,
                "{in_vain} heard that there was no room in time, and that nothing was done (after a crash: {crashed})"
            );
        }
    });
}

/// A shutdown lets every session handle what it has and close, all at the same time; then nobody is there, and nobody comes.
///
/// Hole: `shutdown`.
#[test]
fn a_shutdown_lets_everybody_close() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { closing: SECOND, ..World::default() });
        for key in 0..1_000 {
            assert_eq!(add(&rooms, key).await, Ok(1), "its first message");
        }
        let report = timed(rooms.shut_down(30 * SECOND)).await;
        let all = Report { ended: 1_000, aborted: 0 };
        assert_eq!(report, (SECOND, all), "a thousand close in the second that one takes");
        assert_eq!((world.closes.get(), world.alive()), (1_000, 0), "all were closed, and nobody is left");
        assert!(rooms.registry().is_empty(), "nobody is there, and names are still taken");
        let late = add(&rooms, 1).await;
        assert_eq!(late, Err(CallError::Refused(Refused::Closing)), "nobody starts after a shutdown");
    });
}

/// A worker that crashes while it closes has not ended in good order, and the report says so.
///
/// Hole: `shutdown`.
#[test]
fn who_crashes_on_the_way_out_is_not_counted_as_closed() {
    gate::paused(async || {
        let grudging = Mutex::new([3, 7].into());
        let (rooms, world) = rooms(LIMITS, World { grudging, ..World::default() });
        for key in 0..10 {
            assert_eq!(add(&rooms, key).await, Ok(1), "its first message");
        }
        let report = timed(rooms.shut_down(5 * SECOND)).await;
        let two_crashed = Report { ended: 8, aborted: 2 };
        assert_eq!(report, (Duration::ZERO, two_crashed), "eight have closed, two have crashed meanwhile");
        assert_eq!((world.closes.get(), world.alive()), (8, 0), "nobody is left");
    });
}

/// A worker that does not come to its end is aborted when the time is over, and holds up nobody else.
///
/// Hole: `shutdown`.
#[test]
fn a_shutdown_has_an_end() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        for key in 0..10 {
            assert_eq!(add(&rooms, key).await, Ok(1), "its first message");
        }
        let stuck = rooms.clone();
        let waiting = tokio::spawn(async move { stuck.call(&3, Say::Forever).await });
        settle().await;
        let report = timed(rooms.shut_down(5 * SECOND)).await;
        let one_stuck = Report { ended: 9, aborted: 1 };
        assert_eq!(report, (5 * SECOND, one_stuck), "nine close at once, one is aborted after five seconds");
        assert_eq!(waiting.await.expect("the call ends"), Err(CallError::Died), "its worker was aborted");
        assert_eq!((world.closes.get(), world.alive()), (9, 0), "nobody is left");
        assert!(rooms.registry().is_empty(), "nobody is there, and names are still taken");
    });
}

/// The time that a shutdown has is that of all together: who closes late gives the others no more of it.
///
/// Hole: `shutdown`.
#[test]
fn a_shutdown_has_one_end_for_all() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        // Three come to their end a second after each other; two hundred never do.
        let mut calls = Vec::new();
        for key in 0..203 {
            let rooms = rooms.clone();
            calls.push(tokio::spawn(async move {
                match key {
                    0..3 => rooms.call(&key, |reply| Say::Slowly(SECOND * (key + 1), reply)).await,
                    _ => rooms.call(&key, Say::Forever).await,
                }
            }));
        }
        settle().await;
        let report = timed(rooms.shut_down(5 * SECOND)).await;
        // Before anybody else has had time to run.
        assert_eq!(world.alive(), 0, "the shutdown is over, and who was aborted still runs");
        let two_hundred = Report { ended: 3, aborted: 200 };
        assert_eq!(report, (5 * SECOND, two_hundred), "five seconds for all, and not for each");
        for call in calls {
            let _ = call.await.expect("the call ends");
        }
        assert!(rooms.registry().is_empty(), "nobody is there, and names are still taken");
    });
}
