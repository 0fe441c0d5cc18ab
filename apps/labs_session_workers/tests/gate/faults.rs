//! What happens when many come at once, when workers crash, and when callers go away.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use labs_session_workers::{Address, CallError, End, Limits, Registry, Sessions};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::hall::{Hall, Key};
use crate::room::{LIMITS, SECOND, Say, World, add, rooms, settle, timed};

/// A thousand first uses of one key start one worker, and each of them has its answer.
///
/// Holes: `claim`, `find_or_start`.
#[test]
fn a_thousand_first_uses_start_one_worker() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { opening: SECOND, ..World::default() });
        let calls: Vec<_> = (0..1_000)
            .map(|_| {
                let rooms = rooms.clone();
                tokio::spawn(async move { add(&rooms, 7).await })
            })
            .collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.expect("the call ends").unwrap_or(0));
        }
        answers.sort_unstable();
        assert_eq!(world.opens.get(), 1, "two workers for one key");
        assert_eq!(answers, (1..=1_000).collect::<Vec<_>>(), "each has an answer of its own");
        assert_eq!((world.alive(), rooms.registry().len()), (1, 1), "one worker and one name");
    });
}

/// A worker that crashed comes back by itself, under its name.
///
/// Hole: `ended`.
#[test]
fn a_crashed_worker_comes_back_under_its_name() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        assert_eq!(add(&rooms, 1).await, Ok(1), "the first message");
        let before = rooms.registry().whereis(&1).map(|address| address.id());
        let died = timed(rooms.call(&1, Say::Crash)).await;
        assert_eq!(died, (Duration::ZERO, Err(CallError::Died)), "who sent it hears so at once");
        settle().await;
        let after = rooms.registry().whereis(&1).map(|address| address.id());
        assert!(after.is_some() && after != before, "a restarted worker is not found under its name");
        assert_eq!(
            (world.opens.get(), world.alive()),
            (2, 1),
            "it is in its second life, though nobody has asked"
        );
        assert_eq!(add(&rooms, 1).await, Ok(2), "it answers");
        assert_eq!(world.opens.get(), 2, "two workers for one key: the restarted one was not found");
        rooms.close(&1).await;
        assert_eq!(world.alive(), 0, "a restarted worker can be closed by its name");
    });
}

/// Between two lives the key is never free: whoever calls in this moment reaches the next life.
///
/// Holes: `ended`, `deliver`.
#[test]
fn nobody_gets_between_two_lives() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { opening: SECOND, ..World::default() });
        assert_eq!(add(&rooms, 1).await, Ok(1), "the first message");
        let calls: Vec<_> = (0..50)
            .map(|n| {
                let rooms = rooms.clone();
                tokio::spawn(async move {
                    // At each step of the crash somebody comes in.
                    for _ in 0..n / 2 {
                        tokio::task::yield_now().await;
                    }
                    if n == 10 { rooms.call(&1, Say::Crash).await } else { add(&rooms, 1).await }
                })
            })
            .collect();
        let mut died = 0;
        for call in calls {
            match call.await.expect("the call ends") {
                Ok(_) => {}
                Err(CallError::Died) => died += 1,
                Err(other) => panic!("a caller between two lives heard: {other}"),
            }
        }
        assert!(died >= 1, "one of them has crashed it");
        assert_eq!(world.opens.get(), 2, "two workers for one key: somebody got between two lives");
        assert_eq!(world.overlaps(), [0_u32; 0], "two lives of one session at one time");
        assert_eq!((world.alive(), rooms.registry().len()), (1, 1), "one worker and one name");
    });
}

/// Whose name was taken away is nobody any more: it does not come back beside the one who has the name now.
///
/// Hole: `ended`.
#[test]
fn who_has_lost_its_name_does_not_come_back() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        assert_eq!(add(&rooms, 1).await, Ok(1), "the first message");
        // It is busy, and will crash on what comes next; then somebody takes it for stuck.
        let (slow, crashes) = (rooms.clone(), rooms.clone());
        let slow = tokio::spawn(async move { slow.call(&1, |reply| Say::Slowly(5 * SECOND, reply)).await });
        settle().await;
        let crashes = tokio::spawn(async move { crashes.call(&1, Say::Crash).await });
        settle().await;
        let former = rooms.registry().evict(&1).map(|address| address.id());
        assert_eq!(add(&rooms, 1).await, Ok(2), "the key is free for the next one");
        assert_eq!(slow.await.expect("the call ends"), Ok(3), "it was busy, not stuck");
        assert_eq!(crashes.await.expect("the call ends"), Err(CallError::Died), "it has crashed");
        settle().await;
        assert_eq!(
            (world.opens.get(), world.alive()),
            (2, 1),
            "it came back without a name, beside who has it"
        );
        let holder = rooms.registry().whereis(&1).map(|address| address.id());
        assert!(holder.is_some() && holder != former, "the name is still the second one's");
        assert_eq!(add(&rooms, 1).await, Ok(4), "who has the name answers");
    });
}

