//! Laws: names beside a plain map, and sessions under any history.

use std::collections::BTreeMap;

use gate::proptest::prelude::*;
use labs_session_workers::{Address, Limits, Name, Registry};
use tokio::time::sleep;

use crate::room::{LIMITS, SECOND, Say, World, add, rooms, settle};

#[derive(Clone, Debug)]
enum Act {
    Claim(u8),
    Drop(usize),
    Renew(usize),
    Evict(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_u8..4).prop_map(Act::Claim),
        3 => (0_usize..8).prop_map(Act::Drop),
        2 => (0_usize..8).prop_map(Act::Renew),
        1 => (0_u8..4).prop_map(Act::Evict),
    ]
}

/// Names agree with a plain map, in whatever order they are claimed, renewed, taken away and dropped.
///
/// Holes: `claim`, `release`.
#[test]
fn names_are_a_map_with_one_holder_a_key() {
    gate::law(256, prop::collection::vec(act(), 1..60), |acts| {
        let registry: Registry<u8, ()> = Registry::default();
        let mut model: BTreeMap<u8, u64> = BTreeMap::new();
        let mut held: Vec<(Name<u8, ()>, u64)> = Vec::new();
        let mut posts = Vec::new();
        for act in std::iter::once(Act::Claim(0)).chain(acts) {
            match act {
                Act::Claim(key) => {
                    let (address, post) = Address::new(1);
                    posts.push(post);
                    match registry.claim(&key, &address) {
                        Ok(name) => {
                            let before = model.insert(key, address.id());
                            assert_eq!(before, None, "key {key} was given to two");
                            held.push((name, address.id()));
                        }
                        Err(other) => {
                            assert_eq!(model.get(&key), Some(&other.id()), "key {key} is somebody else's");
                        }
                    }
                }
                Act::Drop(at) if at < held.len() => {
                    let (name, id) = held.swap_remove(at);
                    let key = *name.key();
                    drop(name);
                    if model.get(&key) == Some(&id) {
                        model.remove(&key);
                    }
                }
                Act::Renew(at) if at < held.len() => {
                    let (address, post) = Address::new(1);
                    posts.push(post);
                    let (name, id) = &mut held[at];
                    let own = model.get(name.key()) == Some(&*id);
                    assert_eq!(name.renew(&address), own, "only who has the key can renew it");
                    if own {
                        model.insert(*name.key(), address.id());
                        *id = address.id();
                    }
                }
                Act::Evict(key) => {
                    let evicted = registry.evict(&key).map(|address| address.id());
                    assert_eq!(evicted, model.remove(&key), "who had key {key}");
                }
                Act::Drop(_) | Act::Renew(_) => {}
            }
            for key in 0..4 {
                let there = registry.whereis(&key).map(|address| address.id());
                assert_eq!(there, model.get(&key).copied(), "who has key {key}");
            }
            assert_eq!(registry.len(), model.len(), "how many names there are");
        }
    });
}

#[derive(Clone, Debug)]
enum Event {
    Add(u32),
    Slowly(u32, u32),
    Close(u32),
    /// A caller that gives up after so many steps.
    GiveUp(u32, u8),
    Wait(u32),
}

fn event() -> impl Strategy<Value = Event> {
    let key = || 0_u32..4;
    prop_oneof![
        6 => key().prop_map(Event::Add),
        2 => (key(), 1_u32..5).prop_map(|(key, seconds)| Event::Slowly(key, seconds)),
        2 => key().prop_map(Event::Close),
        2 => (key(), 0_u8..6).prop_map(|(key, steps)| Event::GiveUp(key, steps)),
        4 => (0_u32..8).prop_map(Event::Wait),
    ]
}

/// Whatever happens: no session has two lives at one time, every call ends, what was answered is stored, and after a shutdown nobody
/// is left.
///
/// Holes: `deliver`, `find_or_start`, `live`.
#[test]
fn under_any_history_one_life_at_a_time_and_none_left() {
    let inputs = (0_u32..3, 0_u32..3, prop::collection::vec(event(), 1..40));
    gate::law(64, inputs, |(opening, closing, events)| {
        gate::virtually(async || {
            let world = World { opening: opening * SECOND, closing: closing * SECOND, ..World::default() };
            let (rooms, world) = rooms(Limits { idle: 5 * SECOND, ..LIMITS }, world);
            let mut calls = Vec::new();
            for event in std::iter::once(Event::Add(0)).chain(events) {
                let rooms = rooms.clone();
                match event {
                    Event::Add(key) => calls.push((key, tokio::spawn(async move { add(&rooms, key).await }))),
                    Event::Slowly(key, seconds) => calls.push((
                        key,
                        tokio::spawn(async move {
                            rooms.call(&key, |reply| Say::Slowly(seconds * SECOND, reply)).await
                        }),
                    )),
                    Event::Close(key) => {
                        tokio::spawn(async move { rooms.close(&key).await });
                    }
                    Event::GiveUp(key, steps) => {
                        let call = tokio::spawn(async move { add(&rooms, key).await });
                        for _ in 0..steps {
                            tokio::task::yield_now().await;
                        }
                        call.abort();
                    }
                    Event::Wait(seconds) => sleep(seconds * SECOND).await,
                }
            }
            let mut answered: BTreeMap<u32, u64> = BTreeMap::new();
            for (key, call) in calls {
                let answer = call.await.expect("the call ends");
                assert!(answer.is_ok(), "nothing went wrong, and a caller heard: {answer:?}");
                *answered.entry(key).or_default() += 1;
            }
            for (key, count) in answered {
                assert!(world.stored(key) >= count, "an answer was given for what was not done");
            }
            rooms.shut_down(60 * SECOND).await;
            settle().await;
            assert_eq!(world.overlaps(), [0_u32; 0], "two lives of one session at one time");
            assert_eq!(world.alive(), 0, "a worker is left that nobody knows of");
            assert!(rooms.registry().is_empty(), "a name is left that nobody answers to");
        });
    });
}
