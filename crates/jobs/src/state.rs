//! Where a job stands: the seven states.
//!
//! **Invariant.** A name that is stored belongs to exactly one state, and each state has one.

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Waits for its time.
    Scheduled,
    /// May be taken now.
    Available,
    /// Taken by a node under a lease.
    Executing,
    /// Failed; waits for its next attempt.
    Retryable,
    /// Ended well.
    Completed,
    /// Failed for the last time.
    Discarded,
    /// Given up by its worker or by a person.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::Available,
        Self::Executing,
        Self::Retryable,
        Self::Completed,
        Self::Discarded,
        Self::Cancelled,
    ];

    /// The states of a job that has not ended.
    pub const LIVE: [Self; 4] = [Self::Scheduled, Self::Available, Self::Executing, Self::Retryable];

    /// The name that is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Available => "available",
            Self::Executing => "executing",
            Self::Retryable => "retryable",
            Self::Completed => "completed",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
