//! The shop's background jobs: money and mail, the effects outside its database.
//!
//! **Invariant.** An effect outside is a job, enqueued in the transaction that wants it, and carries a key that is the
//! same at each attempt; so a crash between the effect and its note costs a repetition and never a second effect.
//!
//! | job | enqueued by | does |
//! |---|---|---|
//! | `payment.capture` | a checkout by card | asks the gateway; the order is paid, or given up with its stock back; see [`MovePayment`] for a gateway that is silent |
//! | `payment.refund` | a return, a cancelled paid order | asks the gateway to give money back |
//! | `mail.send` | an order that was paid or given up | hands a letter to the [`Mailer`](pulse_core::ports::Mailer) |
//! | `account.send_reset` | a password reset | draws its token and hands it over in a letter |
//!
//! [`Runner`] runs them on [`jobs`]; [`SimulatedGateway`] and [`FileMailer`] are the adapters that need no third party.

mod desk;
mod eml;
mod file_mailer;
mod gateway;
mod ledger;
mod letters;
mod payments;
mod runner;

pub use desk::WakingDesk;
pub use file_mailer::FileMailer;
pub use gateway::{Behaviour, FaultRates, SimulatedGateway};
pub use ledger::{Entry, LedgerError, Movement};
pub use letters::{SendMail, SendReset};
pub use payments::{CAPTURES, MovePayment};
pub use runner::{Runner, RunnerOptions};
