//! The shop's side effects: money, mail, messages to other programs, and what it looks after by itself.
//!
//! **Invariant.** An effect outside is a job, enqueued in the transaction that wants it, and carries a key that is the
//! same at each attempt; so a crash between the effect and its note costs a repetition and never a second effect.
//!
//! | job | enqueued by | does |
//! |---|---|---|
//! | `payment.capture` | a checkout by card | asks the gateway; the order is paid, or given up with its stock back; see [`MovePayment`] for a gateway that is silent |
//! | `payment.refund` | a return, a cancelled paid order | asks the gateway to give money back |
//! | `payment.call_off` | `watch.payments`, of an order that has waited too long | has the gateway call its payment off, whose answer decides |
//! | `mail.send` | an order that was paid, shipped or given up; an alarm | hands a letter to the [`Mailer`](pulse_core::ports::Mailer) |
//! | `account.send_reset` | a password reset | draws its token and hands it over in a letter |
//! | `cart.remind` | `watch.carts`, of a cart that was left | writes the reminder, if it still makes sense, and hands it over |
//! | `webhook.deliver` | whatever an endpoint wants to be told of | sends a signed message; see [`Deliver`] |
//! | `watch.…` | the schedule | looks for something; see [`Look`] |
//!
//! [`Runner`] runs them on [`jobs`]; [`SimulatedGateway`] and [`FileMailer`] are the adapters that need no third party,
//! [`SmtpMailer`] the one that speaks with a mail server.

mod desk;
mod eml;
mod file_mailer;
mod gateway;
mod ledger;
mod letters;
mod payments;
mod runner;
mod schedule;
mod smtp;
mod stats;
mod watch;
mod webhooks;

pub use desk::WakingDesk;
pub use file_mailer::FileMailer;
pub use gateway::{Behaviour, FaultRates, SimulatedGateway};
pub use ledger::{Entry, LedgerError, Movement};
pub use payments::{CAPTURES, CallOffPayment, MovePayment, NotePayment};
pub use runner::{Runner, RunnerOptions, Surroundings, WATCH_QUEUE};
pub use schedule::Schedule;
pub use smtp::{SmtpError, SmtpMailer, SmtpOptions, SmtpTls};
pub use stats::{EffectSnapshot, EffectStats};
pub use watch::{LOOK, Look, WatchOptions};
pub use webhooks::{
    ClientOptions, Deliver, LONGEST_ASKED, Reach, Signed, WEBHOOK_BACKOFF, asked_pause, sign,
};
