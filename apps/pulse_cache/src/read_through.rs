//! A cache that loads what it lacks.
//!
//! **Invariant.** The store's key carries the generation under which its load began. A change raises the generation,
//! so what was loaded before it, or is still being loaded, can no longer be found by anybody who asks afterwards.
//! Errors are never remembered. Absences have a bound and a life of their own, so that asking for a million made-up
//! keys can't push real values out.

use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use moka::future::Cache;

use crate::generation::Generations;
use crate::stats::{CacheStats, Counters};

/// A cache's bounds.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What is held at most: values, or what the weigher of [`ReadThrough::weighed`] sums up.
    pub capacity: u64,
    /// A value is loaded again after this time, announced change or not.
    pub time_to_live: Duration,
    /// Absences that are remembered at most.
    pub negative_capacity: u64,
    /// How long an absence is believed.
    pub negative_time_to_live: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capacity: 50_000,
            time_to_live: Duration::from_mins(1),
            negative_capacity: 10_000,
            negative_time_to_live: Duration::from_secs(5),
        }
    }
}

/// Values by key, loaded through a future that the caller brings.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use pulse_cache::{Options, ReadThrough};
/// let names: ReadThrough<u32, &str> = ReadThrough::new(Options::default());
/// let load = async || Ok::<_, String>(Some("cup"));
/// assert_eq!(names.get_or_load(&7, load).await, Ok(Some("cup")));
/// // Held now: the second load is not run.
/// assert_eq!(names.get_or_load(&7, async || Err("not asked".to_owned())).await, Ok(Some("cup")));
/// names.invalidate(&7).await;
/// assert_eq!(names.get_or_load(&7, async || Ok::<_, String>(None)).await, Ok(None));
/// # });
/// ```
pub struct ReadThrough<K, V> {
    present: Cache<(u64, K), V, RandomState>,
    absent: Cache<(u64, K), (), RandomState>,
    generations: Generations,
    counters: Counters,
}

/// Why a load left nothing to be held.
enum Nothing<E> {
    Absent,
    Failed(E),
}

impl<K, V> ReadThrough<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// An empty cache whose capacity counts values.
    pub fn new(options: Options) -> Self {
        Self::weighed(options, |_, _| 1)
    }

    /// An empty cache whose capacity counts what `weigh` says of each value (bytes, say).
    pub fn weighed(options: Options, weigh: impl Fn(&K, &V) -> u32 + Send + Sync + 'static) -> Self {
        Self {
            present: Cache::builder()
                .max_capacity(options.capacity)
                .weigher(move |(_, key): &(u64, K), value| weigh(key, value))
                .time_to_live(options.time_to_live)
                .build_with_hasher(RandomState::default()),
            absent: Cache::builder()
                .max_capacity(options.negative_capacity)
                .time_to_live(options.negative_time_to_live)
                .build_with_hasher(RandomState::default()),
            generations: Generations::new(4096),
            counters: Counters::default(),
        }
    }

    /// The value, if it is held. Counts as a lookup.
    pub async fn get(&self, key: &K) -> Option<V> {
        let value = self.present.get(&(self.generations.of(key), key.clone())).await;
        match value {
            Some(_) => self.counters.hit(),
            None => self.counters.miss(),
        }
        value
    }

    /// The value, loaded where it is not held; `None` where the load says that there is none. Callers that ask
    /// for one key at the same time share one load, its failure too.
    pub async fn get_or_load<E>(
        &self,
        key: &K,
        load: impl AsyncFnOnce() -> Result<Option<V>, E>,
    ) -> Result<Option<V>, E>
    where
        E: Clone + Send + Sync + 'static,
    {
        // Read before the load begins: what changes after this line is not for those who ask after the change.
        let place = (self.generations.of(key), key.clone());
        if let Some(value) = self.present.get(&place).await {
            self.counters.hit();
            return Ok(Some(value));
        }
        if self.absent.contains_key(&place) {
            self.counters.negative_hit();
            return Ok(None);
        }
        self.counters.miss();
        let started = async {
            // An absence may have been found between the look above and this load's turn.
            if self.absent.contains_key(&place) {
                return Err(Nothing::Absent);
            }
            let begun = Instant::now();
            let loaded = load().await;
            self.counters.loaded(begun.elapsed(), loaded.is_err());
            match loaded {
                Ok(Some(value)) => Ok(value),
                Ok(None) => {
                    // Inside the shared load, so that whoever comes next finds either the load or its result.
                    self.absent.insert(place.clone(), ()).await;
                    Err(Nothing::Absent)
                }
                Err(error) => Err(Nothing::Failed(error)),
            }
        };
        let loaded: Result<V, Arc<Nothing<E>>> = self.present.try_get_with_by_ref(&place, started).await;
        match loaded {
            Ok(value) => Ok(Some(value)),
            Err(nothing) => match &*nothing {
                Nothing::Absent => Ok(None),
                Nothing::Failed(error) => Err(error.clone()),
            },
        }
    }

    /// Announces that the key's value has changed. Call it after the change is committed.
    pub async fn invalidate(&self, key: &K) {
        self.counters.invalidated();
        let old = (self.generations.raise(key), key.clone());
        // Nobody can find these any more; taking them out only frees their memory at once.
        self.present.invalidate(&old).await;
        self.absent.invalidate(&old).await;
    }

    /// Announces that anything may have changed.
    pub fn invalidate_all(&self) {
        self.counters.invalidated();
        self.generations.raise_all();
        self.present.invalidate_all();
        self.absent.invalidate_all();
    }

    /// The counters now.
    pub fn stats(&self) -> CacheStats {
        self.counters.read(self.present.entry_count(), self.absent.entry_count())
    }

    /// Brings bounds and counts up to date at once; they follow within a second or so by themselves.
    pub async fn settle(&self) {
        self.present.run_pending_tasks().await;
        self.absent.run_pending_tasks().await;
    }
}
