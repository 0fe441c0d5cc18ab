//! A demo: mails that fail now and then, a job that is poison, and an order that is placed twice by mistake.
//!
//! `cargo run -p labs_jobs [FILE]` prints each attempt. With a file, end it by ctrl-C in the middle and start it again: what was leased
//! is rescued, and nothing is sent twice.
#![expect(clippy::print_stdout, reason = "a demo to look at")]

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use labs_jobs::rusqlite::Result;
use labs_jobs::{Backoff, Clock, Effect, Failure, Job, Millis, NewJob, Queue, Settings, Stop, Worker, work};
use tokio::time::sleep;

struct Mailer;

impl Worker for Mailer {
    async fn run(&self, job: Job) -> std::result::Result<Effect, Failure> {
        println!("{:>3} {:<8} {:<8} attempt {}", job.id.0, job.kind, job.args, job.attempt);
        sleep(Duration::from_millis(200)).await;
        match job.kind.as_str() {
            "poison" => panic!("nobody can read this"),
            "mail" if rand::random::<f64>() < 0.4 => Err(Failure("the mail server is busy".to_owned())),
            _ => Ok(Box::new(move |db| {
                db.execute("INSERT INTO sent VALUES (?, ?)", (job.id.0, &job.args)).map(drop)
            })),
        }
    }
}

fn unix_millis() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

#[tokio::main]
async fn main() -> Result<()> {
    // The panic of the poison is caught and told as a reason; its message here would only disturb.
    std::panic::set_hook(Box::new(|_| ()));
    let backoff = Backoff { first: 500, most: 5000 };
    let mut queue = match std::env::args().nth(1) {
        Some(file) => Queue::open(Path::new(&file), backoff)?,
        None => Queue::in_memory(backoff)?,
    };
    let db = queue.connection();
    db.execute_batch("CREATE TABLE IF NOT EXISTS sent (job INTEGER PRIMARY KEY, whom TEXT NOT NULL)")?;
    for whom in ["ada", "grace", "barbara", "ada"] {
        let mail = NewJob::new("mail", whom).key(whom).attempts(8);
        println!("    to {whom}: {:?}", Queue::enqueue(db, &mail)?);
    }
    Queue::enqueue(db, &NewJob::new("poison", "???").attempts(3))?;
    Queue::enqueue(db, &NewJob::new("reminder", "later").at(unix_millis() + 1500))?;

    let queue = Arc::new(Mutex::new(queue));
    let settings = Settings { side_by_side: 3, lease: 3000, poll: 500 };
    let stop = Stop::default();
    let watched = Arc::clone(&queue);
    let idle = async {
        loop {
            sleep(Duration::from_millis(100)).await;
            let due = watched.lock().unwrap_or_else(PoisonError::into_inner).next_due()?;
            if due.is_none() {
                stop.ask();
                return Ok(());
            }
        }
    };
    let clock = Clock::from(unix_millis());
    let working = work(Arc::clone(&queue), Arc::new(Mailer), settings, clock, stop.clone());
    let (worked, watched) = tokio::join!(working, idle);
    worked.and(watched)?;
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let sent: i64 = queue.connection().query_row("SELECT count(*) FROM sent", [], |row| row.get(0))?;
    println!("{sent} sent; {:?}", queue.counts()?);
    Ok(())
}
