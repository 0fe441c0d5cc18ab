//! Workers that are killed, stuck, slow, and effects that fail.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use labs_jobs::{Acked, Counts, NewJob, Queue, Rescued};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::desk::{
    BACKOFF, Desk, LEASE, bring, complete, effect, effects, in_memory, new, take, with_effects,
};

/// Where the victim finds its file; and whether it dies in the job, or in the middle of writing.
const VICTIM: &str = "LABS_JOBS_VICTIM";

/// A worker that is killed in mid-job takes nothing with it: its job is rescued, and has one effect.
///
/// Holes: `lease`, `rescue`, `complete`.
#[test]
fn a_worker_that_is_killed_in_mid_job_leaves_one_effect() {
    killed("a_worker_that_is_killed_in_mid_job_leaves_one_effect", |_| sleep_for_ever());
}

/// What was half written when the worker was killed was never written.
///
/// Hole: `complete`.
#[test]
fn a_worker_that_is_killed_while_it_writes_leaves_one_effect() {
    killed("a_worker_that_is_killed_while_it_writes_leaves_one_effect", |mut queue| {
        let job = queue.lease(0, LEASE, 1).unwrap().remove(0);
        let half = effect(job.id, "half");
        _ = queue.complete(
            &job,
            Box::new(move |db| {
                half(db)?;
                sleep_for_ever()
            }),
        );
    });
}

/// Runs the test of this name once more, as another process that does `dies`, and kills that in the middle.
fn killed(test: &str, dies: impl Fn(Queue)) {
    if let Some(path) = std::env::var_os(VICTIM) {
        let mut queue = Queue::open(Path::new(&path), BACKOFF).unwrap();
        // Two more jobs are in its hands.
        assert_eq!(queue.lease(0, LEASE, 2).unwrap().len(), 2);
        return dies(queue);
    }
    gate::running(async || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        let mut queue = with_effects(Queue::open(&path, BACKOFF).unwrap());
        for _ in 0..3 {
            new(&mut queue, &NewJob::new("mail", ""));
        }
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("faults::{test}"), "--nocapture"])
            .env(VICTIM, &path)
            .env_remove(gate::TICKET)
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(victim.stdout.take().unwrap()).lines();
        let mut is_in_the_middle = false;
        while let Some(line) = said.next_line().await.unwrap() {
            if line.contains(IN_THE_MIDDLE) {
                is_in_the_middle = true;
                break;
            }
        }
        assert!(is_in_the_middle, "the worker ended by itself");
        victim.kill().await.unwrap();
        assert_eq!(effects(&mut queue).len(), 0, "written, and never acknowledged");
        let rescued = queue.rescue(LEASE).unwrap();
        assert!(rescued.again >= 2 && rescued.discarded == 0, "{rescued:?} of at least two leased jobs");
        for job in queue.lease(LEASE, LEASE, 9).unwrap() {
            assert_eq!(complete(&mut queue, &job), Acked::Done);
        }
        assert_eq!(effects(&mut queue).into_values().collect::<Vec<_>>(), [1, 1, 1], "one effect a job");
    });
}

const IN_THE_MIDDLE: &str = "the victim is in the middle";

#[expect(clippy::print_stdout, reason = "its parent reads it")]
fn sleep_for_ever() -> ! {
    println!("\n{IN_THE_MIDDLE}");
    // Its parent kills it; if that was killed itself, nobody waits any more.
    std::thread::sleep(Duration::from_secs(20));
    std::process::exit(1);
}

/// A worker whose lease has ended writes nothing, whatever it answers: somebody else has the job.
///
/// Holes: `complete`, `fail`.
#[test]
fn a_worker_that_lost_its_lease_writes_nothing() {
    gate::check(|| {
        let mut queue = in_memory();
        new(&mut queue, &NewJob::new("mail", ""));
        let slow = take(&mut queue, 0).unwrap();
        queue.rescue(LEASE).unwrap();
        let quick = take(&mut queue, LEASE).unwrap();
        assert_eq!(quick.attempt, 2);
        assert_eq!(complete(&mut queue, &slow), Acked::Lost, "the lease had ended");
        let reason = labs_jobs::Failure("late".to_owned());
        assert_eq!(queue.fail(LEASE, &slow, &reason, 0.0).unwrap(), Acked::Lost, "the lease had ended");
        assert_eq!(complete(&mut queue, &quick), Acked::Done);
        let n = effects(&mut queue).into_values().sum::<usize>();
        assert_eq!(n, 1, "the job has had {n} effects");
    });
}

/// A lease that has not ended is not taken back.
///
/// Hole: `rescue`.
#[test]
fn a_lease_that_runs_is_left_alone() {
    gate::check(|| {
        let mut queue = in_memory();
        new(&mut queue, &NewJob::new("mail", ""));
        let job = take(&mut queue, 0).unwrap();
        assert_eq!(queue.rescue(LEASE - 1).unwrap(), Rescued::default());
        assert_eq!(complete(&mut queue, &job), Acked::Done);
        assert_eq!(queue.rescue(LEASE).unwrap(), Rescued::default());
    });
}

/// A job that kills every process that runs it is discarded after its last attempt.
///
/// Hole: `rescue`.
#[test]
fn a_job_that_kills_its_workers_is_discarded() {
    gate::check(|| {
        let mut queue = in_memory();
        let id = new(&mut queue, &NewJob::new("poison", "").attempts(3));
        for attempt in 1..=3 {
            let now = LEASE * Into::<i64>::into(attempt);
            assert_eq!(take(&mut queue, now).unwrap().attempt, attempt);
            let rescued = queue.rescue(now + LEASE).unwrap();
            let last = Rescued { again: usize::from(attempt < 3), discarded: usize::from(attempt == 3) };
            assert_eq!(rescued, last, "after attempt {attempt} of 3");
        }
        assert_eq!(queue.counts().unwrap(), Counts { discarded: 1, ..Counts::default() });
        assert_eq!(queue.reason(id).unwrap().as_deref(), Some("its worker did not come back"));
    });
}

