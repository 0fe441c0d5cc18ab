//! What this node has taken and not yet acknowledged, with the means to stop it.
//!
//! **Invariant.** A job is in here from its taking until its acknowledgement is written or known to be void; each
//! attempt has one [`Recall`], which says at most once why it is to stop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::job::JobId;
use crate::observe::Stopped;
use crate::table::Mine;

/// Stops one attempt.
#[derive(Debug, Default)]
pub(crate) struct Recall {
    why: AtomicU8,
    notify: Notify,
}

const LOST: u8 = 1;
const LEASE_OVER: u8 = 2;

impl Recall {
    fn call(&self, why: u8) {
        if self.why.compare_exchange(0, why, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.notify.notify_one();
        }
    }

    /// Ends when the attempt is to stop, and says why.
    pub(crate) async fn called(&self) -> Stopped {
        loop {
            match self.why.load(Ordering::Acquire) {
                LOST => return Stopped::Lost,
                LEASE_OVER => return Stopped::LeaseOver,
                // A permit is kept where the call came before the wait.
                _ => self.notify.notified().await,
            }
        }
    }
}

struct Entry {
    attempt: u32,
    lease_until: i64,
    recall: Arc<Recall>,
    /// When a running attempt must have ended by its own timeout.
    ends_by: Option<Instant>,
}

/// A node's jobs.
#[derive(Default)]
pub(crate) struct Held(Mutex<HashMap<JobId, Entry>>);

/// What must be done for the leases at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// There is a job that is held.
    pub(crate) any: bool,
    /// Attempts that should have ended by themselves long ago: they block their thread, and no lease is renewed for them.
    pub(crate) stuck: Vec<JobId>,
}

/// How long after its timeout an attempt counts as stuck: it does not await, so nothing can stop it.
const STUCK_AFTER: Duration = Duration::from_secs(5);

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Jobs were taken under a lease.
    pub(crate) fn took(&self, jobs: impl Iterator<Item = Mine>, lease_until: i64) {
        let mut held = self.lock();
        for (id, attempt) in jobs {
            held.insert(id, Entry { attempt, lease_until, recall: Arc::default(), ends_by: None });
        }
    }

    /// An attempt begins; `None` where the job was lost while it waited, or its lease is about to end.
    pub(crate) fn begin(&self, id: JobId, attempt: u32, now: i64, ends_by: Instant) -> Option<Arc<Recall>> {
        let mut held = self.lock();
        let entry = held.get_mut(&id).filter(|entry| entry.attempt == attempt && entry.lease_until > now)?;
        entry.ends_by = Some(ends_by);
        Some(Arc::clone(&entry.recall))
    }

    /// An attempt has ended: it is no longer stuck, whatever its clock says.
    pub(crate) fn ended(&self, id: JobId, attempt: u32) {
        if let Some(entry) = self.lock().get_mut(&id).filter(|entry| entry.attempt == attempt) {
            entry.ends_by = None;
        }
    }

    /// These are acknowledged or lost.
    pub(crate) fn gone(&self, jobs: impl Iterator<Item = Mine>) {
        let mut held = self.lock();
        for (id, attempt) in jobs {
            if held.get(&id).is_some_and(|entry| entry.attempt == attempt) {
                held.remove(&id);
            }
        }
    }

    pub(crate) fn due(&self, now: Instant) -> Due {
        let held = self.lock();
        let late = |entry: &Entry| entry.ends_by.is_some_and(|end| end + STUCK_AFTER < now);
        Due {
            any: !held.is_empty(),
            stuck: held.iter().filter(|(_, entry)| late(entry)).map(|(id, _)| *id).collect(),
        }
    }

    /// The jobs whose lease ends before an instant: those that a renewal up to it must find.
    pub(crate) fn ending_before(&self, before: i64) -> Vec<Mine> {
        let held = self.lock();
        let ending = held.iter().filter(|(_, entry)| entry.lease_until < before);
        ending.map(|(id, entry)| (*id, entry.attempt)).collect()
    }

    /// A renewal went through: of `asked`, these are still ours until then. The others are told to stop.
    pub(crate) fn renewed(&self, asked: &[Mine], mine: &[Mine], until: i64) {
        let mine: std::collections::HashSet<&Mine> = mine.iter().collect();
        let mut held = self.lock();
        for asked in asked {
            let Some(entry) = held.get_mut(&asked.0).filter(|entry| entry.attempt == asked.1) else {
                continue;
            };
            if mine.contains(asked) {
                entry.lease_until = until;
            } else {
                entry.recall.call(LOST);
            }
        }
    }

    /// No renewal went through: what would be without a lease at that instant stops now.
    pub(crate) fn lapse(&self, by: i64) {
        for entry in self.lock().values().filter(|entry| entry.lease_until <= by) {
            entry.recall.call(LEASE_OVER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Held {
        let held = Held::default();
        held.took([(JobId(1), 1), (JobId(2), 3)].into_iter(), 100);
        held
    }

    fn why(recall: &Recall) -> Option<Stopped> {
        futures::FutureExt::now_or_never(recall.called())
    }

    #[test]
    fn what_a_renewal_does_not_find_is_told_to_stop() {
        let held = held();
        let later = Instant::now() + Duration::from_mins(1);
        let one = held.begin(JobId(1), 1, 0, later).unwrap();
        let two = held.begin(JobId(2), 3, 0, later).unwrap();
        let mut asked = held.ending_before(150);
        asked.sort_unstable();
        assert_eq!(asked, [(JobId(1), 1), (JobId(2), 3)]);
        // The same number at another attempt is another's.
        held.renewed(&asked, &[(JobId(1), 1), (JobId(2), 4)], 200);
        assert_eq!((why(&one), why(&two)), (None, Some(Stopped::Lost)));
        assert_eq!(held.ending_before(150), [(JobId(2), 3)]);
    }

    #[test]
    fn what_is_taken_during_a_renewal_is_not_lost_by_it() {
        let held = held();
        let asked = held.ending_before(150);
        held.took([(JobId(3), 1)].into_iter(), 100);
        held.renewed(&asked, &asked, 200);
        assert!(held.begin(JobId(3), 1, 0, Instant::now()).is_some_and(|recall| why(&recall).is_none()));
    }

    #[test]
    fn without_a_lease_nothing_begins_and_what_runs_stops() {
        let held = held();
        let one = held.begin(JobId(1), 1, 99, Instant::now()).unwrap();
        assert!(held.begin(JobId(2), 3, 100, Instant::now()).is_none());
        held.lapse(99);
        assert_eq!(why(&one), None);
        held.lapse(100);
        assert_eq!(why(&one), Some(Stopped::LeaseOver));
    }

    #[test]
    fn an_attempt_far_beyond_its_timeout_is_stuck_until_it_ends() {
        let held = held();
        let now = Instant::now();
        held.begin(JobId(1), 1, 0, now).unwrap();
        assert_eq!(held.due(now + STUCK_AFTER), Due { any: true, stuck: vec![] });
        let late = now + STUCK_AFTER + Duration::from_millis(1);
        assert_eq!(held.due(late), Due { any: true, stuck: vec![JobId(1)] });
        held.ended(JobId(1), 1);
        assert_eq!(held.due(late).stuck, []);
        held.gone([(JobId(1), 1), (JobId(2), 2), (JobId(2), 3)].into_iter());
        assert_eq!(held.due(late), Due::default());
    }
}
