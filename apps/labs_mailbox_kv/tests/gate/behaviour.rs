//! What each part does when all goes well, and at its bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use labs_mailbox_kv::process::spawn;
use labs_mailbox_kv::{CallError, Full, Keep, Kv, KvError, Limits, Received, Refused, Reply, mailbox};
use tokio::time::{Instant, sleep};

use crate::time::{SECOND, settle, timed};

/// A mailbox keeps the order in which messages were sent.
///
/// Holes: `try_send`, `receive`.
#[test]
fn messages_come_in_the_order_in_which_they_were_sent() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox(10);
        for n in 0..5 {
            assert_eq!(address.try_send(n), Ok(()), "there is room for ten");
        }
        for n in 0..5 {
            assert_eq!(mailbox.receive(None).await, Received::Message(n), "the oldest comes first");
        }
    });
}

/// A mailbox has a bound, and a sender is told at the bound: nothing grows with the load.
///
/// Hole: `try_send`.
#[test]
fn a_full_mailbox_says_so_at_once_and_gives_the_message_back() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox(3);
        for n in 0..3 {
            assert_eq!(address.try_send(n), Ok(()), "there is room for three");
        }
        assert_eq!(address.try_send(3), Err(Refused::Full(3)), "a full mailbox took another message");
        assert_eq!(address.waiting(), 3, "messages that wait");
        assert_eq!(mailbox.receive(None).await, Received::Message(0), "the oldest comes first");
        assert_eq!(address.try_send(4), Ok(()), "one was received, so there is room for one");
        assert_eq!(address.try_send(5), Err(Refused::Full(5)), "a full mailbox took another message");
    });
}

/// Who waits for a message has it as soon as it is sent.
///
/// Holes: `try_send`, `receive`.
#[test]
fn a_receiver_that_waits_is_woken_by_a_message() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox(1);
        let waiting = tokio::spawn(async move { timed(mailbox.receive(None)).await });
        let odd = Duration::from_millis(1_003);
        sleep(odd).await;
        assert_eq!(address.try_send("here"), Ok(()), "there is room for one");
        let woken = waiting.await.expect("the receiver comes back");
        assert_eq!(
            woken,
            (odd, Received::Message("here")),
            "a receiver looks now and then, and is not woken"
        );
    });
}

/// Receiving ends at its deadline, and takes what is there first.
///
/// Hole: `receive`.
#[test]
fn a_receiver_waits_until_its_deadline_and_no_longer() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox(1);
        let deadline = Instant::now() + 3 * SECOND;
        let nothing = timed(mailbox.receive(Some(deadline))).await;
        assert_eq!(nothing, (3 * SECOND, Received::TimedOut), "the deadline is in three seconds");
        assert_eq!(address.try_send(1), Ok(()), "there is room for one");
        let there = timed(mailbox.receive(Some(deadline))).await;
        let now = Duration::ZERO;
        assert_eq!(there, (now, Received::Message(1)), "a passed deadline hid a message that was there");
        let over = timed(mailbox.receive(Some(deadline))).await;
        assert_eq!(over, (now, Received::TimedOut), "the deadline has passed, and nothing is there");
    });
}

/// A ring is no message: what rang may have been taken already, and the wait goes on until its deadline.
///
/// Hole: `receive`.
#[test]
fn a_ring_whose_message_was_taken_does_not_end_the_next_wait() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox(1);
        assert_eq!(address.try_send(1), Ok(()), "there is room for one");
        assert_eq!(mailbox.receive(None).await, Received::Message(1), "it was there");
        let nothing = timed(mailbox.receive(Some(Instant::now() + 3 * SECOND))).await;
        assert_eq!(nothing, (3 * SECOND, Received::TimedOut), "an old ring ended a wait of three seconds");
    });
}

/// What was accepted before a close is still received; after it nothing is accepted.
///
/// Holes: `try_send`, `receive`.
#[test]
fn a_closed_mailbox_is_emptied_and_then_says_that_it_is_closed() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox(3);
        assert_eq!(address.try_send(1), Ok(()), "it is open");
        address.close();
        assert_eq!(address.try_send(2), Err(Refused::Closed(2)), "a closed mailbox took a message");
        assert_eq!(mailbox.receive(None).await, Received::Message(1), "what was accepted is received");
        assert_eq!(mailbox.receive(None).await, Received::Closed, "it is empty and closed");
        drop(mailbox);
        assert_eq!(address.try_send(3), Err(Refused::Closed(3)), "nobody is there any more");
    });
}