/// A session that crashes again and again is given up, alone, and its name with it.
///
/// Hole: `ended`.
#[test]
fn a_session_that_crashes_for_ever_is_given_up_alone() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        for key in [1, 2] {
            assert_eq!(add(&rooms, key).await, Ok(1), "its first message");
        }
        world.cursed.lock().unwrap().insert(1);
        assert_eq!(rooms.call(&1, Say::Crash).await, Err(CallError::Died), "it has crashed");
        settle().await;
        let opens = world.opens.get();
        assert!(opens <= 2 + 3, "a restart storm: {opens} lives, where two and three restarts are allowed");
        assert_eq!(opens, 2 + 3, "all three restarts are tried");
        assert_eq!((world.alive(), rooms.registry().len()), (1, 1), "it is gone, and so is its name");
        assert_eq!(add(&rooms, 2).await, Ok(2), "the other session has not noticed");
        assert_eq!(add(&rooms, 1).await, Err(CallError::Died), "a use tries again, and crashes again");
        world.cursed.lock().unwrap().clear();
        settle().await;
        assert_eq!(add(&rooms, 1).await, Ok(2), "and works when the reason is gone");
    });
}

/// A crash now and then is no reason to give a session up.
///
/// Hole: `ended`.
#[test]
fn a_crash_now_and_then_is_forgiven() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        assert_eq!(add(&rooms, 1).await, Ok(1), "its first message");
        for n in 1..=20 {
            sleep(2 * SECOND).await;
            assert_eq!(rooms.call(&1, Say::Crash).await, Err(CallError::Died), "it has crashed");
            settle().await;
            assert_eq!(
                (world.opens.get(), world.alive()),
                (n + 1, 1),
                "crashes two seconds apart are forgiven"
            );
        }
    });
}

/// A caller that gives up while a worker starts takes nothing with it: the others are served, and the name is not stuck.
///
/// Hole: `find_or_start`.
#[test]
fn a_starter_that_gives_up_leaves_no_dead_name() {
    gate::paused(async || {
        for steps in 0..12 {
            let (rooms, world) = rooms(LIMITS, World { opening: SECOND, ..World::default() });
            let starting = rooms.clone();
            let starter = tokio::spawn(async move { add(&starting, 1).await });
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            let other = rooms.clone();
            let other = tokio::spawn(async move { add(&other, 1).await });
            tokio::task::yield_now().await;
            starter.abort();
            let other = other.await.expect("the call ends");
            assert!(matches!(other, Ok(1 | 2)), "who waited for another one's start heard: {other:?}");
            assert!(add(&rooms, 1).await.is_ok(), "a name was left to a worker that never began");
            assert_eq!((world.alive(), rooms.registry().len()), (1, 1), "one worker and one name");
            assert_eq!(world.overlaps(), [0_u32; 0], "two lives of one session at one time");
        }
    });
}

/// The same while starts queue up for the supervisor.
///
/// Hole: `find_or_start`.
#[test]
fn starters_that_give_up_in_masses_leave_no_dead_names() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        // More than there is room for among the supervisor's commands.
        let asked = gate::Tally::default();
        let ask = |key: u32| {
            let (rooms, asked) = (rooms.clone(), asked.clone());
            tokio::spawn(async move {
                asked.one();
                add(&rooms, key).await
            })
        };
        let starters: Vec<_> = (0..3_000).map(ask).collect();
        let followers: Vec<_> = (0..3_000).map(ask).collect();
        while asked.get() < 6_000 {
            tokio::task::yield_now().await;
        }
        for starter in &starters {
            starter.abort();
        }
        for follower in followers {
            let answer = follower.await.expect("the call ends");
            assert!(matches!(answer, Ok(1 | 2)), "who waited for another one's start heard: {answer:?}");
        }
        for key in (0..3_000).step_by(7) {
            let (waited, answer) = timed(add(&rooms, key)).await;
            assert!(answer.is_ok(), "a name was left to a worker that never began: {answer:?}");
            assert_eq!(waited, Duration::ZERO, "nothing holds it up");
        }
        assert_eq!(world.alive(), rooms.registry().len(), "as many names as workers");
        rooms.shut_down(SECOND).await;
        assert_eq!((world.alive(), rooms.registry().len()), (0, 0), "nobody is left");
    });
}

