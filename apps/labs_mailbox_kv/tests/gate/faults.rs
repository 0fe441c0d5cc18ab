//! What happens when somebody dies, is late, or comes in masses.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use labs_mailbox_kv::process::spawn;
use labs_mailbox_kv::{CallError, Down, Exit, Keep, Kv, Limits, Received, Reply, mailbox};
use tokio::time::sleep;

use crate::time::{SECOND, settle, timed};

/// Whose server dies in mid-call hears of it at once, whether its message was taken or still waited.
///
/// Hole: `call`.
#[test]
fn callers_of_a_server_that_dies_hear_of_it_at_once() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox::<Reply<()>>(10);
        let server = spawn(move |_| async move {
            // It takes one message, and has two more waiting when it is killed.
            let taken = mailbox.receive(None).await;
            sleep(3_600 * SECOND).await;
            drop(taken);
        });
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let address = address.clone();
                tokio::spawn(async move { timed(address.call(3_600 * SECOND, |reply| reply)).await })
            })
            .collect();
        sleep(SECOND).await;
        server.kill();
        for caller in callers {
            assert_eq!(
                caller.await.expect("the call ends"),
                (SECOND, Err(CallError::Died)),
                "the server is dead, and a caller still waited for it"
            );
        }
    });
}

/// A call that was given up leaves the server as it was.
///
/// Hole: `call`.
#[test]
fn an_answer_that_comes_too_late_harms_nobody() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox::<Reply<u8>>(10);
        tokio::spawn(async move {
            while let Received::Message(reply) = mailbox.receive(None).await {
                sleep(2 * SECOND).await;
                reply.send(1);
            }
        });
        let impatient = address.call(SECOND, |reply| reply).await;
        assert_eq!(impatient, Err(CallError::Timeout), "the answer takes two seconds");
        assert_eq!(
            address.call(10 * SECOND, |reply| reply).await,
            Ok(1),
            "the server answered somebody who had left, and must go on"
        );
    });
}

/// A caller that is dropped in mid-call harms neither the server nor the next caller.
///
/// Hole: `call`.
#[test]
fn a_caller_that_goes_away_is_no_trouble() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox::<Reply<u8>>(2);
        let caller = tokio::spawn({
            let address = address.clone();
            async move { address.call(60 * SECOND, |reply| reply).await }
        });
        settle().await;
        caller.abort();
        settle().await;
        let Received::Message(reply) = mailbox.receive(None).await else { panic!("the message is there") };
        reply.send(1);
        tokio::spawn(async move {
            while let Received::Message(reply) = mailbox.receive(None).await {
                reply.send(2);
            }
        });
        assert_eq!(address.call(SECOND, |reply| reply).await, Ok(2), "the next caller is served");
    });
}

/// The news of an end is never dropped: what is bounded by the number of clients may go beyond the mailbox's bound.
///
/// Hole: `watch`.
#[test]
fn news_of_an_end_comes_even_into_a_full_mailbox() {
    gate::paused(async || {
        let kv = Kv::start(Limits { mailbox: 5, ..Limits::default() });
        let client = spawn(|_| sleep(3_600 * SECOND));
        // Our monitor was set before the server's and so hears first: when the news comes to the server, its mailbox is full.
        let crowd = kv.clone();
        client.pid().monitor(move |_| {
            assert!((0..100).any(|_| crowd.discard("nothing").is_err()), "there is no bound");
        });
        let put = kv.put("lease", 1, Keep::forever().owned_by(client.pid())).await;
        assert_eq!(put, Ok(()), "there is room");
        assert_eq!(kv.get("lease").await, Ok(Some(1)), "its owner lives");
        client.kill();
        settle().await;
        assert_eq!(
            kv.get("lease").await,
            Ok(None),
            "the news of the end was lost, and the key stays for ever"
        );
    });
}

/// A monitor on a dead process reports at once, so no key is left to a ghost.
///
/// Hole: `monitor`.
#[test]
fn a_client_that_died_before_its_message_was_read_leaves_nothing() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        let client = spawn(|_| async {});
        let dead = client.pid().clone();
        settle().await;
        kv.put("ghost", 1, Keep::forever().owned_by(&dead)).await.unwrap();
        settle().await;
        assert_eq!(kv.get("ghost").await, Ok(None), "a key was kept for an owner that is dead");
    });
}

