//! What a queue does on a good day, and with jobs that fail.

use std::time::Duration;

use labs_jobs::{Acked, Counts, Enqueued, Failure, NewJob, Queue};

use crate::desk::{BACKOFF, Desk, LEASE, bring, complete, effects, in_memory, new, take};

/// A job exists exactly if the transaction that brought it was committed.
///
/// Hole: `enqueue`.
#[test]
fn a_job_comes_with_the_transaction_that_brought_it() {
    gate::check(|| {
        let mut queue = in_memory();
        let mail = NewJob::new("mail", "ada");
        let order = queue.connection().transaction().unwrap();
        assert!(matches!(Queue::enqueue(&order, &mail).unwrap(), Enqueued::New(_)));
        drop(order);
        assert_eq!(queue.counts().unwrap(), Counts::default(), "its order was rolled back");
        let order = queue.connection().transaction().unwrap();
        Queue::enqueue(&order, &mail).unwrap();
        order.commit().unwrap();
        assert_eq!(queue.counts().unwrap().waiting, 1);
    });
}

/// Of one kind and key at most one job waits or runs; another kind, another key, or a job that has ended does not count.
///
/// Hole: `enqueue`.
#[test]
fn a_job_is_unique_by_kind_and_key_while_it_waits_or_runs() {
    gate::check(|| {
        let mut queue = in_memory();
        let mail = NewJob::new("mail", "two cups").key("order-7");
        let first = new(&mut queue, &mail);
        new(&mut queue, &NewJob::new("mail", "two cups").key("order-8"));
        let again = NewJob::new("mail", "other words").key("order-7");
        assert_eq!(bring(&mut queue, &again), Enqueued::Duplicate(first), "the same key, while it waits");
        new(&mut queue, &NewJob::new("invoice", "two cups").key("order-7"));
        let job = take(&mut queue, 0).unwrap();
        assert_eq!(bring(&mut queue, &mail), Enqueued::Duplicate(first), "the same key, while it runs");
        complete(&mut queue, &job);
        let second = new(&mut queue, &mail);
        assert_eq!(
            bring(&mut queue, &mail),
            Enqueued::Duplicate(second),
            "the same key, after one has ended"
        );
    });
}

/// Jobs without a key are never duplicates, however alike.
///
/// Hole: `enqueue`.
#[test]
fn jobs_without_a_key_are_all_new() {
    gate::check(|| {
        let mut queue = in_memory();
        for _ in 0..3 {
            new(&mut queue, &NewJob::new("mail", "ada"));
        }
        assert_eq!(queue.counts().unwrap().waiting, 3);
    });
}

/// A job is leased once, not before its time, the oldest first.
///
/// Hole: `lease`.
#[test]
fn a_job_is_leased_once_in_its_time_the_oldest_first() {
    gate::check(|| {
        let mut queue = in_memory();
        for (args, at) in [("late", 500), ("early", 100), ("tomorrow", 9000)] {
            new(&mut queue, &NewJob::new("mail", args).at(at));
        }
        assert_eq!(queue.lease(99, LEASE, 9).unwrap(), []);
        let mut jobs = queue.lease(500, LEASE, 1).unwrap();
        jobs.extend(queue.lease(500, LEASE, 9).unwrap());
        let args: Vec<_> = jobs.iter().map(|job| job.args.as_str()).collect();
        assert_eq!(args, ["early", "late"], "the one that has waited for longest comes first");
        assert!(jobs.iter().all(|job| job.attempt == 1), "{jobs:?}");
        let second = queue.lease(500, LEASE, 9).unwrap();
        assert_eq!(second, [], "two workers have the same job");
        assert_eq!(queue.lease(9000, LEASE, 0).unwrap(), [], "none was asked for");
    });
}

/// Of several jobs that are leased at once the one that has waited for longest comes first, whenever it was brought.
///
/// Hole: `lease`.
#[test]
fn jobs_that_are_leased_together_come_the_oldest_first() {
    gate::check(|| {
        let mut queue = in_memory();
        for (args, at) in [("third", 300), ("first", 100), ("last", 400), ("second", 200)] {
            new(&mut queue, &NewJob::new("mail", args).at(at));
        }
        let jobs = queue.lease(500, LEASE, 3).unwrap();
        let args: Vec<_> = jobs.iter().map(|job| job.args.as_str()).collect();
        assert_eq!(args, ["first", "second", "third"], "three of four, the oldest first");
    });
}

/// A job that succeeded is done, with what it wrote.
///
/// Hole: `complete`.
#[test]
fn a_job_that_succeeded_is_done_with_its_effect() {
    gate::check(|| {
        let mut queue = in_memory();
        let id = new(&mut queue, &NewJob::new("mail", "ada"));
        let job = take(&mut queue, 0).unwrap();
        assert_eq!(complete(&mut queue, &job), Acked::Done);
        assert_eq!(effects(&mut queue).get(&id.0), Some(&1));
        assert_eq!(queue.counts().unwrap(), Counts { done: 1, ..Counts::default() });
        assert_eq!(queue.next_due().unwrap(), None);
        let id = new(&mut queue, &NewJob::new("mail", "grace"));
        let job = take(&mut queue, 0).unwrap();
        queue.fail(0, &job, &Failure("no".to_owned()), 0.0).unwrap();
        let job = take(&mut queue, BACKOFF.most).unwrap();
        complete(&mut queue, &job);
        assert_eq!(queue.reason(id).unwrap(), None, "it is done: nothing is wrong with it any more");
    });
}