/// A receiver does not sleep through the close of its mailbox.
///
/// Hole: `receive`.
#[test]
fn a_receiver_that_waits_hears_of_the_close() {
    gate::paused(async || {
        let (address, mut endless) = mailbox::<u8>(3);
        let waiting = tokio::spawn(async move { endless.receive(None).await });
        settle().await;
        address.close();
        let heard = waiting.await.expect("the receiver comes back");
        assert_eq!(heard, Received::Closed, "nothing can come any more");
        // One that has a deadline hears of it no later.
        let (address, mut limited) = mailbox::<u8>(3);
        let deadline = Some(Instant::now() + 60 * SECOND);
        let waiting = tokio::spawn(async move { timed(limited.receive(deadline)).await });
        sleep(SECOND).await;
        address.close();
        let heard = waiting.await.expect("the receiver comes back");
        assert_eq!(heard, (SECOND, Received::Closed), "a receiver with a deadline slept through the close");
    });
}

/// A server's message: a question that is answered at once, or one that is answered when told so.
enum Ask {
    Now(Reply<&'static str>),
    Later(Reply<&'static str>),
    Go,
}

/// A caller holds nothing while it waits: no call waits for another one's answer.
///
/// Hole: `call`.
#[test]
fn a_slow_answer_holds_up_no_other_call() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox(10);
        tokio::spawn(async move {
            let mut later = Vec::new();
            while let Received::Message(ask) = mailbox.receive(None).await {
                match ask {
                    Ask::Now(reply) => reply.send("now"),
                    Ask::Later(reply) => later.push(reply),
                    Ask::Go => later.drain(..).for_each(|reply: Reply<_>| reply.send("later")),
                }
            }
        });
        let slow = tokio::spawn({
            let address = address.clone();
            async move { address.call(60 * SECOND, Ask::Later).await }
        });
        settle().await;
        assert_eq!(
            timed(address.call(SECOND, Ask::Now)).await,
            (Duration::ZERO, Ok("now")),
            "a call waited for another one's answer"
        );
        assert!(address.cast(Ask::Go).is_ok());
        assert_eq!(slow.await.expect("the call ends"), Ok("later"), "the slow call is answered, too");
    });
}

/// A call ends when the caller's patience does, and not before.
///
/// Hole: `call`.
#[test]
fn a_call_waits_for_as_long_as_its_patience_lasts() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox(10);
        tokio::spawn(async move {
            while let Received::Message((delay, reply)) = mailbox.receive(None).await {
                let reply: Reply<Duration> = reply;
                tokio::spawn(async move {
                    sleep(delay).await;
                    reply.send(delay);
                });
            }
        });
        let ask = |delay| address.call(3 * SECOND, move |reply| (delay, reply));
        let early = timed(ask(2 * SECOND)).await;
        assert_eq!(early, (2 * SECOND, Ok(2 * SECOND)), "the answer comes within the patience");
        let late = timed(ask(4 * SECOND)).await;
        assert_eq!(late, (3 * SECOND, Err(CallError::Timeout)), "the caller waited beyond its patience");
    });
}

/// Who has all the time in the world may say so.
///
/// Hole: `call`.
#[test]
fn patience_may_be_without_end() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox::<Reply<u8>>(10);
        tokio::spawn(async move {
            while let Received::Message(reply) = mailbox.receive(None).await {
                sleep(3_600 * SECOND).await;
                reply.send(1);
            }
        });
        let caller = tokio::spawn(async move { address.call(Duration::MAX, |reply| reply).await });
        assert_eq!(caller.await.ok(), Some(Ok(1)), "a call with a patience that no clock can show");
    });
}