/// An effect that fails leaves nothing behind, and its job is not done.
///
/// Hole: `complete`.
#[test]
fn an_effect_that_fails_leaves_nothing() {
    gate::check(|| {
        let mut queue = in_memory();
        new(&mut queue, &NewJob::new("mail", ""));
        let job = take(&mut queue, 0).unwrap();
        let (first, second) = (effect(job.id, "first"), effect(job.id, "refused"));
        let both = queue.complete(&job, Box::new(move |db| first(db).and_then(|()| second(db))));
        assert!(both.is_err(), "{both:?}");
        assert_eq!(effects(&mut queue).len(), 0, "half of an effect");
        assert_eq!(queue.counts().unwrap().executing, 1, "its lease goes on: it may fail, or be rescued");
        assert_eq!(complete(&mut queue, &job), Acked::Done);
    });
}

/// A job whose effect is refused fails like any other, and does not end its worker.
///
/// Hole: `attempt`.
#[test]
fn an_effect_that_is_refused_fails_the_attempt() {
    gate::paused(async || {
        let (desk, ids) =
            Desk::with(&[NewJob::new("mail", "refused").attempts(1), NewJob::new("mail", "fine").at(5000)]);
        desk.work_for(Duration::from_secs(8)).await;
        let queue = desk.queue();
        assert_eq!(queue.counts().unwrap(), Counts { done: 1, discarded: 1, ..Counts::default() });
        let reason = queue.reason(ids[0]).unwrap().unwrap_or_default();
        assert!(reason.contains("refused"), "the reason: {reason}");
    });
}

/// An attempt that takes longer than its lease is ended, and its hand is free for others.
///
/// Hole: `attempt`.
#[test]
fn an_attempt_that_is_stuck_is_ended_with_its_lease() {
    gate::paused(async || {
        let stuck = NewJob::new("stuck", "").attempts(1);
        let (desk, ids) = Desk::with(&[stuck.clone(), stuck, NewJob::new("mail", "")]);
        desk.work_for(Duration::from_mins(1)).await;
        assert_eq!(desk.queue().counts().unwrap(), Counts { done: 1, discarded: 2, ..Counts::default() });
        assert_eq!(desk.hand.attempts_of(ids[2]).len(), 1);
        assert_eq!(desk.hand.under_way.now(), 0, "attempts go on behind the worker's back");
    });
}

/// Who has failed waits from then on, and not from when the attempt began.
///
/// Hole: `attempt`.
#[test]
fn an_attempt_that_was_stuck_waits_before_the_next_one() {
    gate::paused(async || {
        let (desk, ids) = Desk::with(&[NewJob::new("stuck", "").attempts(2)]);
        desk.work_for(Duration::from_secs(15)).await;
        let at = desk.hand.attempts_of(ids[0]);
        assert_eq!(at.len(), 2, "attempts at {at:?}");
        let waited = at[1] - at[0] - LEASE;
        assert!((500..=1010).contains(&waited), "it has waited {waited} ms since it was ended");
    });
}

/// Each wait is drawn anew: jobs that fail together come back apart.
///
/// Hole: `attempt`.
#[test]
fn a_worker_draws_each_wait() {
    gate::paused(async || {
        let failing = NewJob::new("fails", "").attempts(5);
        let (desk, ids) = Desk::with(&vec![failing; 6]);
        desk.work_for(Duration::from_secs(5)).await;
        let waits: BTreeSet<_> =
            ids.iter().map(|id| desk.hand.attempts_of(*id)).map(|at| at[1] - at[0]).collect();
        assert!(waits.len() > 1, "six jobs that failed together all wait {waits:?} ms");
        assert!(waits.iter().all(|wait| (500..=1010).contains(wait)), "the first waits: {waits:?} ms");
    });
}

/// Two who bring the same key at the same moment bring one job.
///
/// Hole: `enqueue`.
#[test]
fn two_processes_that_bring_one_key_bring_one_job() {
    gate::running(async || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        with_effects(Queue::open(&path, BACKOFF).unwrap());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || {
                    let mut queue = Queue::open(&path, BACKOFF).unwrap();
                    for n in 0..25 {
                        bring(&mut queue, &NewJob::new("mail", "").key(&format!("order-{n}")));
                    }
                })
            })
            .collect();
        for thread in threads {
            assert!(thread.join().is_ok(), "a duplicate is no error");
        }
        let waiting = Queue::open(&path, BACKOFF).unwrap().counts().unwrap().waiting;
        assert_eq!(waiting, 25, "four times 25 keys");
    });
}

/// Workers that ask at the same moment never get the same job.
///
/// Hole: `lease`.
#[test]
fn workers_that_ask_together_share_the_jobs() {
    gate::running(async || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        let mut queue = with_effects(Queue::open(&path, BACKOFF).unwrap());
        for _ in 0..400 {
            new(&mut queue, &NewJob::new("mail", ""));
        }
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || {
                    let mut queue = Queue::open(&path, BACKOFF).unwrap();
                    let mut mine = Vec::new();
                    loop {
                        let jobs = queue.lease(0, LEASE, 2).unwrap();
                        if jobs.is_empty() {
                            return mine;
                        }
                        mine.extend(jobs.into_iter().map(|job| job.id));
                    }
                })
            })
            .collect();
        let mut leased: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        leased.sort_unstable();
        let twice = leased.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert_eq!(twice, 0, "{twice} of 400 jobs were leased twice");
        assert_eq!(leased.len(), 400);
    });
}
