//! Cron entries: which instants an expression means in a time zone.
//!
//! **Invariant.** Pure: the same entry and the same two instants give the same answer on every node. The zone data is part
//! of the program, so nodes with different systems agree.
//!
//! Where clocks change, an entry at a fixed time (`30 1 * * *`) runs once a day as people expect: a time that does not
//! exist runs at the first instant after the gap, a time that comes twice runs the first time. An entry with a wildcard
//! or a step in minutes or hours (`*/15 * * * *`) follows the clock: nothing in the gap, both times in the fold.

use std::cmp::Ordering;
use std::str::FromStr as _;

use croner::errors::CronError;
use croner::{CivilDateTime, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use crate::new_job::NewJob;

/// What happens to ticks for which no node was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missed {
    /// However many were missed, the newest one is made up for.
    #[default]
    RunOnce,
    /// They are let go.
    Skip,
}

/// A job that is enqueued again and again.
#[derive(Debug, Clone)]
pub struct Cron {
    name: String,
    zone_name: String,
    expression: croner::Cron,
    zone: TimeZone,
    job: NewJob,
    missed: Missed,
}

/// An entry that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum BadCron {
    /// The expression can't be read.
    #[error("the cron entry {entry:?} has the expression {expression:?}, which can't be read: {source}")]
    Expression {
        /// Which entry.
        entry: String,
        /// What it says.
        expression: String,
        /// Why not.
        source: CronError,
    },
    /// There is no such zone.
    #[error(
        "the cron entry {entry:?} names the time zone {zone:?}, which does not exist: use a name like Europe/London, or UTC"
    )]
    Zone {
        /// Which entry.
        entry: String,
        /// What it says.
        zone: String,
    },
}

/// A tick that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    /// In milliseconds since 1970.
    pub(crate) at: i64,
    /// It makes a job; else it is only noted.
    pub(crate) runs: bool,
}

/// A tick counts as missed when it is older than this: longer than it takes until another node leads.
pub(crate) const ON_TIME: i64 = 60_000;

impl Cron {
    /// At each tick of `expression` (minute, hour, day of month, month, day of week; a sixth field in front is seconds) by
    /// the clock of `zone`, `job` is enqueued.
    ///
    /// ```
    /// use jobs::{Cron, NewJob};
    /// let job = NewJob::new("report", serde_json::json!({}));
    /// assert!(Cron::new("nightly", "15 2 * * *", "Europe/London", job.clone()).is_ok());
    /// assert!(Cron::new("nightly", "61 2 * * *", "Europe/London", job.clone()).is_err());
    /// assert!(Cron::new("nightly", "15 2 * * *", "Europe/Londn", job).is_err());
    /// ```
    pub fn new(name: impl Into<String>, expression: &str, zone: &str, job: NewJob) -> Result<Self, BadCron> {
        let entry = name.into();
        let parsed = croner::Cron::from_str(expression).map_err(|source| BadCron::Expression {
            entry: entry.clone(),
            expression: expression.to_owned(),
            source,
        })?;
        let found = jiff::tz::db().get(zone);
        let found = found.map_err(|_| BadCron::Zone { entry: entry.clone(), zone: zone.to_owned() })?;
        Ok(Self {
            name: entry,
            zone_name: zone.to_owned(),
            expression: parsed,
            zone: found,
            job,
            missed: Missed::default(),
        })
    }

    /// What happens to ticks for which no node was there; [`Missed::RunOnce`] unless told.
    #[must_use]
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }

    /// The name that it is known by in the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its expression, as it was written.
    pub fn expression(&self) -> &str {
        self.expression.as_str()
    }

    /// Its time zone's name.
    pub fn zone(&self) -> &str {
        &self.zone_name
    }

    /// The first tick after an instant, both in milliseconds since 1970; `None` where there is none in the next
    /// thousands of years.
    pub fn next(&self, after: i64) -> Option<i64> {
        let found = self.expression.find_next_occurrence(&self.local(after)?, false).ok()?;
        Some(found.0.timestamp().as_millisecond())
    }

    /// The last tick up to an instant and at it.
    pub fn last(&self, until: i64) -> Option<i64> {
        let found = self.expression.find_previous_occurrence(&self.local(until)?, true).ok()?;
        Some(found.0.timestamp().as_millisecond())
    }

    fn local(&self, unix_ms: i64) -> Option<Local> {
        let instant = Timestamp::from_millisecond(unix_ms).ok()?;
        Some(Local(instant.to_zoned_datetime(self.zone.clone())))
    }

    /// What is due at `now`, if ticks up to `last` are dealt with. Of several the newest speaks for all.
    pub(crate) fn due(&self, last: i64, now: i64) -> Option<Tick> {
        let at = self.last(now).filter(|at| *at > last)?;
        let on_time = now.saturating_sub(at) <= ON_TIME;
        Some(Tick { at, runs: on_time || self.missed == Missed::RunOnce })
    }

    /// A tick's job: it says which entry and tick it is of.
    pub(crate) fn job(&self, tick: i64) -> NewJob {
        let mut job = self.job.clone().at(tick);
        if let Some(meta) = job.meta.as_object_mut() {
            meta.insert("cron".to_owned(), self.name.as_str().into());
            meta.insert("tick".to_owned(), tick.into());
        }
        job
    }
}

/// A local time, as the parser's search wants it: it knows an older jiff alone.
#[derive(Debug, Clone)]
struct Local(ZonedDateTime);

impl CronDateTime for Local {
    fn to_civil(&self) -> CivilDateTime {
        let at = self.0.datetime();
        let part = |n: i8| u32::try_from(n).unwrap_or_default();
        CivilDateTime::from_ymd_hms_opt(
            i32::from(at.year()),
            part(at.month()),
            part(at.day()),
            part(at.hour()),
            part(at.minute()),
            part(at.second()),
        )
        .unwrap_or_else(|| unreachable!("jiff's dates are dates"))
    }

    fn civil_weekday(&self) -> Weekday {
        match self.0.weekday() {
            jiff::civil::Weekday::Sunday => Weekday::Sunday,
            jiff::civil::Weekday::Monday => Weekday::Monday,
            jiff::civil::Weekday::Tuesday => Weekday::Tuesday,
            jiff::civil::Weekday::Wednesday => Weekday::Wednesday,
            jiff::civil::Weekday::Thursday => Weekday::Thursday,
            jiff::civil::Weekday::Friday => Weekday::Friday,
            jiff::civil::Weekday::Saturday => Weekday::Saturday,
        }
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let part = |n: u32| i8::try_from(n).map_err(|_| CronError::InvalidDate);
        let at = DateTime::new(
            year,
            part(civil.month())?,
            part(civil.day())?,
            part(civil.hour())?,
            part(civil.minute())?,
            part(civil.second())?,
            0,
        )
        .map_err(|_| CronError::InvalidDate)?;
        let found = self.0.time_zone().to_ambiguous_zoned_datetime(at);
        let wrong = |_| CronError::InvalidTime;
        Ok(match found.offset() {
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
            AmbiguousOffset::Unambiguous { .. } => {
                Resolution::Single(Self(found.unambiguous().map_err(wrong)?))
            }
            AmbiguousOffset::Fold { .. } => Resolution::Ambiguous(
                Self(found.clone().earlier().map_err(wrong)?),
                Self(found.later().map_err(wrong)?),
            ),
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}