/// Who is not served hears so at once, and hears whether anything may have been done.
///
/// Holes: `try_send`, `call`.
#[test]
fn a_call_to_a_full_or_closed_mailbox_is_over_at_once() {
    gate::paused(async || {
        let (address, mailbox) = mailbox::<Reply<()>>(1);
        let first = tokio::spawn({
            let address = address.clone();
            async move { address.call(60 * SECOND, |reply| reply).await }
        });
        settle().await;
        let second = timed(address.call(60 * SECOND, |reply| reply)).await;
        assert_eq!(
            second,
            (Duration::ZERO, Err(CallError::Overloaded)),
            "the mailbox is full: nothing was done"
        );
        drop(mailbox);
        let third = timed(address.call(60 * SECOND, |reply| reply)).await;
        assert_eq!(third, (Duration::ZERO, Err(CallError::NoProc)), "the mailbox is gone: nothing was done");
        let first = first.await.expect("the call ends");
        assert_eq!(first, Err(CallError::Died), "its message was dropped with the mailbox");
    });
}

/// A key has the value that was written last, until it is deleted.
///
/// Holes: `put`, `serve`.
#[test]
fn what_is_put_can_be_read_replaced_and_deleted() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        assert_eq!(kv.get("a").await, Ok(None), "nothing was put");
        for (key, value) in [("a", 1), ("b", 2), ("a", 3)] {
            assert_eq!(kv.put(key, value, Keep::forever()).await, Ok(()), "there is room");
        }
        assert_eq!(kv.get("a").await, Ok(Some(3)), "the value that was written last");
        assert_eq!(kv.get("b").await, Ok(Some(2)), "another key's value");
        assert_eq!(kv.len().await, Ok(2), "a key that is written twice is one key");
        assert_eq!(kv.delete("a").await, Ok(Some(3)), "what was there");
        assert_eq!(kv.delete("a").await, Ok(None), "nothing is there any more");
        assert_eq!(kv.discard("b"), Ok(()), "a cast is accepted");
        assert_eq!(kv.is_empty().await, Ok(true), "and carried out before the next message");
    });
}

/// A value lives in [put, put + ttl): at the instant of its expiry it is gone.
///
/// Holes: `put`, `serve`.
#[test]
fn a_value_is_there_until_its_time_is_over_and_not_at_that_instant() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        for key in ["a", "b", "c"] {
            let put = kv.put(key, 1, Keep::forever().at_most(10 * SECOND)).await;
            assert_eq!(put, Ok(()), "there is room");
        }
        sleep(Duration::from_millis(9_999)).await;
        assert_eq!(kv.get("a").await, Ok(Some(1)), "a millisecond before its end the value is there");
        assert_eq!(kv.delete("c").await, Ok(Some(1)), "a millisecond before its end the value is there");
        sleep(Duration::from_millis(1)).await;
        // The server's own clock strikes at this instant, too; this message is there first.
        assert_eq!(kv.delete("b").await, Ok(None), "a value was given out when its time was over");
        assert_eq!(kv.get("a").await, Ok(None), "a value was given out when its time was over");
        assert_eq!(kv.len().await, Ok(0), "nothing is kept");
    });
}

/// Each message is handled at one instant: what has expired by then is gone, also if both came due while the server was busy.
///
/// Hole: `serve`.
#[test]
fn a_message_and_an_expiry_that_are_both_due_have_an_order() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        // Whoever lets chance decide between the two is wrong half of the time.
        for _ in 0..30 {
            kv.put("a", 1, Keep::forever().at_most(10 * SECOND)).await.unwrap();
            let deleting = kv.delete("a");
            // Both are sent before the server runs again, and it runs when the value's time is over.
            let (deleted, ()) = tokio::join!(deleting, tokio::time::advance(10 * SECOND));
            assert_eq!(deleted, Ok(None), "a value was given out when its time was over");
        }
    });
}

/// A time that no clock can show is no limit, and no reason to panic.
///
/// Hole: `put`.
#[test]
fn a_time_without_end_is_no_limit() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        let put = kv.put("a", 1, Keep::forever().at_most(Duration::MAX)).await;
        assert_eq!(put, Ok(()), "a time that no clock can show has ended the server");
        sleep(3_600 * SECOND).await;
        assert_eq!(kv.get("a").await, Ok(Some(1)), "its time is not over yet");
    });
}

