//! Background jobs as people look after them: what waits, runs and has failed; queues paused, resumed and scaled.
//!
//! **Invariant.** Everything needs [`Permission::ManageJobs`]; each change commits with its audit row, and the engines are
//! told after the commit. What touches many jobs at once is bounded, and says how many it was.

use std::fmt;

use futures::FutureExt as _;
use jobs::{CronRow, Filter, JobId, Page, State, Stored, Wake};
use pulse_core::access::Forbidden;
use pulse_core::{Permission, Principal};
use sea_orm::DbErr;
use serde_json::{Value, json};

use crate::{DbError, Repo, Tx, audit};

/// Jobs that one click repeats or cancels at most.
pub const MOST_AT_ONCE: usize = 1_000;

/// Pages that are looked through for them.
const PAGES: usize = 100;

/// Jobs at a time that a queue can be given on each node.
pub const WIDEST: u32 = 1_000;

/// Why something about jobs was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackgroundError {
    /// There is no such job (any more).
    #[error("there is no job {0}")]
    NotFound(JobId),
    /// It runs, or has ended in a way that leaves nothing to do.
    #[error("job {0} is not where that could be done: look at it again")]
    Unfit(JobId),
    /// A queue is as wide as it may be.
    #[error("a queue runs 1 to {WIDEST} jobs at a time")]
    Width,
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<DbErr> for BackgroundError {
    fn from(error: DbErr) -> Self {
        Self::Db(error.into())
    }
}

/// What can be done with a job that is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// Run it now, with one more attempt if it has none left.
    Retry,
    /// Never run it (again); one that runs is stopped where it awaits.
    Cancel,
}

impl Mend {
    const fn action(self) -> &'static str {
        match self {
            Self::Retry => "job.retry",
            Self::Cancel => "job.cancel",
        }
    }

    /// Whether it can be done with a job that stands there.
    pub const fn fits(self, state: State) -> bool {
        match self {
            Self::Retry => {
                matches!(state, State::Scheduled | State::Retryable | State::Discarded | State::Cancelled)
            }
            Self::Cancel => {
                matches!(state, State::Scheduled | State::Available | State::Executing | State::Retryable)
            }
        }
    }

    async fn apply(self, tx: &Tx, ids: &[JobId]) -> Result<u64, DbErr> {
        match self {
            Self::Retry => jobs::retry_many(tx, ids).await,
            Self::Cancel => jobs::cancel_many(tx, ids).await,
        }
    }
}

/// A queue as it is stored, with what is in it.
pub use jobs::queues::QueueRow;

/// How a queue is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueChange {
    /// Nothing more is taken from it, on any node.
    Pause,
    /// It is served again.
    Resume,
    /// So many jobs at a time on each node; `None`: what the program says.
    Width(Option<u32>),
}

/// The context of background jobs. Cheap to clone.
#[derive(Clone)]
pub struct Background {
    repo: Repo,
    wake: Wake,
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}

impl Background {
    /// The jobs of a database; `wake` tells the engine of this process.
    pub fn new(repo: Repo, wake: Wake) -> Self {
        Self { repo, wake }
    }

    /// All queues with what is in them. O(jobs in the table).
    pub async fn queues(&self, who: &Principal) -> Result<Vec<QueueRow>, BackgroundError> {
        who.require(Permission::ManageJobs)?;
        Ok(jobs::queues::list(self.repo.reader()).await?)
    }

    /// The schedule, by name.
    pub async fn crons(&self, who: &Principal) -> Result<Vec<CronRow>, BackgroundError> {
        who.require(Permission::ManageJobs)?;
        Ok(jobs::crons(self.repo.reader()).await?)
    }

    /// A page of jobs, newest first.
    pub async fn list(
        &self,
        who: &Principal,
        filter: &Filter,
        before: Option<JobId>,
        limit: u32,
    ) -> Result<Page, BackgroundError> {
        who.require(Permission::ManageJobs)?;
        Ok(jobs::list(self.repo.reader(), filter, before, limit).await?)
    }

