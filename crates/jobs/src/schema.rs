//! The tables, as SQL text for both databases, in steps.
//!
//! **Invariant.** A step that was released never changes; what comes later is a step of its own. Each step's `down`
//! leaves what was before its `up`; each constraint and index has a name. The caller's migrations run these texts:
//! this crate never creates a table by itself.

mod first;
mod queues;

use sea_orm::DbBackend;

/// One step of the tables' history.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The statements that make it, to be run as one text (`execute_unprepared`).
    pub up: fn(DbBackend) -> String,
    /// The statements that take it back.
    pub down: fn(DbBackend) -> String,
}

/// The table of jobs.
pub const JOBS: Step = Step { up: first::up, down: first::down };

/// Stored queues, cron entries, the leader's row, uniqueness by period and states.
pub const QUEUES: Step = Step { up: queues::up, down: queues::down };

/// Every step, oldest first.
pub const STEPS: [Step; 2] = [JOBS, QUEUES];

/// All steps as one text, for a new database.
pub fn up(backend: DbBackend) -> String {
    STEPS.map(|step| (step.up)(backend)).join("\n")
}

/// Takes everything back.
pub fn down(backend: DbBackend) -> String {
    let mut texts = STEPS.map(|step| (step.down)(backend));
    texts.reverse();
    texts.join("\n")
}
