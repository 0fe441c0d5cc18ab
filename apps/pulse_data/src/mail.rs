//! Letters that a context wants sent: enqueued with what they tell of.
//!
//! **Invariant.** A letter goes out exactly if its transaction commits; its key becomes the message's id, so a repeated
//! sending is the same letter.

use jobs::NewJob;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::DbError;

/// The worker that sends letters; its arguments are an [`Outgoing`].
pub const MAIL_WORKER: &str = "mail.send";
/// The queue that carries them.
pub const MAIL_QUEUE: &str = "mail";

/// A letter in plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Address of the receiver.
    pub to: String,
    /// Subject line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Where the receiver says that they want no more letters of this kind; none for letters that somebody waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
}

/// The arguments of a mail job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Names this sending.
    pub key: String,
    /// What is sent.
    pub letter: Letter,
}

/// Enqueues a letter in the caller's transaction. One of the same key that still waits is not doubled.
pub async fn enqueue(tx: &impl ConnectionTrait, key: &str, letter: &Letter) -> Result<(), DbError> {
    let args = json!({ "key": key, "letter": letter });
    let job = NewJob::new(MAIL_WORKER, args).queue(MAIL_QUEUE).unique(format!("mail:{key}"));
    jobs::enqueue(tx, &job).await?;
    Ok(())
}
