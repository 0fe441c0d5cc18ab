//! Laws: the parts beside models that are too simple to be wrong.

use std::collections::VecDeque;
use std::time::Duration;

use gate::proptest::prelude::*;
use labs_mailbox_kv::process::spawn;
use labs_mailbox_kv::{Full, Pid, Received, Refused, Store, mailbox};
use tokio::time::Instant;

use crate::time::settle;

#[derive(Clone, Debug)]
enum Post {
    Send,
    Receive,
    Close,
}

fn post() -> impl Strategy<Value = Post> {
    prop_oneof![20 => Just(Post::Send), 20 => Just(Post::Receive), 1 => Just(Post::Close)]
}

/// Order, bound and close agree with a plain queue.
///
/// Holes: `try_send`, `receive`.
#[test]
fn a_mailbox_is_a_queue_with_a_bound() {
    let inputs = (1_usize..6, prop::collection::vec(post(), 1..120));
    gate::law(256, inputs, |(capacity, posts)| {
        gate::virtually(async || {
            let (address, mut mailbox) = mailbox(capacity);
            let (mut model, mut open) = (VecDeque::new(), true);
            // One message first, so that no run leaves the mailbox alone.
            assert_eq!(address.try_send(0), Ok(()), "there is room for {capacity}");
            model.push_back(0);
            for (n, post) in posts.into_iter().enumerate().map(|(n, post)| (n + 1, post)) {
                match post {
                    Post::Send => {
                        let expected = match (open, model.len() < capacity) {
                            (false, _) => Err(Refused::Closed(n)),
                            (true, false) => Err(Refused::Full(n)),
                            (true, true) => {
                                model.push_back(n);
                                Ok(())
                            }
                        };
                        assert_eq!(address.try_send(n), expected, "sending message {n}");
                    }
                    Post::Receive => {
                        let expected = match (model.pop_front(), open) {
                            (Some(n), _) => Received::Message(n),
                            (None, true) => Received::TimedOut,
                            (None, false) => Received::Closed,
                        };
                        let received = mailbox.receive(Some(Instant::now())).await;
                        assert_eq!(received, expected, "receiving, with no time to wait");
                    }
                    Post::Close => {
                        address.close();
                        open = false;
                    }
                }
                assert_eq!(address.waiting(), model.len(), "messages that wait");
            }
        });
    });
}

#[derive(Clone, Debug)]
enum Op {
    Put { key: u8, owner: Option<usize>, ttl: Option<u64> },
    Remove(u8),
    Release(usize),
    Expire,
    Wait(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let put = (0_u8..6, prop::option::of(0_usize..3), prop::option::of(0_u64..50))
        .prop_map(|(key, owner, ttl)| Op::Put { key, owner, ttl });
    prop_oneof![
        8 => put,
        1 => (0_u8..6).prop_map(Op::Remove),
        1 => (0_usize..3).prop_map(Op::Release),
        1 => Just(Op::Expire),
        4 => (0_u64..30).prop_map(Op::Wait),
    ]
}

/// One entry of the model.
#[derive(Clone, Debug)]
struct Kept {
    key: u8,
    value: usize,
    owner: Option<usize>,
    expires: Option<Instant>,
}

impl Kept {
    fn lives(&self, now: Instant) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// A store that is too simple to be wrong.
struct Model {
    capacity: usize,
    kept: Vec<Kept>,
    now: Instant,
}

impl Model {
    fn forget(&mut self, which: impl Fn(&Kept) -> bool) -> usize {
        let before = self.kept.len();
        self.kept.retain(|kept| !which(kept));
        before - self.kept.len()
    }

    fn put(&mut self, new: Kept) -> Result<(), Full> {
        let now = self.now;
        self.forget(|kept| !kept.lives(now));
        let known = self.kept.iter().any(|kept| kept.key == new.key);
        if !known && self.kept.len() >= self.capacity {
            return Err(Full);
        }
        self.forget(|kept| kept.key == new.key);
        self.kept.push(new);
        Ok(())
    }

