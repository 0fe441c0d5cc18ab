//! When the shop looks after itself.
//!
//! **Invariant.** Each kind of look has one entry at most, and one job at a time, however many nodes there are. A look
//! that was missed because nobody was there is made up for once.

use jobs::{BadCron, Cron, NewJob, Unique};
use serde_json::json;

use crate::runner::WATCH_QUEUE;
use crate::watch::Look;

/// A look that fails is repeated so often; the next tick brings the next one anyway.
const ATTEMPTS: u32 = 5;

/// The times of the shop's looks. Without any, nothing is looked for.
#[derive(Debug, Clone, Default)]
pub struct Schedule(Vec<Cron>);

impl Schedule {
    /// Adds a look at each tick of a cron expression by the clock of a time zone.
    ///
    /// ```
    /// use pulse_jobs::{Look, Schedule};
    /// let schedule = Schedule::default().at(Look::Audit, "30 3 * * *", "Europe/London").unwrap();
    /// assert!(schedule.at(Look::Old, "every now and then", "UTC").is_err());
    /// ```
    pub fn at(mut self, look: Look, expression: &str, zone: &str) -> Result<Self, BadCron> {
        let job = NewJob::new(look.worker(), json!({}))
            .queue(WATCH_QUEUE)
            .max_attempts(ATTEMPTS)
            .unique(Unique::job());
        self.0.push(Cron::new(look.worker(), expression, zone, job)?);
        Ok(self)
    }

    pub(crate) fn entries(self) -> impl Iterator<Item = Cron> {
        self.0.into_iter()
    }
}