/// A value's time is its own: what was there before has no say in it.
///
/// Hole: `put`.
#[test]
fn writing_again_gives_the_new_value_its_own_time() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        let short = Keep::forever().at_most(10 * SECOND);
        for key in ["longer", "for ever"] {
            kv.put(key, 1, short.clone()).await.unwrap();
        }
        sleep(5 * SECOND).await;
        kv.put("longer", 2, short).await.unwrap();
        kv.put("for ever", 2, Keep::forever()).await.unwrap();
        sleep(9 * SECOND).await;
        assert_eq!(kv.get("longer").await, Ok(Some(2)), "the old value's time ended the new value");
        assert_eq!(kv.get("for ever").await, Ok(Some(2)), "the old value's time ended the new value");
        sleep(SECOND).await;
        assert_eq!(kv.get("longer").await, Ok(None), "ten seconds old, of ten");
        sleep(3_600 * SECOND).await;
        assert_eq!(kv.get("for ever").await, Ok(Some(2)), "it has no end");
    });
}

/// Whether the store still holds a value, seen from outside.
fn held(value: &std::sync::Weak<()>) -> bool {
    value.strong_count() > 0
}

/// Expiry frees memory, also if nobody ever asks for the key again.
///
/// Hole: `serve`.
#[test]
fn an_expired_value_is_dropped_though_nobody_asks() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        let value = Arc::new(());
        let seen = Arc::downgrade(&value);
        kv.put("a", value, Keep::forever().at_most(10 * SECOND)).await.unwrap();
        sleep(9 * SECOND).await;
        assert!(held(&seen), "nine seconds old, of ten");
        sleep(2 * SECOND).await;
        assert!(!held(&seen), "the value's time is over, and its memory is still taken");
        assert_eq!(kv.len().await, Ok(0), "an empty store is no reason to end");
    });
}

/// Time passes under steady traffic, too.
///
/// Hole: `serve`.
#[test]
fn an_expired_value_is_dropped_though_messages_never_stop() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        let value = Arc::new(());
        let seen = Arc::downgrade(&value);
        kv.put("a", value, Keep::forever().at_most(10 * SECOND)).await.unwrap();
        let mut gone_after = None;
        for tick in 0..200_u32 {
            sleep(SECOND / 10).await;
            // Another key: nobody ever asks for the one that expires.
            kv.discard("b").unwrap();
            settle().await;
            if gone_after.is_none() && !held(&seen) {
                gone_after = Some(tick);
            }
        }
        let gone_after = gone_after.expect("steady traffic kept an expired value alive");
        assert!((98..=102).contains(&gone_after), "gone after {gone_after} tenths of a second, not 100");
    });
}

/// The store has a bound, and only what lives counts towards it.
///
/// Hole: `put`.
#[test]
fn a_full_store_says_so_and_expired_keys_make_room() {
    gate::paused(async || {
        let kv = Kv::start(Limits { keys: 2, ..Limits::default() });
        kv.put("a", 1, Keep::forever()).await.unwrap();
        kv.put("b", 1, Keep::forever().at_most(SECOND)).await.unwrap();
        assert_eq!(kv.put("c", 1, Keep::forever()).await, Err(KvError::Full(Full)), "there is room for two");
        assert_eq!(kv.put("a", 2, Keep::forever()).await, Ok(()), "a key that is there needs no room");
        assert_eq!(kv.get("b").await, Ok(Some(1)), "nobody is thrown out to make room");
        sleep(SECOND).await;
        assert_eq!(kv.put("c", 1, Keep::forever()).await, Ok(()), "an expired key took a living one's room");
        assert_eq!(kv.len().await, Ok(2), "two keys live");
    });
}

/// What a client owns goes when the client goes: by a return, a panic or a kill.
///
/// Holes: `monitor`, `watch`.
#[test]
fn a_clients_keys_go_when_it_ends_however_it_ends() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        kv.put("everybody's", 0, Keep::forever()).await.unwrap();
        let client = |name: &'static str| {
            let kv = kv.clone();
            spawn(move |me| async move {
                for key in ["x", "y"] {
                    kv.put(&format!("{name} {key}"), 1, Keep::forever().owned_by(&me)).await.unwrap();
                }
                sleep(SECOND).await;
                match name {
                    "returns" => {}
                    "panics" => std::panic::resume_unwind(Box::new("the client's own trouble")),
                    _ => sleep(3_600 * SECOND).await,
                }
            })
        };
        let _returns = client("returns");
        let _panics = client("panics");
        let killed = client("is killed");
        let _stays = client("stays");
        sleep(SECOND / 2).await;
        assert_eq!(kv.len().await, Ok(9), "two of each client and one of everybody");
        sleep(SECOND).await;
        killed.kill();
        settle().await;
        assert_eq!(kv.len().await, Ok(3), "dead clients' keys are still there, or living ones' are gone");
        assert_eq!(kv.get("stays x").await, Ok(Some(1)), "its owner lives");
        assert_eq!(kv.get("everybody's").await, Ok(Some(0)), "it has no owner");
    });
}

