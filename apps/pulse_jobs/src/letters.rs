//! Sending letters: the worker of `mail.send`.
//!
//! **Invariant.** A letter's key goes with it to the mailer, so a repeated sending is the same letter.

use std::sync::Arc;

use futures::future::BoxFuture;
use jobs::{Job, Outcome, Worker};
use pulse_core::ports::{Mail, Mailer};
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
            let Outgoing { key, letter } = match job.args() {
                Ok(outgoing) => outgoing,
                Err(error) => return Outcome::cancel(error),
            };
            let mail = Mail { key, to: letter.to, subject: letter.subject, body: letter.body };
            match self.mailer.send(mail).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::retry(error),
            }
        })
    }
}
