//! What the stages of one pipeline share, and what a pipeline can't be built with.
//!
//! **Invariant.** Set before the start and never changed; what changes while it runs is a counter, the rate or the
//! stop sign.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::batcher::Batcher;
use crate::catch::caught_now;
use crate::event::Event;
use crate::rate::Limiter;
use crate::stats::Counters;

pub(crate) type Hook = Arc<dyn Fn(&Event<'_>) + Send + Sync>;
pub(crate) type PartitionBy<T> = Arc<dyn Fn(&T) -> u64 + Send + Sync>;

/// Known to every task, whatever its messages carry.
pub(crate) struct Shared {
    pub(crate) name: &'static str,
    pub(crate) counters: Counters,
    pub(crate) limiter: Limiter,
    /// Cancelled: producers end, and everything behind them when it has handled what it holds.
    pub(crate) stop: CancellationToken,
    pub(crate) hook: Option<Hook>,
}

impl Shared {
    /// Tells the telemetry hook. A hook that panics harms nobody.
    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(hook) = &self.hook {
            let event = event();
            if caught_now(|| hook(&event)).is_err() {
                tracing::warn!(pipeline = self.name, "the telemetry hook panicked");
            }
        }
    }
}

/// Known to every task behind the producers.
pub(crate) struct Core<H: crate::Handler> {
    pub(crate) handler: H,
    pub(crate) shared: Arc<Shared>,
    pub(crate) batchers: Vec<Batcher<H::In, H::Out>>,
}

/// A pipeline can't be built like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Something that has to be at least one is zero.
    #[error("pipeline {pipeline}: {what} is 0; give it at least 1")]
    Zero {
        /// The pipeline's name.
        pipeline: &'static str,
        /// Which setting.
        what: &'static str,
    },
    /// The demand's lower mark is not below its upper one.
    #[error("pipeline {pipeline}: the demand's lower mark {min} has to be below the upper one {max}")]
    Demand {
        /// The pipeline's name.
        pipeline: &'static str,
        /// The upper mark.
        max: usize,
        /// The lower mark.
        min: usize,
    },
    /// Two batchers have the same name.
    #[error("pipeline {pipeline}: there are two batchers named {batcher}; rename one")]
    DuplicateBatcher {
        /// The pipeline's name.
        pipeline: &'static str,
        /// The name that is there twice.
        batcher: &'static str,
    },
}
