//! Promotions begin and end by themselves: whoever has a page open is told at that instant.
//!
//! **Invariant.** There is one timer a node, for the next instant at which a promotion begins or ends, and none a page. While
//! this runs no such instant goes untold: one that has passed before it was known (it was stored by another process, the
//! database did not answer) is told once it is.

use std::fmt::Display;
use std::time::Duration;

use otp::Inbox;
use pulse_core::Timestamp;
use pulse_core::ports::Clock;

/// How long nothing is looked at: what another process stores, and a clock that is set, are noticed after that.
const LOOK: Duration = Duration::from_mins(1);

/// How long after a failure the next turn is asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Calls `tell` at each instant that `next` names; asks anew whenever something has `changed`. Ends when
/// `changed` is stopped.
///
/// `next` answers the first turn after an instant. It is asked once a change, once a turn and once a [`LOOK`].
pub(crate) async fn follow<F, E>(
    clock: &dyn Clock,
    changed: &mut Inbox<()>,
    next: impl Fn(Timestamp) -> F,
    tell: impl Fn(),
) where
    F: Future<Output = Result<Option<Timestamp>, E>>,
    E: Display,
{
    let mut told = clock.now();
    loop {
        // Before the question: what turns while it is answered is a turn after this.
        let now = clock.now();
        let wait = match next(told).await {
            Ok(Some(turn)) if turn <= now => {
                told = now;
                tell();
                continue;
            }
            Ok(Some(turn)) => until(turn, clock.now()).min(LOOK),
            Ok(None) => LOOK,
            Err(error) => {
                tracing::warn!(%error, "the promotions' next turn could not be read; it is asked for again");
                AGAIN
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            change = changed.recv() => {
                if change.is_none() {
                    return;
                }
                while changed.try_recv().is_some() {}
            }
        }
    }
}

/// The time from `now` to `turn`; none where it has passed.
fn until(turn: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(turn.0.saturating_sub(now.0)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::future::ready;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::{Instant, sleep_until, timeout_at};

    use super::*;

    /// A clock that tokio's moves, and turns that are known from some instant on.
    struct Shop {
        began: Instant,
        turns: Mutex<BTreeSet<i64>>,
        /// The database does not answer before that.
        silent_until: i64,
        asked: AtomicU64,
        told: Mutex<Vec<i64>>,
    }

    impl Clock for Shop {
        fn now(&self) -> Timestamp {
            Timestamp(i64::try_from(self.began.elapsed().as_millis()).unwrap())
        }
    }

    impl Shop {
        fn with(turns: &[i64]) -> Self {
            Self {
                began: Instant::now(),
                turns: Mutex::new(turns.iter().copied().collect()),
                silent_until: 0,
                asked: AtomicU64::new(0),
                told: Mutex::default(),
            }
        }

        fn at(&self, millis: u64) -> Instant {
            self.began + Duration::from_millis(millis)
        }

        fn store(&self, turn: i64) {
            self.turns.lock().unwrap().insert(turn);
        }

        fn next(&self, after: Timestamp) -> Result<Option<Timestamp>, &'static str> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.now().0 < self.silent_until {
                return Err("it does not answer");
            }
            Ok(self.turns.lock().unwrap().range(after.0 + 1..).next().copied().map(Timestamp))
        }

        /// Follows for so long, beside whatever else happens; answers when the pages were told.
        async fn follow(&self, millis: u64, beside: impl AsyncFn(otp::Addr<()>)) -> Vec<i64> {
            let (here, mut changed) = otp::inbox(4);
            let tell = || {
                self.told.lock().unwrap().push(self.now().0);
                // As from the bus: it hears of its own news.
                let _ = here.try_cast(());
            };
            let following = follow(self, &mut changed, |after| ready(self.next(after)), tell);
            let following = async {
                assert!(timeout_at(self.at(millis), following).await.is_err(), "it ended");
            };
            tokio::join!(following, beside(here.clone()));
            self.told.lock().unwrap().clone()
        }
    }

    const DAY: u64 = 24 * 60 * 60 * 1_000;

    #[tokio::test(start_paused = true)]
    async fn each_turn_is_told_at_its_instant_and_once() {
        let shop = Shop::with(&[1_000, 1_001, 60_000, 3_600_000]);
        assert_eq!(shop.follow(DAY, async |_| {}).await, [1_000, 1_001, 60_000, 3_600_000]);
        // Once a turn, once for its own news, once a minute.
        let asked = shop.asked.load(Ordering::Relaxed);
        assert!(asked <= 24 * 60 + 2 * 4 + 4, "asked {asked} times in a day");
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_moves_the_timer() {
        let shop = Shop::with(&[50_000]);
        let told = shop
            .follow(DAY, async |addr| {
                sleep_until(shop.at(10_000)).await;
                shop.store(20_000);
                addr.try_cast(()).unwrap();
                sleep_until(shop.at(30_000)).await;
                shop.turns.lock().unwrap().remove(&50_000);
                addr.try_cast(()).unwrap();
            })
            .await;
        assert_eq!(told, [20_000], "what was moved away is not told");
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_process_has_stored_is_told_at_its_instant_or_at_the_next_look() {
        let shop = Shop::with(&[]);
        let told = shop
            .follow(DAY, async |_| {
                sleep_until(shop.at(10_000)).await;
                shop.store(200_000);
                shop.store(20_000);
            })
            .await;
        assert_eq!(told, [60_000, 200_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_while_the_database_is_silent_is_told_once_it_answers() {
        let shop = Shop { silent_until: 300_500, ..Shop::with(&[5_000, 6_000]) };
        assert_eq!(shop.follow(DAY, async |_| {}).await, [301_000], "once, as one look shows both");
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_is_stopped() {
        let shop = Shop::with(&[]);
        let (here, mut changed) = otp::inbox::<()>(4);
        here.stop(otp::Exit::Normal);
        follow(&shop, &mut changed, |after| ready(shop.next(after)), || {}).await;
    }
}