/// Ten thousand sessions come, go, crash and are closed; none is orphaned.
///
/// Holes: `ended`, `live`, `shutdown`.
#[test]
fn ten_thousand_under_churn_and_none_is_orphaned() {
    gate::paused(async || {
        let limits = Limits { idle: 20 * SECOND, ..LIMITS };
        let world = World { opening: SECOND / 10, closing: SECOND / 10, ..World::default() };
        let (rooms, world) = rooms(limits, world);
        let mut random = gate::seed();
        let mut pick = move |n: u64| {
            // A linear congruential generator is random enough to mix keys.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % n
        };
        let mut calls = Vec::new();
        for round in 0..30 {
            for _ in 0..1_000 {
                let key = u32::try_from(pick(10_000)).expect("a small number");
                let (rooms, what) = (rooms.clone(), pick(20));
                calls.push(tokio::spawn(async move {
                    match what {
                        0 => rooms.call(&key, Say::Crash).await.map(|_| ()),
                        1 => {
                            rooms.close(&key).await;
                            Ok(())
                        }
                        _ => add(&rooms, key).await.map(|_| ()),
                    }
                }));
            }
            sleep(SECOND).await;
            if round == 15 {
                assert_eq!(world.alive(), rooms.registry().len(), "as many names as workers");
                assert!(world.alive() > 3_000, "{} are awake in the middle", world.alive());
            }
        }
        for call in calls {
            let answer = call.await.expect("the call ends");
            assert!(matches!(answer, Ok(()) | Err(CallError::Died)), "a caller heard: {answer:?}");
        }
        assert_eq!(world.overlaps(), [0_u32; 0], "two lives of one session at one time");
        rooms.shut_down(10 * SECOND).await;
        assert_eq!(world.alive(), 0, "a worker is left that nobody knows of");
        assert!(rooms.registry().is_empty(), "a name is left that nobody answers to");
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert!(tasks < 10, "{tasks} tasks are left");
    });
}

/// With the last handle all workers go.
///
/// Holes: `find_or_start`, `claim`.
#[test]
fn nobody_outlives_the_last_handle() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World::default());
        for key in 0..100 {
            assert_eq!(add(&rooms, key).await, Ok(1), "its first message");
        }
        let other = rooms.clone();
        drop(rooms);
        settle().await;
        assert_eq!(world.alive(), 100, "there is another handle");
        drop(other);
        settle().await;
        assert_eq!(world.alive(), 0, "workers are left that nobody can reach");
    });
}

/// A shutdown in the middle of starts and crashes leaves nobody.
///
/// Holes: `shutdown`, `ended`.
#[test]
fn a_shutdown_in_the_middle_of_everything_leaves_nobody() {
    gate::paused(async || {
        let (rooms, world) = rooms(LIMITS, World { opening: SECOND, closing: SECOND, ..World::default() });
        let mut calls = Vec::new();
        for key in 0..200 {
            let (started, crashed) = (rooms.clone(), rooms.clone());
            calls.push(tokio::spawn(async move { add(&started, key).await }));
            calls.push(tokio::spawn(async move { crashed.call(&(key / 2), Say::Crash).await }));
            if key % 50 == 0 {
                sleep(SECOND / 2).await;
            }
        }
        let report = rooms.shut_down(30 * SECOND).await;
        assert_eq!(world.alive(), 0, "a worker is left after a shutdown: {report:?}");
        for call in calls {
            let _ = call.await.expect("the call ends");
        }
        settle().await;
        assert_eq!(
            (world.alive(), rooms.registry().len()),
            (0, 0),
            "a worker was started after the shutdown"
        );
        assert_eq!(world.overlaps(), [0_u32; 0], "two lives of one session at one time");
    });
}

/// A key that takes its time: whatever is done between a look and a step leaves room for somebody else.
#[derive(PartialEq, Eq)]
struct Slow(u32);

