//! CPU time beside a reference.
//!
//! **Invariant.** Only the ratio of two pieces of work, measured in turn on the same thread, is judged; and only when
//! its interval lies on one side of the limit. Otherwise the answer is that nobody knows.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Pairs before the first judgement, and the most that are measured.
const FIRST: usize = 11;
const MOST: usize = 151;

/// What came of a comparison. Ratios are medians with their 95 % interval: (low, median, high).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Paired {
    /// Below the limit for sure.
    Within(f64, f64, f64),
    /// Above the limit for sure.
    Over(f64, f64, f64),
    /// The limit lies in the interval still: the machine is too busy, or the limit too near.
    Undecided(f64, f64, f64),
}

impl Paired {
    /// Panics if the subject is over the limit for sure. What is undecided is said and let pass.
    pub fn accept(self, limit: f64) {
        match self {
            Self::Within(..) => {}
            Self::Undecided(low, _, high) => {
                eprintln!(
                    "undecided: the ratio is between {low:.2} and {high:.2}, and the limit is {limit:.2}"
                );
            }
            Self::Over(low, median, _) => {
                panic!("{median:.2} times the reference (at least {low:.2}); the limit is {limit:.2}")
            }
        }
    }
}

/// Measures subject and reference in turn until the interval of the median ratio clears the limit.
///
/// Give both work of a millisecond or so. For limits of 2 and more: nearer ones stay undecided on a busy machine.
pub fn paired(limit: f64, mut reference: impl FnMut(), mut subject: impl FnMut()) -> Paired {
    // What is cold is no part of either.
    reference();
    subject();
    let mut ratios = Vec::with_capacity(MOST);
    loop {
        let (r, s) = (cpu(&mut reference), cpu(&mut subject));
        ratios.push(s.as_secs_f64() / r.as_secs_f64().max(1e-9));
        if ratios.len() < FIRST {
            continue;
        }
        let (low, median, high) = interval(&mut ratios);
        if high < limit {
            return Paired::Within(low, median, high);
        }
        if low > limit {
            return Paired::Over(low, median, high);
        }
        if ratios.len() >= MOST {
            return Paired::Undecided(low, median, high);
        }
    }
}

/// CPU time of this thread for a piece of work.
pub fn cpu(act: impl FnOnce()) -> Duration {
    let before = thread_time();
    act();
    thread_time().saturating_sub(before)
}

fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// The median and its 95 % interval by the ranks of the sorted sample (a binomial, near enough a normal).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks of a few hundred"
)]
fn interval(ratios: &mut [f64]) -> (f64, f64, f64) {
    ratios.sort_unstable_by(f64::total_cmp);
    let n = ratios.len() as f64;
    let half = 1.96 * n.sqrt() / 2.0;
    let low = (n / 2.0 - half).floor().max(0.0) as usize;
    let high = ((n / 2.0 + half).ceil() as usize).min(ratios.len() - 1);
    (ratios[low], ratios[ratios.len() / 2], ratios[high])
}