    fn compare(&self, store: &Store<usize>) {
        assert_eq!(store.len(), self.kept.len(), "how many keys are kept");
        let next = self.kept.iter().filter_map(|kept| kept.expires).min();
        assert_eq!(store.next_expiry(), next, "when the next value expires");
        for key in 0..6 {
            let there = self.kept.iter().find(|kept| kept.key == key && kept.lives(self.now));
            let value = store.get(self.now, &key.to_string());
            assert_eq!(value, there.map(|kept| &kept.value), "the value of key {key}");
        }
    }
}

/// Three processes that serve as owners.
fn owners() -> Vec<Pid> {
    gate::virtually(async || (0..3).map(|_| spawn(|_| async {}).pid().clone()).collect())
}

/// The store agrees with a list that is searched from end to end.
///
/// Hole: `put`.
#[test]
fn a_store_is_a_list_of_what_was_written_last() {
    let inputs = (1_usize..7, prop::collection::vec(op(), 1..80));
    gate::law(256, inputs, |(capacity, ops)| {
        let owners = owners();
        let mut store = Store::new(capacity);
        let mut model = Model { capacity, kept: Vec::new(), now: Instant::now() };
        // One write first, so that no run leaves the store alone.
        let first = Op::Put { key: 0, owner: Some(0), ttl: Some(40) };
        for (value, op) in std::iter::once(first).chain(ops).enumerate() {
            let now = model.now;
            match op {
                Op::Put { key, owner, ttl } => {
                    let ttl = ttl.map(Duration::from_millis);
                    let id = owner.map(|owner: usize| owners[owner].id());
                    let put = store.put(now, &key.to_string(), value, id, ttl);
                    let expires = ttl.map(|ttl| now + ttl);
                    assert_eq!(put, model.put(Kept { key, value, owner, expires }), "a put of key {key}");
                }
                Op::Remove(key) => {
                    let there = model.kept.iter().find(|kept| kept.key == key).map(|kept| kept.value);
                    assert_eq!(store.remove(&key.to_string()), there, "the value of a removed key {key}");
                    model.forget(|kept| kept.key == key);
                }
                Op::Release(owner) => {
                    let released = store.release(owners[owner].id());
                    assert_eq!(
                        released,
                        model.forget(|kept| kept.owner == Some(owner)),
                        "keys of a dead owner"
                    );
                }
                Op::Expire => {
                    let expired = store.expire(now);
                    assert_eq!(expired, model.forget(|kept| !kept.lives(now)), "keys that have expired");
                }
                Op::Wait(ms) => model.now += Duration::from_millis(ms),
            }
            model.compare(&store);
        }
    });
}

/// Whenever a monitor is set, before, during or after the end, it hears once.
///
/// Hole: `monitor`.
#[test]
fn a_monitor_hears_exactly_once() {
    // Of each process: how many steps it lives, and after how many steps each of its monitors is set.
    let life = (0_u8..4, prop::collection::vec(0_u8..8, 1..6));
    gate::law(64, prop::collection::vec(life, 1..6), |lives| {
        gate::virtually(async || {
            let mut setting = Vec::new();
            for (steps, monitors) in lives {
                let process = spawn(move |_| async move {
                    for _ in 0..steps {
                        tokio::task::yield_now().await;
                    }
                });
                for after in monitors {
                    let pid = process.pid().clone();
                    setting.push(tokio::spawn(async move {
                        for _ in 0..after {
                            tokio::task::yield_now().await;
                        }
                        let heard = gate::Tally::default();
                        let note = heard.clone();
                        pid.monitor(move |_| note.one());
                        heard
                    }));
                }
            }
            settle().await;
            for heard in setting {
                let heard = heard.await.expect("the monitor is set");
                assert_eq!(heard.get(), 1, "a monitor hears of the end, and once");
            }
        });
    });
}