/// A key has one owner: whoever wrote it last.
///
/// Hole: `put`.
#[test]
fn a_key_belongs_to_whom_wrote_it_last() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        let first = spawn({
            let kv = kv.clone();
            move |me| async move {
                for key in ["taken over", "given up", "kept"] {
                    kv.put(key, 1, Keep::forever().owned_by(&me)).await.unwrap();
                }
                sleep(3_600 * SECOND).await;
            }
        });
        settle().await;
        let second = spawn({
            let kv = kv.clone();
            move |me| async move {
                kv.put("taken over", 2, Keep::forever().owned_by(&me)).await.unwrap();
                sleep(3_600 * SECOND).await;
            }
        });
        settle().await;
        kv.put("given up", 2, Keep::forever()).await.unwrap();
        first.kill();
        settle().await;
        assert_eq!(kv.get("kept").await, Ok(None), "its owner is dead");
        assert_eq!(kv.get("taken over").await, Ok(Some(2)), "a dead client took another one's key with it");
        assert_eq!(
            kv.get("given up").await,
            Ok(Some(2)),
            "a dead client took a key that was no longer its own"
        );
        second.kill();
        settle().await;
        assert_eq!(kv.get("taken over").await, Ok(None), "its second owner is dead, too");
        assert_eq!(kv.get("given up").await, Ok(Some(2)), "it is nobody's");
    });
}

/// Each of a thousand clients gets its own answer.
///
/// Holes: `call`, `serve`.
#[test]
fn a_thousand_clients_each_get_their_answer() {
    gate::paused(async || {
        let kv = Kv::start(Limits { mailbox: 1_000, ..Limits::default() });
        let clients: Vec<_> = (0..1_000)
            .map(|n| {
                let kv = kv.clone();
                tokio::spawn(async move {
                    let key = n.to_string();
                    kv.put(&key, n, Keep::forever()).await.unwrap();
                    assert_eq!(kv.get(&key).await, Ok(Some(n)), "an answer went to the wrong client");
                    kv.delete(&key).await.unwrap()
                })
            })
            .collect();
        for (n, client) in clients.into_iter().enumerate() {
            assert_eq!(client.await.expect("the client comes to its end"), Some(n), "what it wrote");
        }
        assert_eq!(kv.len().await, Ok(0), "each deleted its own");
    });
}

/// At the bound a client is told, and what it asked for was not done.
///
/// Holes: `try_send`, `call`.
#[test]
fn a_thousand_clients_at_a_small_mailbox_are_served_or_told() {
    gate::paused(async || {
        let kv = Kv::start(Limits { mailbox: 50, ..Limits::default() });
        let clients: Vec<_> = (0..1_000)
            .map(|n| {
                let kv = kv.clone();
                tokio::spawn(async move { kv.put(&n.to_string(), n, Keep::forever()).await })
            })
            .collect();
        let (mut served, mut told) = (0, 0);
        for client in clients {
            match client.await.expect("the client comes to its end") {
                Ok(()) => served += 1,
                Err(KvError::Call(CallError::Overloaded)) => told += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(served + told, 1_000, "each has an answer");
        assert!(served >= 50, "there was room for fifty, and {served} were served");
        assert!(told > 0, "a thousand at once found room for fifty");
        assert_eq!(kv.len().await, Ok(served), "who was told that nothing was done left nothing behind");
    });
}

/// A server that nobody can reach any more ends.
///
/// Hole: `serve`.
#[test]
fn the_process_ends_with_its_last_handle() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        kv.put("a", 1, Keep::forever()).await.unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let note = ended.clone();
        kv.process().pid().monitor(move |_| note.store(true, Ordering::SeqCst));
        let other = kv.clone();
        drop(kv);
        settle().await;
        assert!(!ended.load(Ordering::SeqCst), "there is another handle");
        assert_eq!(other.get("a").await, Ok(Some(1)), "the other handle works");
        drop(other);
        settle().await;
        assert!(ended.load(Ordering::SeqCst), "nobody can reach it any more, and it still runs");
    });
}
