//! The summaries: each takes values one at a time, in constant memory, and merges with its like.
//!
//! **Invariant.** Merging is associative and commutative, and the empty summary changes nothing. For all but
//! [`moments`] (which round) and [`frequent`] (which states its error) the summary of two halves *equals* that of the whole.

pub(crate) mod distinct;
pub(crate) mod frequent;
pub(crate) mod moments;
pub(crate) mod quantiles;
pub(crate) mod range;
mod slots;
pub(crate) mod sum;
pub(crate) mod text;