/// Notes what a monitor hears.
fn note(heard: &Arc<Mutex<Vec<Down>>>) -> impl FnOnce(Down) + Send + 'static + use<> {
    let heard = heard.clone();
    move |down| heard.lock().expect("nobody panics under it").push(down)
}

/// A monitor hears exactly once, and hears how it ended.
///
/// Hole: `monitor`.
#[test]
fn each_monitor_hears_once_how_a_process_ended() {
    gate::paused(async || {
        for exit in [Exit::Normal, Exit::Crashed, Exit::Killed] {
            let heard = Arc::new(Mutex::new(Vec::new()));
            let process = spawn(move |_| async move {
                sleep(SECOND).await;
                match exit {
                    Exit::Normal => {}
                    Exit::Crashed => std::panic::resume_unwind(Box::new("a crash")),
                    Exit::Killed => sleep(3_600 * SECOND).await,
                }
            });
            let pid = process.pid().clone();
            pid.monitor(note(&heard));
            pid.monitor(note(&heard));
            sleep(SECOND / 2).await;
            assert_eq!(heard.lock().unwrap().len(), 0, "a monitor reported an end, and the process lives");
            sleep(SECOND).await;
            process.kill();
            settle().await;
            pid.monitor(note(&heard));
            let down = Down { id: pid.id(), exit };
            assert_eq!(*heard.lock().unwrap(), [down; 3], "two before the end, one after it");
            assert_eq!(pid.watchers(), 0, "nobody waits for the end of the dead");
        }
    });
}

/// No lock is held while somebody else's code runs.
///
/// Hole: `monitor`.
#[test]
fn a_watcher_may_ask_the_process_that_it_watches() {
    gate::paused(async || {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let process = spawn(|_| async {});
        let pid = process.pid().clone();
        // A watcher that is run under the process's lock would wait for itself here. The watcher that it sets runs, too.
        let (again, heard_again) = (pid.clone(), heard.clone());
        let (done, finished) = std::sync::mpsc::channel();
        let set = move || {
            pid.monitor(move |_| {
                again.monitor(note(&heard_again));
                let _ = done.send(());
            });
        };
        set();
        settle().await;
        assert!(finished.try_recv().is_ok(), "the watcher did not come back");
        assert_eq!(heard.lock().unwrap().len(), 1, "a monitor on a dead process reports at once");
    });
}

/// Nor is one held while the watcher of a process that has ended already is called.
///
/// Hole: `monitor`.
#[test]
fn a_watcher_may_ask_a_process_that_has_ended() {
    gate::paused(async || {
        let pid = spawn(|_| async {}).pid().clone();
        settle().await;
        let (asks, (tell, told)) = (pid.clone(), std::sync::mpsc::channel());
        // On a thread of its own: a watcher that is run under the process's lock waits for itself, and we don't.
        std::thread::spawn(move || {
            pid.monitor(move |_| {
                let _ = tell.send(asks.watchers());
            });
        });
        let asked = told.recv_timeout(Duration::from_secs(10));
        assert_eq!(asked, Ok(0), "the watcher did not come back: a lock is held while it runs");
    });
}

/// No client of a killed server waits for its patience to run out.
///
/// Hole: `call`.
#[test]
fn a_killed_server_ends_the_waiting_of_its_clients() {
    gate::paused(async || {
        let kv = Kv::start(Limits { patience: 60 * SECOND, ..Limits::default() });
        kv.put("a", 1, Keep::forever()).await.unwrap();
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let kv = kv.clone();
                tokio::spawn(async move { timed(kv.get("a")).await })
            })
            .collect();
        // The server is killed before it has run: the callers' messages are accepted and never looked at.
        kv.process().kill();
        for caller in callers {
            let (waited, answer) = caller.await.expect("the call ends");
            assert_eq!(waited, Duration::ZERO, "the server is dead, and a caller still waited for it");
            assert!(matches!(answer, Err(CallError::Died | CallError::NoProc)), "not an answer: {answer:?}");
        }
        assert_eq!(kv.get("a").await, Err(CallError::NoProc), "nobody is there");
    });
}

