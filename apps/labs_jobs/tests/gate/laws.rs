//! What holds for any waits and any history.

use std::collections::{BTreeMap, BTreeSet};

use gate::proptest::collection::vec;
use gate::proptest::prelude::any;
use labs_jobs::{Acked, Backoff, Failure, Job, Millis, NewJob};

use crate::desk::{LEASE, bring, complete, effects, in_memory};

/// A wait is never nothing, and never longer than the longest; it grows with the failures.
///
/// Hole: `backoff`.
#[test]
fn a_wait_grows_and_stays_within_its_bounds() {
    gate::law(
        300,
        (2_i64..10_000, 1_i64..100_000_000, any::<u32>(), 0.0..=1.0),
        |(first, more, failures, jitter)| {
            let backoff = Backoff { first, most: first + more };
            let (one, next) =
                (backoff.delay(failures, jitter), backoff.delay(failures.saturating_add(1), jitter));
            assert_eq!(backoff.delay(1, 1.0), first, "the longest wait after the first failure");
            assert_eq!(backoff.delay(2, 1.0), (2 * first).min(backoff.most), "and after the second");
            assert!(one <= backoff.most, "waits {one} ms, and the most is {} ms", backoff.most);
            assert!(
                one >= first / 2,
                "waits {one} ms after {failures} failures, and the first wait is {first} ms"
            );
            assert!(next >= one, "waits {one} ms, and less after one more failure: {next} ms");
            assert!(
                failures < 30 || one >= backoff.most / 2,
                "after {failures} failures it waits {one} ms still"
            );
        },
    );
}

/// Jobs that failed together come back apart: the waits are spread over half of the span.
///
/// Hole: `backoff`.
#[test]
fn jobs_that_failed_together_come_back_apart() {
    gate::law(100, (100_i64..10_000, 1_u32..40), |(first, failures)| {
        let backoff = Backoff { first, most: first * 64 };
        let waits: BTreeSet<Millis> =
            (0..=100).map(|n| backoff.delay(failures, f64::from(n) / 100.0)).collect();
        let (least, most) = (waits.first().copied().unwrap_or(0), waits.last().copied().unwrap_or(0));
        assert!(most - least >= most / 3, "a hundred jobs all come back within {least} to {most} ms");
        assert!(waits.len() > 40, "a hundred jobs come back at {} moments", waits.len());
    });
}

/// Whatever happens in whatever order: one lease at a time, and it is good until its end and no longer; one effect a job, no
/// attempt too many, and in the end every job is done or discarded.
///
/// Holes: `lease`, `complete`, `fail`, `rescue`.
#[test]
fn any_history_gives_each_job_one_end_and_at_most_one_effect() {
    gate::law(60, vec((0_u8..6, any::<u8>()), 0..60), |steps| {
        let mut queue = in_memory();
        let mut now = 0;
        // Every lease that was ever given, the newest last: workers that think they have the job. It is until its end, or
        // until it was acknowledged.
        let mut held: Vec<(Job, Millis)> = Vec::new();
        for (step, pick) in steps {
            let some = (!held.is_empty()).then(|| usize::from(pick) % held.len().max(1));
            match (step, some) {
                (0 | 1, _) => {
                    let job = NewJob::new("mail", "").attempts(3).at(now + Millis::from(pick % 4));
                    bring(&mut queue, &if pick % 3 == 0 { job.key("a") } else { job });
                }
                (2, _) => {
                    for job in queue.lease(now, LEASE, 2).unwrap() {
                        let live = held.iter().find(|(other, until)| other.id == job.id && *until > now);
                        assert_eq!(live, None, "leased twice");
                        assert!((1..=3).contains(&job.attempt), "attempt {} of 3", job.attempt);
                        held.push((job, now + LEASE));
                    }
                }
                (3 | 4, Some(n)) => {
                    let (job, until) = &mut held[n];
                    let acked = match step {
                        3 => complete(&mut queue, job),
                        _ => queue.fail(now, job, &Failure(String::new()), 0.0).unwrap(),
                    };
                    let (is_good, left) = (*until > now, *until - now);
                    assert_eq!(
                        acked != Acked::Lost,
                        is_good,
                        "{left} ms before the end of its lease: {acked:?}"
                    );
                    *until = now;
                }
                _ => {
                    now += Millis::from(pick) * 100;
                    queue.rescue(now).unwrap();
                }
            }
            assert!(effects(&mut queue).values().all(|n| *n == 1), "a job has had two effects");
        }
        let mut attempts: BTreeMap<i64, u32> = BTreeMap::new();
        while let Some(due) = queue.next_due().unwrap() {
            now = now.max(due);
            queue.rescue(now).unwrap();
            for job in queue.lease(now, LEASE, 100).unwrap() {
                let seen = attempts.entry(job.id.0).or_default();
                assert!(job.attempt > *seen, "attempt {} comes after attempt {seen}", job.attempt);
                *seen = job.attempt;
                assert_eq!(complete(&mut queue, &job), Acked::Done);
            }
        }
        let counts = queue.counts().unwrap();
        assert_eq!((counts.waiting, counts.executing), (0, 0));
        assert_eq!(counts.done, effects(&mut queue).len(), "done, and written");
    });
}
