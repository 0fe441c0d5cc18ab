//! The budgets of `labs_jobs`.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without")]

#[path = "gate/desk.rs"]
#[expect(dead_code, reason = "the gate's other tests use the rest")]
mod desk;

use std::time::Duration;

use desk::{LEASE, complete, effects, in_memory, new};
use labs_jobs::{NewJob, Queue};

const LAB: &str = include_str!("../lab.toml");

/// Work of a job's life.
fn run_all(queue: &mut Queue) {
    loop {
        let jobs = queue.lease(0, LEASE, 100).unwrap();
        if jobs.is_empty() {
            return;
        }
        for job in jobs {
            complete(queue, &job);
        }
    }
}

/// A job that succeeds at once is written when it comes, when it is leased, and when it is done; and once for its effect.
///
/// Holes: `enqueue`, `lease`, `complete`.
#[test]
fn a_job_writes_few_rows() {
    gate::check(|| {
        let mut queue = in_memory();
        for _ in 0..200 {
            new(&mut queue, &NewJob::new("mail", ""));
        }
        run_all(&mut queue);
        assert_eq!(effects(&mut queue).len(), 200);
        let rows = queue.connection().total_changes();
        let limit = gate::limit(LAB, "rows_a_job");
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let used = rows as f64 / 200.0;
        assert!(used <= limit, "{used} rows written a job; the limit is {limit}");
    });
}

/// What a lease costs does not grow with the jobs that are done.
///
/// Holes: `lease`, `rescue`.
#[test]
fn a_lease_costs_the_same_whatever_is_done() {
    gate::check(|| {
        let mut queue = in_memory();
        let mut done = 0;
        let exponent = gate::growth(5_000, |n| {
            let some = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                        INSERT INTO jobs (kind, args, state, attempt, attempts, run_at)
                        SELECT 'mail', '', 'done', 1, 20, 0 FROM n";
            if done < n {
                queue.connection().execute(some, [i64::try_from(n - done).unwrap()]).unwrap();
                done = n;
            }
            let time = gate::cpu(|| {
                for _ in 0..20 {
                    new(&mut queue, &NewJob::new("mail", "").at(1));
                    let job = queue.lease(1, LEASE, 1).unwrap().remove(0);
                    queue.rescue(1).unwrap();
                    complete(&mut queue, &job);
                }
            });
            time.max(Duration::from_micros(1)).as_secs_f64()
        });
        let limit = gate::limit(LAB, "lease_growth");
        assert!(exponent <= limit, "the cost grows with the jobs that are done: exponent {exponent:.2}");
    });
}
