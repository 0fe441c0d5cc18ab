//! Laws: the parts beside models that are too simple to be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use gate::proptest::prelude::*;
use labs_counter_ttl::{CallError, CounterError, Counters, Full, Intensity, Settings, Window};
use tokio::time::{Instant, sleep};

use crate::probe::{SECOND, counter, crash, settle};

/// However restarts are spread, no stretch of one period has more than are allowed, and none is refused without need.
///
/// Hole: `admit`.
#[test]
fn every_stretch_of_a_period_stays_within_the_intensity() {
    let inputs = (0_usize..6, prop::collection::vec(0_u64..3_000, 1..60));
    gate::law(256, inputs, |(restarts, gaps)| {
        let period = 5 * SECOND;
        let mut window = Window::new(Intensity { restarts, period });
        let mut now = Instant::now();
        let mut admitted: Vec<Instant> = Vec::new();
        for gap in gaps {
            now += Duration::from_millis(gap);
            let recent = admitted.iter().filter(|at| now.duration_since(**at) < period).count();
            let allowed = recent < restarts;
            assert_eq!(window.admit(now), allowed, "{recent} of {restarts} restarts in the last period");
            if allowed {
                admitted.push(now);
            }
        }
    });
}

const TTL: u64 = 100;

/// Counts that are too simple to be wrong: value and end by key.
#[derive(Default)]
struct Model(BTreeMap<u8, (u64, u64)>);

impl Model {
    fn live(&mut self, now: u64) {
        self.0.retain(|_, (_, expires)| *expires > now);
    }

    /// Adds 1 to the first key, 2 to the second and so on; none if there is no room.
    fn update(&mut self, now: u64, keys: &[u8], capacity: usize) -> Result<Vec<u64>, Full> {
        self.live(now);
        let mut after = self.0.clone();
        let mut values = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let count = after.entry(*key).or_insert((0, 0));
            *count = (count.0 + at as u64 + 1, now + TTL);
            values.push(count.0);
        }
        if after.len() > capacity {
            return Err(Full);
        }
        self.0 = after;
        Ok(values)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Update(Vec<u8>),
    /// An update whose code panics at its last key.
    Crash(Vec<u8>),
    Sweep,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let keys = || prop::collection::vec(0_u8..5, 1..4);
    prop_oneof![
        6 => keys().prop_map(Step::Update),
        2 => keys().prop_map(Step::Crash),
        1 => Just(Step::Sweep),
        4 => (0_u64..90).prop_map(Step::Wait),
    ]
}

fn names(keys: &[u8]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

/// Adds 1, then 2, and so on.
fn climb() -> impl FnMut(&str, u64) -> u64 {
    let mut more = 0;
    move |_, count| {
        more += 1;
        count + more
    }
}

/// Counters agree with a plain map, whatever is updated, whenever it is swept.
///
/// Holes: `update`, `sweep`.
#[test]
fn counters_are_a_map_that_forgets() {
    let inputs = (1_usize..6, prop::collection::vec(step(), 1..60));
    gate::law(256, inputs, |(capacity, steps)| {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut counters = Counters::new(Duration::from_millis(TTL), capacity);
        let (mut model, mut now) = (Model::default(), 0);
        for step in std::iter::once(Step::Update(vec![0])).chain(steps) {
            match step {
                Step::Update(keys) | Step::Crash(keys) => {
                    let changes = counters.update(at(now), &names(&keys), climb());
                    let values = changes.map(|changes| changes.iter().map(|change| change.value).collect());
                    assert_eq!(values, model.update(now, &keys, capacity), "an update of {keys:?}");
                }
                Step::Sweep => {
                    let before = counters.len();
                    let gone = counters.sweep(at(now));
                    assert_eq!(before - gone, counters.len(), "a sweep says how many it took");
                    model.live(now);
                    assert_eq!(counters.len(), model.0.len(), "what is left after a sweep");
                }
                Step::Wait(ms) => now += ms,
            }
            model.live(now);
            for key in 0..5 {
                let count = model.0.get(&key).map_or(0, |(value, _)| *value);
                assert_eq!(counters.get(at(now), &key.to_string()), count, "the count of {key}");
            }
        }
    });
}

/// What was acknowledged is there until its time is over, through any number of crashes; nothing else is.
///
/// Holes: `change`, `inherit`.
#[test]
fn crashes_change_nothing_that_was_acknowledged() {
    gate::law(64, prop::collection::vec(step(), 1..30), |steps| {
        gate::virtually(async || {
            let ttl = Duration::from_millis(TTL);
            let (_supervised, client) = counter(Settings { ttl, ..Settings::default() });
            let (mut model, start) = (Model::default(), Instant::now());
            for step in std::iter::once(Step::Update(vec![0])).chain(steps) {
                let now = u64::try_from(start.elapsed().as_millis()).expect("a short time");
                match step {
                    Step::Update(keys) => {
                        let values = client.update(names(&keys), climb()).await;
                        let expected = model.update(now, &keys, usize::MAX).map_err(CounterError::Full);
                        assert_eq!(values, expected, "an update of {keys:?}");
                    }
                    Step::Crash(keys) => {
                        let (mut left, mut climb) = (keys.len(), climb());
                        let crashing = move |key: &str, count| {
                            left -= 1;
                            if left == 0 { crash() } else { climb(key, count) }
                        };
                        let died = client.update(names(&keys), crashing).await;
                        assert_eq!(died, Err(CounterError::Call(CallError::Died)), "its code has panicked");
                        settle().await;
                    }
                    Step::Sweep => settle().await,
                    Step::Wait(ms) => sleep(Duration::from_millis(ms)).await,
                }
                model.live(u64::try_from(start.elapsed().as_millis()).expect("a short time"));
                for key in 0..5 {
                    let count = model.0.get(&key).map_or(0, |(value, _)| *value);
                    assert_eq!(client.get(&key.to_string()).await, Ok(count), "the count of {key}");
                }
            }
        });
    });
}