const MOMENT: Duration = Duration::from_millis(3);

impl Clone for Slow {
    fn clone(&self) -> Self {
        std::thread::sleep(MOMENT);
        Self(self.0)
    }
}

impl Hash for Slow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::thread::sleep(MOMENT);
        self.0.hash(state);
    }
}

/// On real threads, too: a key that two want at the same moment is given to one of them.
///
/// Hole: `claim`.
#[test]
fn real_threads_never_both_have_a_key() {
    gate::check(|| {
        for key in 0..20 {
            let registry: Registry<Slow, ()> = Registry::default();
            // Somebody is there already: an empty map does not even hash what it is asked for.
            let (other, _other_post) = Address::new(1);
            let _other = registry.claim(&Slow(u32::MAX), &other);
            let start = Barrier::new(2);
            let claim = || {
                let (address, _post) = Address::new(1);
                start.wait();
                registry.claim(&Slow(key), &address)
            };
            let (here, there) = std::thread::scope(|threads| {
                let there = threads.spawn(claim);
                (claim(), there.join())
            });
            let there = there.expect("claiming does not panic");
            assert!(here.is_ok() != there.is_ok(), "a key was given to two threads, or to none");
            assert_eq!(registry.len(), 2, "the key has its entry");
        }
    });
}

/// On real threads, too: one life at a time, and no message lost between two of them.
///
/// Holes: `live`, `deliver`, `find_or_start`.
#[test]
fn real_threads_find_no_gap_between_two_lives() {
    gate::running(async || {
        // Workers fall asleep all the time.
        let limits = Limits { idle: Duration::from_micros(50), ..LIMITS };
        let (rooms, world) = rooms(limits, World::default());
        let callers: Vec<_> = (0..8_u32)
            .map(|caller| {
                let rooms = rooms.clone();
                tokio::spawn(async move {
                    for n in 0..500_u32 {
                        let answer = add(&rooms, (caller + n) % 4).await;
                        assert!(answer.is_ok(), "a message was lost between two lives: {answer:?}");
                        if n % 8 == 0 {
                            rooms.close(&(n % 4)).await;
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("no message is lost");
        }
        assert_eq!(world.overlaps(), [0_u32; 0], "two lives of one session at one time");
        assert_eq!((0..4).map(|key| world.stored(key)).sum::<u64>(), 4_000, "each was handled once");
        rooms.shut_down(10 * SECOND).await;
        assert_eq!((world.alive(), rooms.registry().len()), (0, 0), "nobody is left");
    });
}

/// Who hears that a life is gone finds its name free: while the name can't be freed, nobody hears of it.
///
/// Hole: `ended`.
#[test]
fn who_hears_of_an_end_finds_the_name_free() {
    gate::running(async || {
        for opens in [true, false] {
            let (key, door) = (Key::new(opens), Arc::new(Notify::new()));
            let halls: Sessions<Hall> = Sessions::start(LIMITS, door.clone());
            let (caller, its_key) = (halls.clone(), key.clone());
            let call = tokio::spawn(async move { caller.call(&its_key, |reply| reply).await });
            while halls.registry().is_empty() && !call.is_finished() {
                tokio::task::yield_now().await;
            }
            let address = halls.registry().whereis(&key).expect("the first use takes the name");
            if opens {
                door.notify_one();
                assert_eq!(call.await.expect("the call ends"), Ok(()), "it answers");
            }
            // Somebody looks the name up, and takes his time: until then it can't be freed.
            let hold = Arc::new(Barrier::new(2));
            let (reader, lasting) = (halls.clone(), key.held(&hold));
            let reader = std::thread::spawn(move || reader.registry().whereis(&lasting).is_some());
            hold.wait();
            if opens {
                address.stop();
            } else {
                door.notify_one();
            }
            // Time for the mistake alone: in good order the end can't be heard of, however long this is.
            let early = timeout(SECOND / 5, address.gone()).await;
            hold.wait();
            assert!(reader.join().expect("a lookup does not panic"), "the name was there until now");
            assert!(early.is_err(), "somebody heard of an end while its name was still taken: {early:?}");
            let end = if opens { End::Over } else { End::NotOpened("no light".into()) };
            assert_eq!(address.gone().await, end, "how it ended");
            assert!(halls.registry().is_empty(), "who hears of the end finds the name free");
        }
    });
}
