//! The promises of the mechanism, one test each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pulse_cache::{Options, ReadThrough};
use tokio::sync::{Barrier, Notify};

type Names = ReadThrough<u32, u64>;

fn cache() -> Arc<Names> {
    Arc::new(ReadThrough::new(Options::default()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_of_a_cold_key_make_one_load() {
    let cache = cache();
    let loads = Arc::new(AtomicU64::new(0));
    let start = Arc::new(Barrier::new(1_000));
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let (cache, loads, start) = (cache.clone(), loads.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                let load = async || {
                    loads.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    Ok::<_, String>(Some(42))
                };
                cache.get_or_load(&1, load).await
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(Some(42)));
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    let stats = cache.stats();
    assert_eq!((stats.loads, stats.hits + stats.misses), (1, 1_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_of_an_absent_key_make_one_load() {
    let cache = cache();
    let start = Arc::new(Barrier::new(1_000));
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let (cache, start) = (cache.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                let load = async || {
                    tokio::task::yield_now().await;
                    Ok::<_, String>(None)
                };
                cache.get_or_load(&1, load).await
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(None));
    }
    assert_eq!(cache.stats().loads, 1);
}

#[tokio::test]
async fn errors_are_not_remembered() {
    let cache = cache();
    let failed = cache.get_or_load(&1, async || Err::<Option<u64>, _>("down".to_owned())).await;
    assert_eq!(failed, Err("down".to_owned()));
    assert_eq!(cache.get_or_load(&1, async || Ok::<_, String>(Some(7))).await, Ok(Some(7)));
    assert_eq!((cache.stats().loads, cache.stats().load_errors), (2, 1));
}

#[tokio::test]
async fn a_load_under_way_during_an_invalidation_leaves_nothing_stale() {
    let cache = cache();
    let (loading, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = tokio::spawn({
        let (cache, loading, go_on) = (cache.clone(), loading.clone(), go_on.clone());
        async move {
            let load = async || {
                loading.notify_one();
                go_on.notified().await;
                Ok::<_, String>(Some(1))
            };
            cache.get_or_load(&1, load).await
        }
    });
    loading.notified().await;
    cache.invalidate(&1).await;
    // Asked after the change: this one must not wait for the old load, nor get its value.
    assert_eq!(cache.get_or_load(&1, async || Ok::<_, String>(Some(2))).await, Ok(Some(2)));
    go_on.notify_one();
    assert_eq!(slow.await.unwrap(), Ok(Some(1)), "who asked before the change may get the value before it");
    assert_eq!(cache.get_or_load(&1, async || Err("not asked".to_owned())).await, Ok(Some(2)));
}

#[tokio::test]
async fn an_absence_found_during_an_invalidation_is_not_believed_afterwards() {
    let cache = cache();
    let load = async || {
        cache.invalidate(&1).await;
        Ok::<_, String>(None)
    };
    assert_eq!(cache.get_or_load(&1, load).await, Ok(None));
    assert_eq!(cache.get_or_load(&1, async || Ok::<_, String>(Some(3))).await, Ok(Some(3)));
}

#[tokio::test]
async fn invalidating_all_forgets_all() {
    let cache = cache();
    for key in 0..100 {
        assert_eq!(cache.get_or_load(&key, async || Ok::<_, String>(Some(1))).await, Ok(Some(1)));
    }
    cache.invalidate_all();
    for key in 0..100 {
        assert_eq!(cache.get_or_load(&key, async || Ok::<_, String>(Some(2))).await, Ok(Some(2)));
    }
}

#[tokio::test]
async fn made_up_keys_fill_only_the_negatives_and_only_up_to_their_bound() {
    let options = Options { capacity: 100, negative_capacity: 50, ..Options::default() };
    let cache: Names = ReadThrough::new(options);
    for key in 0..100 {
        assert_eq!(cache.get_or_load(&key, async || Ok::<_, String>(Some(1))).await, Ok(Some(1)));
    }
    for key in 1_000..11_000 {
        assert_eq!(cache.get_or_load(&key, async || Ok::<_, String>(None)).await, Ok(None));
    }
    cache.settle().await;
    let stats = cache.stats();
    assert_eq!(stats.entries, 100);
    assert!(stats.negative_entries <= 50, "{stats:?}");
}

#[tokio::test]
async fn values_stay_within_their_weight() {
    let options = Options { capacity: 1_000, ..Options::default() };
    let cache: Names = ReadThrough::weighed(options, |_, value| u32::try_from(*value).unwrap());
    for key in 0..1_000 {
        assert_eq!(cache.get_or_load(&key, async || Ok::<_, String>(Some(100))).await, Ok(Some(100)));
    }
    cache.settle().await;
    assert!(cache.stats().entries <= 10, "{:?}", cache.stats());
}

#[tokio::test]
async fn an_absence_is_believed_for_a_while_only() {
    let options = Options { negative_time_to_live: Duration::from_millis(1), ..Options::default() };
    let cache: Names = ReadThrough::new(options);
    assert_eq!(cache.get_or_load(&1, async || Ok::<_, String>(None)).await, Ok(None));
    while cache.get_or_load(&1, async || Ok::<_, String>(Some(1))).await == Ok(None) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_the_load_to_the_next() {
    let cache = cache();
    let loading = Arc::new(Notify::new());
    let gives_up = tokio::spawn({
        let (cache, loading) = (cache.clone(), loading.clone());
        async move {
            let load = async || {
                loading.notify_one();
                std::future::pending::<Result<Option<u64>, String>>().await
            };
            cache.get_or_load(&1, load).await
        }
    });
    loading.notified().await;
    gives_up.abort();
    assert_eq!(cache.get_or_load(&1, async || Ok::<_, String>(Some(5))).await, Ok(Some(5)));
}

#[tokio::test]
async fn lookups_and_load_times_are_counted() {
    let cache = cache();
    for _ in 0..3 {
        assert_eq!(cache.get_or_load(&1, async || Ok::<_, String>(Some(1))).await, Ok(Some(1)));
        assert_eq!(cache.get_or_load(&2, async || Ok::<_, String>(None)).await, Ok(None));
    }
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.negative_hits, stats.misses, stats.loads), (2, 2, 2, 2));
    assert_eq!(stats.load_buckets.iter().sum::<u64>(), 2);
}