/// A job that failed waits for its back-off, which is in its row; after its last attempt it is discarded, with the reason.
///
/// Hole: `fail`.
#[test]
fn a_job_that_failed_waits_for_its_back_off_and_is_discarded_in_the_end() {
    gate::check(|| {
        let mut queue = in_memory();
        let id = new(&mut queue, &NewJob::new("mail", "ada").attempts(3));
        let mut now = 0;
        for attempt in 1..=2 {
            let job = take(&mut queue, now).unwrap();
            let acked = queue.fail(now, &job, &Failure("no".to_owned()), 0.5).unwrap();
            let again = now + BACKOFF.delay(attempt, 0.5);
            assert_eq!(acked, Acked::Again(again));
            assert_eq!(queue.reason(id).unwrap().as_deref(), Some("no"), "why it is attempted again");
            assert_eq!(queue.next_due().unwrap(), Some(again), "when it is attempted again is in its row");
            assert_eq!(take(&mut queue, again - 1), None, "it comes back before its time");
            now = again;
        }
        let last = take(&mut queue, now).unwrap();
        assert_eq!(last.attempt, 3);
        assert_eq!(queue.fail(now, &last, &Failure("no more".to_owned()), 0.5).unwrap(), Acked::Discarded);
        assert_eq!(queue.reason(id).unwrap().as_deref(), Some("no more"));
        assert_eq!(queue.counts().unwrap(), Counts { discarded: 1, ..Counts::default() });
    });
}

/// The wait begins when the attempt has failed, however long the job was due by then.
///
/// Hole: `fail`.
#[test]
fn a_wait_begins_with_the_failure() {
    gate::check(|| {
        let mut queue = in_memory();
        new(&mut queue, &NewJob::new("mail", "ada").at(100));
        // The worker was away for long, and the attempt took its time.
        let job = take(&mut queue, 50_000).unwrap();
        let again = 53_000 + BACKOFF.delay(1, 0.5);
        let acked = queue.fail(53_000, &job, &Failure("no".to_owned()), 0.5).unwrap();
        assert_eq!(acked, Acked::Again(again), "when a job is due that has failed at 53000");
        assert_eq!(queue.next_due().unwrap(), Some(again), "and in its row");
    });
}

/// A worker does what comes, some of it side by side, and what fails again until it succeeds.
///
/// Hole: `attempt`.
#[test]
fn a_worker_does_what_comes_until_it_succeeds() {
    gate::paused(async || {
        let (desk, ids) = Desk::with(&[
            NewJob::new("slow", "a"),
            NewJob::new("slow", "b"),
            NewJob::new("recovers", "c"),
            NewJob::new("mail", "d").at(5000),
        ]);
        desk.work_for(Duration::from_mins(1)).await;
        let mut queue = desk.queue();
        assert_eq!(queue.counts().unwrap(), Counts { done: 4, ..Counts::default() });
        assert_eq!(effects(&mut queue).into_values().collect::<Vec<_>>(), [1, 1, 1, 1]);
        let at = |n: usize| desk.hand.attempts_of(ids[n]);
        assert_eq!((at(0), at(1)), (vec![0], vec![0]), "two at a time");
        assert_eq!(at(2).len(), 3, "it succeeds in the third attempt");
        assert!(at(3)[0] >= 5000, "not before its time");
    });
}

/// A panic fails its attempt at once, with its words as the reason: the job does not wait for the end of its lease.
///
/// Hole: `attempt`.
#[test]
fn a_panic_is_a_failure() {
    gate::paused(async || {
        let (desk, ids) = Desk::with(&[NewJob::new("panics", "").attempts(2), NewJob::new("mail", "")]);
        desk.work_for(Duration::from_secs(8)).await;
        let queue = desk.queue();
        let reason = queue.reason(ids[0]).unwrap();
        assert_eq!(reason.as_deref(), Some("panicked: poison"), "within the lease, after two attempts");
        assert_eq!(queue.counts().unwrap(), Counts { done: 1, discarded: 1, ..Counts::default() });
    });
}

/// A stop leases nothing more and waits for what runs.
///
/// Hole: `attempt`.
#[test]
fn a_stop_waits_for_what_runs() {
    gate::paused(async || {
        let (desk, _) =
            Desk::with(&[NewJob::new("slow", ""), NewJob::new("slow", ""), NewJob::new("mail", "")]);
        desk.work_for(Duration::from_secs(1)).await;
        assert_eq!(desk.queue().counts().unwrap(), Counts { done: 2, waiting: 1, ..Counts::default() });
    });
}
