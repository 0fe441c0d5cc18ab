//! Sending letters: the workers of `mail.send`, `account.send_reset` and `cart.remind`.
//!
//! **Invariant.** A letter's key goes with it to the mailer, so a repeated sending is the same letter. A secret is drawn
//! for its letter and handed over with it; no job carries one. What is refused for good is not sent again, what is not
//! taken now is.

use std::sync::Arc;

use futures::future::BoxFuture;
use jobs::{Job, Outcome, Worker};
use pulse_core::Principal;
use pulse_core::ports::{Mail, MailError, Mailer};
use pulse_data::accounts::{AccountError, Accounts, RESET_WORKER, ResetRequest};
use pulse_data::mail::{Letter, MAIL_WORKER, Outgoing};
use pulse_data::reminders::{REMIND_WORKER, Reminder, ReminderError, Reminders};

use crate::stats::{EffectStats, add};

/// In whose name letters are written.
const MAIL: Principal = Principal::System("mail");

/// A mailer whose answers are counted.
#[derive(Clone)]
pub(crate) struct Post {
    mailer: Arc<dyn Mailer>,
    stats: Arc<EffectStats>,
}

impl Post {
    pub(crate) fn new(mailer: Arc<dyn Mailer>, stats: Arc<EffectStats>) -> Self {
        Self { mailer, stats }
    }

    async fn send(&self, Outgoing { key, letter }: Outgoing) -> Outcome {
        let Letter { to, subject, body, unsubscribe } = letter;
        let (counter, outcome) = match self.mailer.send(Mail { key, to, subject, body, unsubscribe }).await {
            Ok(()) => (&self.stats.mails_sent, Outcome::Done),
            Err(error @ MailError::Later(_)) => (&self.stats.mails_later, Outcome::retry(error)),
            Err(error @ MailError::Never(_)) => (&self.stats.mails_refused, Outcome::cancel(error)),
        };
        add(counter, 1);
        outcome
    }
}

/// Hands letters over to a mailer.
pub(crate) struct SendMail(pub(crate) Post);

impl Worker for SendMail {
    fn name(&self) -> &'static str {
        MAIL_WORKER
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            match job.args() {
                Ok(outgoing) => self.0.send(outgoing).await,
                Err(error) => Outcome::cancel(error),
            }
        })
    }
}

/// Draws the token of a reset that was asked for and hands its letter over.
pub(crate) struct SendReset {
    pub(crate) accounts: Accounts,
    pub(crate) post: Post,
}

impl SendReset {
    async fn work(&self, job: &Job) -> Outcome {
        let request: ResetRequest = match job.args() {
            Ok(request) => request,
            Err(error) => return Outcome::cancel(error),
        };
        match self.accounts.reset_letter(&MAIL, &request).await {
            Ok(Some(outgoing)) => self.post.send(outgoing).await,
            Ok(None) => Outcome::cancel("the request is over"),
            Err(AccountError::Db(error)) => Outcome::retry(error),
            Err(error) => Outcome::cancel(error),
        }
    }
}

impl Worker for SendReset {
    fn name(&self) -> &'static str {
        RESET_WORKER
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.work(&job).await })
    }
}

/// Writes the reminder of a cart and hands it over.
pub(crate) struct Remind {
    pub(crate) reminders: Reminders,
    pub(crate) post: Post,
}

impl Remind {
    async fn work(&self, job: &Job) -> Outcome {
        let reminder: Reminder = match job.args() {
            Ok(reminder) => reminder,
            Err(error) => return Outcome::cancel(error),
        };
        match self.reminders.letter(&MAIL, reminder).await {
            Ok(Some(outgoing)) => self.post.send(outgoing).await,
            Ok(None) => Outcome::cancel("the cart is no longer as it was left"),
            Err(ReminderError::Db(error)) => Outcome::retry(error),
            Err(error) => Outcome::cancel(error),
        }
    }
}

impl Worker for Remind {
    fn name(&self) -> &'static str {
        REMIND_WORKER
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.work(&job).await })
    }
}
