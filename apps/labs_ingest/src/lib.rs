//! Lab M7: a pipeline that takes no more than it can carry, works in batches, and acknowledges what is done.
//!
//! **Invariant.** Every message that was taken is settled exactly once: as done, after it was written, or as failed,
//! after it was buried with its reason. What a crash leaves unsettled is still the source's.
//!
//! | module | what it is |
//! |---|---|
//! | [`parts`] | the ends that you plug in: a source, the steps, dead letters |
//! | [`demand`] | pure: how much to ask for |
//! | [`batcher`] | pure: which messages are written together, and when |
//! | [`pipeline`] | the shell: one loop that owns all state; work runs in tasks beside it |
//! | [`stop`] | how to ask a pipeline to drain |

pub mod batcher;
pub mod demand;
pub mod parts;
pub mod pipeline;
pub mod stop;

pub use parts::{DeadLetters, Failure, Message, MessageId, Settled, Source, Steps};
pub use pipeline::{Settings, Totals, run};
pub use stop::Stop;
