//! The budgets of `labs_mailbox_kv`. All but one are counts: the same on any machine.

use std::time::Duration;

use labs_mailbox_kv::process::spawn;
use labs_mailbox_kv::{Keep, Kv, Limits, Received, Reply, Store, mailbox};
use tokio::time::{Instant, sleep};

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;

const LAB: &str = include_str!("../lab.toml");
const HOUR: Duration = Duration::from_hours(1);

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

/// However many come, no more wait than there is room for, and the memory is that of those who wait.
///
/// Hole: `try_send`.
#[test]
fn a_flood_costs_no_more_than_the_bound() {
    gate::check(|| {
        let (address, _mailbox) = mailbox::<[u64; 8]>(100);
        let flood = || (0..100_000).filter(|n| address.try_send([*n; 8]).is_ok()).count();
        let (accepted, cost) = gate::alloc::here(flood);
        assert_eq!(accepted, 100, "of a hundred thousand messages into a mailbox for a hundred");
        let (used, limit) = (ratio(cost.peak, 100), gate::limit(LAB, "bytes_a_waiting_message"));
        assert!(used <= limit, "{used} bytes a waiting message of 64; the limit is {limit}");
    });
}

/// A call is one message there.
///
/// Hole: `call`.
#[test]
fn a_call_is_one_message() {
    gate::paused(async || {
        let (address, mut mailbox) = mailbox::<Reply<u64>>(10);
        let taken = gate::Tally::default();
        let counted = taken.clone();
        tokio::spawn(async move {
            while let Received::Message(reply) = mailbox.receive(None).await {
                counted.one();
                sleep(Duration::from_millis(100)).await;
                reply.send(counted.get());
            }
        });
        for _ in 0..100 {
            let answer = address.call(HOUR, |reply| reply).await;
            assert!(answer.is_ok(), "an answer after a tenth of a second: {answer:?}");
        }
        let (used, limit) = (ratio(taken.get(), 100), gate::limit(LAB, "messages_a_call"));
        assert!(used <= limit, "{used} messages a call; the limit is {limit}");
    });
}

/// A call allocates for its answer and for nothing else.
///
/// Hole: `call`.
#[test]
fn a_call_costs_a_few_allocations() {
    gate::check(|| {
        let calls = || {
            gate::virtually(async || {
                let (address, mut mailbox) = mailbox::<Reply<()>>(10);
                tokio::spawn(async move {
                    while let Received::Message(reply) = mailbox.receive(None).await {
                        reply.send(());
                    }
                });
                for _ in 0..10_000 {
                    let answer = address.call(HOUR, |reply| reply).await;
                    assert_eq!(answer, Ok(()), "the server runs and answers");
                }
            });
        };
        let ((), cost) = gate::alloc::here(calls);
        let (used, limit) = (ratio(cost.times, 10_000), gate::limit(LAB, "allocations_a_call"));
        assert!(used <= limit, "{used:.2} allocations a call; the limit is {limit}");
    });
}

/// A client is watched once, however many keys it has and however often it writes them.
///
/// Hole: `watch`.
#[test]
fn a_client_is_watched_once() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        let client = spawn(|_| sleep(HOUR));
        for n in 0..1_000 {
            let put = kv.put(&(n % 500).to_string(), n, Keep::forever().owned_by(client.pid())).await;
            assert_eq!(put, Ok(()), "the store has room");
        }
        let watchers = client.pid().watchers() as u64;
        let (used, limit) = (ratio(watchers, 1), gate::limit(LAB, "monitors_a_client"));
        assert!(used >= 1.0, "the client is not watched at all");
        assert!(used <= limit, "{used} monitors for one client; the limit is {limit}");
    });
}

/// A server that has nothing to do sleeps until the next expiry: it does not look every now and then.
///
/// Holes: `serve`, `receive`.
#[test]
fn a_server_that_waits_is_not_woken_in_vain() {
    gate::paused(async || {
        let kv = Kv::start(Limits::default());
        for n in 0..10 {
            let put = kv.put(&n.to_string(), n, Keep::forever().at_most(HOUR * (n + 1))).await;
            assert_eq!(put, Ok(()), "the store has room");
        }
        // A parked runtime is one in which everybody sleeps: each park ends with somebody who is woken.
        let metrics = tokio::runtime::Handle::current().metrics();
        let before = metrics.worker_park_count(0);
        sleep(HOUR * 20).await;
        let parks = metrics.worker_park_count(0) - before;
        let (used, limit) = (ratio(parks, 10), gate::limit(LAB, "wakeups_an_expiry"));
        assert_eq!(kv.len().await, Ok(0), "all ten have expired");
        assert!(used <= limit, "woken {used} times for each value that expired; the limit is {limit}");
    });
}

/// What a write costs does not grow with what else is kept.
///
/// Hole: `put`.
#[test]
fn a_write_does_not_look_at_all_that_is_kept() {
    gate::check(|| {
        let start = Instant::now();
        let fill = |n: usize| {
            let mut store = Store::new(usize::MAX);
            let keys: Vec<String> = (0..n).map(|key| key.to_string()).collect();
            let time = gate::cpu(|| {
                for (at, key) in keys.iter().chain(&keys).enumerate() {
                    let now = start + Duration::from_millis(at as u64);
                    let put = store.put(now, key, at, None, Some(HOUR));
                    assert_eq!(put, Ok(()), "the store has no bound here");
                }
            });
            assert_eq!(store.len(), n, "nothing has expired");
            time.as_secs_f64()
        };
        let (exponent, limit) = (gate::growth(400, fill), gate::limit(LAB, "growth_of_n_writes"));
        assert!(exponent <= limit, "n writes cost n^{exponent:.2}; the limit is n^{limit}");
    });
}
