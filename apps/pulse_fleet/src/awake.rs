//! Who is awake, who of them is idle, and since when: what the bound on awake carts needs.
//!
//! **Invariant.** A cart has a place from before its start (its first caller takes it) until it has ended and nobody
//! calls it; places are counted exactly. It is among the idle exactly while it has a place and no caller.
//!
//! Idle carts of a shard lie in the order in which they became idle, under a stamp that grows over all shards, so
//! the idlest cart of all is the least of the shards' first ones. O(log n) a call.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use otp::ServerId;
use pulse_cart::Roll;
use pulse_core::CartId;

const SHARDS: usize = 16;

/// The places of a fleet. Shared by the fleet and all of its carts.
#[derive(Debug)]
pub(crate) struct Awake {
    shards: [Mutex<Shard>; SHARDS],
    places: AtomicUsize,
    max: usize,
    stamp: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    carts: HashMap<CartId, Place>,
    idle: BTreeMap<u64, CartId>,
}

#[derive(Debug, Default)]
struct Place {
    callers: u32,
    /// Its place among the idle; means nothing while there are callers.
    stamp: u64,
    /// The start that is awake, if one is.
    server: Option<ServerId>,
}

/// A caller's hold on a cart's place. The cart is not put to sleep for another while it lasts.
#[derive(Debug)]
pub(crate) struct Hold {
    awake: Arc<Awake>,
    pub(crate) cart: CartId,
}

/// All places are taken.
#[derive(Debug)]
pub(crate) struct NoPlace;

impl Awake {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            places: AtomicUsize::new(0),
            max,
            stamp: AtomicU64::new(0),
        }
    }

    /// Holds the cart's place, or a new one if there is room.
    pub(crate) fn hold(self: &Arc<Self>, cart: CartId) -> Result<Hold, NoPlace> {
        let mut shard = self.shard(cart);
        let Shard { carts, idle } = &mut *shard;
        match carts.entry(cart) {
            Entry::Occupied(mut place) => {
                let place = place.get_mut();
                if place.callers == 0 {
                    idle.remove(&place.stamp);
                }
                place.callers += 1;
            }
            Entry::Vacant(vacant) => {
                let taken = self.places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |places| {
                    (places < self.max).then_some(places + 1)
                });
                if taken.is_err() {
                    return Err(NoPlace);
                }
                vacant.insert(Place { callers: 1, ..Place::default() });
            }
        }
        Ok(Hold { awake: self.clone(), cart })
    }

    /// Holds the cart that has been idle longest; none where every cart has a caller.
    pub(crate) fn hold_idlest(self: &Arc<Self>) -> Option<Hold> {
        let first = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.idle.first_key_value().map(|(stamp, cart)| (*stamp, *cart))
        };
        loop {
            let (stamp, cart) = self.shards.iter().filter_map(first).min()?;
            let mut shard = self.shard(cart);
            // Somebody may have called it, or put it to sleep, since.
            if shard.idle.remove(&stamp).is_some()
                && let Some(place) = shard.carts.get_mut(&cart)
            {
                place.callers += 1;
                return Some(Hold { awake: self.clone(), cart });
            }
        }
    }

    /// Places that are taken.
    pub(crate) fn len(&self) -> usize {
        self.places.load(Ordering::Relaxed)
    }

    fn release(&self, cart: CartId) {
        let mut shard = self.shard(cart);
        let Shard { carts, idle } = &mut *shard;
        let Entry::Occupied(mut entry) = carts.entry(cart) else { return };
        let place = entry.get_mut();
        place.callers = place.callers.saturating_sub(1);
        if place.callers > 0 {
            return;
        }
        if place.server.is_some() {
            place.stamp = self.next_stamp();
            idle.insert(place.stamp, cart);
        } else {
            entry.remove();
            self.places.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn next_stamp(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::Relaxed)
    }

    fn shard(&self, cart: CartId) -> MutexGuard<'_, Shard> {
        // Ids are random, but tests count them up: both spread.
        let place = (cart.0 ^ (cart.0 >> 64)) % SHARDS as u128;
        let shard = usize::try_from(place).unwrap_or(0);
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roll for Awake {
    fn awake(&self, cart: CartId, server: ServerId) {
        let mut shard = self.shard(cart);
        let Shard { carts, idle } = &mut *shard;
        let place = carts.entry(cart).or_insert_with(|| {
            // Its starter gave up waiting and let go of the place: it is taken again, beyond the bound if need be.
            self.places.fetch_add(1, Ordering::Relaxed);
            let stamp = self.next_stamp();
            idle.insert(stamp, cart);
            Place { stamp, ..Place::default() }
        });
        place.server = Some(server);
    }

    fn ended(&self, cart: CartId, server: ServerId) {
        let mut shard = self.shard(cart);
        let Shard { carts, idle } = &mut *shard;
        let Entry::Occupied(mut entry) = carts.entry(cart) else { return };
        let place = entry.get_mut();
        if place.server != Some(server) {
            return;
        }
        place.server = None;
        if place.callers == 0 {
            idle.remove(&place.stamp);
            entry.remove();
            self.places.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.awake.release(self.cart);
    }
}
