//! Sessions that note when they are opened, closed and dropped, and a world that counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use labs_session_workers::{CallError, Intensity, Limits, OpenError, Reply, Session, Sessions};
use tokio::time::{Instant, sleep};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) const LIMITS: Limits = Limits {
    workers: 100_000,
    mailbox: 8,
    idle: Duration::from_mins(10),
    patience: Duration::from_mins(1),
    intensity: Intensity { restarts: 3, period: Duration::from_secs(5) },
};

/// How much time a future takes.
pub(crate) async fn timed<T>(future: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let output = future.await;
    (start.elapsed(), output)
}

/// Lets everybody run who can, without any time passing.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// What all rooms share: counters, what is stored, and how they shall behave.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) opens: gate::Tally,
    pub(crate) closes: gate::Tally,
    /// Lives of all keys.
    pub(crate) alive: gate::Gauge,
    pub(crate) opening: Duration,
    pub(crate) closing: Duration,
    pub(crate) here: Mutex<BTreeSet<u32>>,
    pub(crate) overlaps: Mutex<BTreeSet<u32>>,
    pub(crate) stored: Mutex<BTreeMap<u32, u64>>,
    /// Keys that cannot be opened, or whose opening panics.
    pub(crate) shut: Mutex<BTreeSet<u32>>,
    pub(crate) cursed: Mutex<BTreeSet<u32>>,
    /// Keys whose closing panics.
    pub(crate) grudging: Mutex<BTreeSet<u32>>,
}

impl World {
    /// Keys that had two lives at one time.
    pub(crate) fn overlaps(&self) -> Vec<u32> {
        self.overlaps.lock().expect("nobody panics under it").iter().copied().collect()
    }

    pub(crate) fn alive(&self) -> usize {
        usize::try_from(self.alive.now()).expect("no life ends twice")
    }

    pub(crate) fn stored(&self, key: u32) -> u64 {
        self.stored.lock().expect("nobody panics under it").get(&key).copied().unwrap_or(0)
    }
}

/// What a room can be sent.
pub(crate) enum Say {
    /// One more: the store has it before the answer.
    Add(Reply<u64>),
    /// A sleep, then one more.
    Slowly(Duration, Reply<u64>),
    /// A crash in the middle of a call.
    Crash(Reply<u64>),
    /// No answer, and no end.
    Forever(Reply<u64>),
}

/// A life, noted from its birth to its drop.
struct Life {
    key: u32,
    world: Arc<World>,
}

impl Life {
    fn begin(key: u32, world: &Arc<World>) -> Self {
        world.alive.enter();
        if !world.here.lock().expect("nobody panics under it").insert(key) {
            world.overlaps.lock().expect("nobody panics under it").insert(key);
        }
        Self { key, world: world.clone() }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.world.here.lock().expect("nobody panics under it").remove(&self.key);
        self.world.alive.leave();
    }
}

/// One life of a session.
pub(crate) struct Room {
    life: Life,
}

impl Session for Room {
    type Key = u32;
    type Message = Say;
    type World = World;

    async fn open(key: &u32, world: &Arc<World>) -> Result<Self, OpenError> {
        world.opens.one();
        let life = Life::begin(*key, world);
        if !world.opening.is_zero() {
            sleep(world.opening).await;
        }
        if world.cursed.lock().expect("nobody panics under it").contains(key) {
            crash();
        }
        if world.shut.lock().expect("nobody panics under it").contains(key) {
            return Err(OpenError("no light".into()));
        }
        Ok(Self { life })
    }

    async fn handle(&mut self, message: Say) {
        let add = || {
            let mut stored = self.life.world.stored.lock().expect("nobody panics under it");
            let count = stored.entry(self.life.key).or_insert(0);
            *count += 1;
            *count
        };
        match message {
            Say::Add(reply) => reply.send(add()),
            Say::Slowly(time, reply) => {
                sleep(time).await;
                reply.send(add());
            }
            Say::Crash(_reply) => crash(),
            Say::Forever(_reply) => std::future::pending().await,
        }
    }

    async fn close(self) {
        if !self.life.world.closing.is_zero() {
            sleep(self.life.world.closing).await;
        }
        if self.life.world.grudging.lock().expect("nobody panics under it").contains(&self.life.key) {
            crash();
        }
        self.life.world.closes.one();
    }
}

/// A panic, without its message among the test's output.
pub(crate) fn crash() -> ! {
    std::panic::resume_unwind(Box::new("a crash of the test's own"))
}

pub(crate) fn rooms(limits: Limits, world: World) -> (Sessions<Room>, Arc<World>) {
    let world = Arc::new(world);
    (Sessions::start(limits, world.clone()), world)
}

pub(crate) async fn add(rooms: &Sessions<Room>, key: u32) -> Result<u64, CallError> {
    rooms.call(&key, Say::Add).await
}