    /// One job.
    pub async fn find(&self, who: &Principal, id: JobId) -> Result<Stored, BackgroundError> {
        who.require(Permission::ManageJobs)?;
        jobs::find(self.repo.reader(), id).await?.ok_or(BackgroundError::NotFound(id))
    }

    /// Repeats or cancels one job.
    pub async fn mend(&self, who: &Principal, id: JobId, mend: Mend) -> Result<(), BackgroundError> {
        who.require(Permission::ManageJobs)?;
        self.repo
            .write_with((who.clone(), id, mend), |tx, (who, id, mend)| {
                async move {
                    let job = jobs::find(tx, *id).await?.ok_or(BackgroundError::NotFound(*id))?;
                    if mend.apply(tx, &[*id]).await? == 0 {
                        return Err(BackgroundError::Unfit(*id));
                    }
                    let details =
                        json!({ "worker": job.worker, "queue": job.queue, "state": job.state.name() });
                    audit::record(tx, who, mend.action(), &format!("job:{id}"), details).await?;
                    Ok(())
                }
                .boxed()
            })
            .await?;
        self.tell();
        Ok(())
    }

    /// Repeats or cancels the newest [`MOST_AT_ONCE`] jobs of a filter with which it can be done; answers how many.
    pub async fn mend_all(
        &self,
        who: &Principal,
        filter: &Filter,
        mend: Mend,
    ) -> Result<u64, BackgroundError> {
        who.require(Permission::ManageJobs)?;
        let mended = self
            .repo
            .write_with((who.clone(), filter.clone(), mend), |tx, (who, filter, mend)| {
                async move {
                    let ids = chosen(tx, filter, *mend).await?;
                    let mended = mend.apply(tx, &ids).await?;
                    if mended > 0 {
                        let details = json!({ "jobs": mended, "filter": named(filter) });
                        audit::record(tx, who, mend.action(), "jobs", details).await?;
                    }
                    Ok::<_, BackgroundError>(mended)
                }
                .boxed()
            })
            .await?;
        self.tell();
        Ok(mended)
    }

    /// Pauses, resumes or scales a queue, on all nodes.
    pub async fn set_queue(
        &self,
        who: &Principal,
        queue: &str,
        change: QueueChange,
    ) -> Result<(), BackgroundError> {
        who.require(Permission::ManageJobs)?;
        if matches!(change, QueueChange::Width(Some(width)) if !(1..=WIDEST).contains(&width)) {
            return Err(BackgroundError::Width);
        }
        self.repo
            .write_with((who.clone(), queue.to_owned(), change), |tx, (who, queue, change)| {
                async move {
                    let (action, details) = match change {
                        QueueChange::Pause => {
                            jobs::queues::pause(tx, queue).await?;
                            ("queue.pause", json!({}))
                        }
                        QueueChange::Resume => {
                            jobs::queues::resume(tx, queue).await?;
                            ("queue.resume", json!({}))
                        }
                        QueueChange::Width(width) => {
                            jobs::queues::limit_per_node(tx, queue, *width).await?;
                            ("queue.scale", json!({ "per_node": width }))
                        }
                    };
                    audit::record(tx, who, action, &format!("queue:{queue}"), details).await?;
                    Ok::<_, BackgroundError>(())
                }
                .boxed()
            })
            .await?;
        self.tell();
        Ok(())
    }

    /// After the commit: what was changed, and what is now to be done.
    fn tell(&self) {
        self.wake.control();
        self.wake.all();
    }
}

/// The jobs of a filter with which that can be done.
async fn chosen(tx: &Tx, filter: &Filter, mend: Mend) -> Result<Vec<JobId>, DbErr> {
    let (mut ids, mut before) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = jobs::list(tx, filter, before, jobs::MAX_PAGE).await?;
        ids.extend(page.jobs.iter().filter(|job| mend.fits(job.state)).map(|job| job.id));
        before = page.next;
        if ids.len() >= MOST_AT_ONCE || before.is_none() {
            break;
        }
    }
    ids.truncate(MOST_AT_ONCE);
    Ok(ids)
}

fn named(filter: &Filter) -> Value {
    let Filter { state, queue, worker, text } = filter;
    json!({ "state": state.map(State::name), "queue": queue, "worker": worker, "text": text })
}
