//! Sending letters: the workers of `mail.send` and `account.send_reset`.
//!
//! **Invariant.** A letter's key goes with it to the mailer, so a repeated sending is the same letter. A secret is drawn
//! for its letter and handed over with it; no job carries one.

use std::sync::Arc;

use futures::future::BoxFuture;
use jobs::{Job, Outcome, Worker};
use pulse_core::Principal;
use pulse_core::ports::{Mail, Mailer};
use pulse_data::accounts::{AccountError, Accounts, RESET_WORKER, ResetRequest};
use pulse_data::mail::{MAIL_WORKER, Outgoing};

/// Hands letters over to a mailer.
pub struct SendMail {
    mailer: Arc<dyn Mailer>,
}

impl SendMail {
    /// The worker over this mailer.
    pub fn new(mailer: Arc<dyn Mailer>) -> Self {
        Self { mailer }
    }
}

impl Worker for SendMail {
    fn name(&self) -> &'static str {
        MAIL_WORKER
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            match job.args() {
                Ok(outgoing) => send(&*self.mailer, outgoing).await,
                Err(error) => Outcome::cancel(error),
            }
        })
    }
}

/// Draws the token of a reset that was asked for and hands its letter over.
pub struct SendReset {
    accounts: Accounts,
    mailer: Arc<dyn Mailer>,
}

impl SendReset {
    /// The worker over these accounts and this mailer.
    pub fn new(accounts: Accounts, mailer: Arc<dyn Mailer>) -> Self {
        Self { accounts, mailer }
    }

    async fn work(&self, job: &Job) -> Outcome {
        let request: ResetRequest = match job.args() {
            Ok(request) => request,
            Err(error) => return Outcome::cancel(error),
        };
        match self.accounts.reset_letter(&Principal::System("mail"), &request).await {
            Ok(Some(outgoing)) => send(&*self.mailer, outgoing).await,
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

async fn send(mailer: &dyn Mailer, Outgoing { key, letter }: Outgoing) -> Outcome {
    let mail = Mail { key, to: letter.to, subject: letter.subject, body: letter.body };
    match mailer.send(mail).await {
        Ok(()) => Outcome::Done,
        Err(error) => Outcome::retry(error),
    }
}
