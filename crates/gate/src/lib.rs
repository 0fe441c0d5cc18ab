//! The kit that the labs' gates are written with.
//!
//! **Invariant.** A gate's test has passed only if its receipt was written after its last assertion: that a process
//! ended well proves nothing, for `std::process::exit(0)` does that too.
//!
//! A test is an ordinary `#[test]` whose body is one call of this kit:
//!
//! | call | what it is for |
//! |---|---|
//! | [`check`] | plain code |
//! | [`paused`] | tokio's virtual clock on one thread: an hour passes at once, and what waits for ever is red at once |
//! | [`running`] | real threads and real time: races, processes, files |
//! | [`law`] | a property of any input, from the run's seed; the smallest counterexample is shown |
//!
//! | measure | how sure |
//! |---|---|
//! | [`alloc::here`]: allocations, bytes, peak | exact: counts of this thread |
//! | [`Tally`], [`Gauge`]: calls, messages, the deepest queue | exact |
//! | [`growth`]: how a cost grows with n | linear and quadratic never overlap, on any machine |
//! | [`paired`]: CPU time beside a reference | for limits of 2x and more; else [`Paired::Undecided`] |
//!
//! [`limit`] reads a budget from the lab's `lab.toml`, so that it stands in one place. [`Faults`] are failures by
//! plan or by seed.
//!
//! ```
//! // In a lab this is a `#[test]` of `tests/gate/laws.rs`.
//! fn sorting_twice_is_sorting_once() {
//!     gate::law(100, proptest::collection::vec(0_u8..9, 0..20), |mut v| {
//!         v.sort_unstable();
//!         let once = v.clone();
//!         v.sort_unstable();
//!         assert_eq!(v, once);
//!     });
//! }
//! sorting_twice_is_sorting_once();
//! ```

#![expect(clippy::missing_panics_doc, reason = "a red test is a panic: that is what the kit is for")]

pub mod alloc;
mod budget;
mod count;
mod faults;
mod growth;
mod law;
mod paired;
mod receipt;
mod test;

pub use budget::limit;
pub use count::{Gauge, Tally};
pub use faults::Faults;
pub use growth::growth;
pub use law::law;
pub use paired::{Paired, cpu, paired};
pub use proptest;
pub use receipt::{SEED, TICKET, seed};
pub use test::{check, paused, running, virtually};