/// No ring of the bell is lost between a look at the queue and the wait for it.
///
/// Holes: `try_send`, `receive`.
#[test]
fn no_message_is_slept_through_when_real_threads_send() {
    // The one test on real threads: a ring that comes between the look and the wait shows here alone.
    gate::running(async || {
        let (address, mut mailbox) = mailbox(4);
        let (senders, each) = (4_u32, 5_000_u32);
        for _ in 0..senders {
            let address = address.clone();
            tokio::spawn(async move {
                for n in 0..each {
                    while address.try_send(n).is_err() {
                        tokio::task::yield_now().await;
                    }
                }
            });
        }
        let receiver = tokio::spawn(async move {
            for _ in 0..senders * each {
                let received = mailbox.receive(None).await;
                assert!(matches!(received, Received::Message(_)), "the mailbox is open: {received:?}");
            }
        });
        let patience = Duration::from_secs(15);
        let all = tokio::time::timeout(patience, receiver).await;
        all.expect("a message waits, and the receiver sleeps").expect("all are received");
    });
}

/// A ring says that something is there: it comes after the message, never before it.
///
/// Holes: `try_send`, `receive`.
#[test]
fn each_message_wakes_the_receiver_by_itself() {
    gate::running(async || {
        let (address, mut mailbox) = mailbox(1);
        let (acknowledge, mut acknowledged) = tokio::sync::mpsc::channel(1);
        let rounds = 50_000_u32;
        let receiver = tokio::spawn(async move {
            for n in 0..rounds {
                assert_eq!(mailbox.receive(None).await, Received::Message(n), "one at a time");
                assert!(acknowledge.send(n).await.is_ok(), "the sender waits for it");
            }
        });
        // No later message can make up for a ring that was lost: the next one is sent when this one was received.
        let sender = tokio::spawn(async move {
            for n in 0..rounds {
                assert_eq!(address.try_send(n), Ok(()), "the last one was received");
                assert_eq!(acknowledged.recv().await, Some(n), "and acknowledged");
            }
        });
        let patience = Duration::from_secs(15);
        let all = tokio::time::timeout(patience, sender).await;
        all.expect("a message waits, and the receiver sleeps").expect("all are acknowledged");
        receiver.await.expect("all are received");
    });
}

/// Some nanoseconds, from none to a few hundred.
fn dawdle(steps: u32) {
    for step in 0..steps {
        std::hint::black_box(step);
    }
}

/// A ring that comes between the look at the queue and the wait for it is kept, and not only heard by who listens already.
///
/// Holes: `try_send`, `receive`.
#[test]
fn a_ring_before_the_wait_is_kept() {
    gate::running(async || {
        let (address, mut mailbox) = mailbox(1);
        let rounds = 20_000_u32;
        let (taken, over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        // Both begin at the same moment, each after another pause in each round: now and then the message comes between the receiver's
        // look and its wait. If that ring is lost, there is no other one.
        let (seen, ended) = (taken.clone(), over.clone());
        let sender = std::thread::spawn(move || {
            for n in 0..rounds {
                while seen.load(Ordering::Acquire) < n {
                    if ended.load(Ordering::Relaxed) {
                        return;
                    }
                    std::hint::spin_loop();
                }
                dawdle(n * 7 % 311);
                if address.try_send(n).is_err() {
                    return;
                }
            }
        });
        let receiver = tokio::spawn(async move {
            for n in 0..rounds {
                dawdle(n * 13 % 307);
                assert_eq!(mailbox.receive(None).await, Received::Message(n), "one after the other");
                taken.store(n + 1, Ordering::Release);
            }
        });
        let all = tokio::time::timeout(Duration::from_secs(15), receiver).await;
        over.store(true, Ordering::SeqCst);
        all.expect("a message waits, and the receiver sleeps").expect("all are received");
        assert!(sender.join().is_ok(), "it has sent them all");
    });
}
