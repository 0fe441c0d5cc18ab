//! The worker's side: what is to be sent now, and what came of it.
//!
//! **Invariant.** Each answer is noted in one transaction with what follows from it: the attempt in the log, the
//! delivery's state, the endpoint's health. An endpoint that says it is gone, or takes nothing for longer than the
//! shop's patience, is switched off there, with an audit row and a letter to the admins.

use futures::FutureExt as _;
use pulse_core::{Principal, Role, Timestamp};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::endpoint::{fail_pending, host, subject};
use super::{DeliveryId, EndpointId, SigningSecret, WebhookError, Webhooks, millis, system};
use crate::mail::{self, Letter};
use crate::{DbError, Sql as _, Tx, accounts, audit};

/// What a job is to do about its delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Send this.
    Send(Box<Outbound>),
    /// It was taken already.
    Delivered,
    /// It is gone, given up, or its endpoint is switched off.
    Over,
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// To this endpoint.
    pub endpoint: EndpointId,
    /// At this address.
    pub url: String,
    /// The message's id: the same at each attempt.
    pub event_id: String,
    /// Its body.
    pub payload: String,
    /// What signs it: the newest first, then the one before where that still counts.
    pub secrets: Vec<SigningSecret>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status; `None` where there was no answer.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The beginning of the answer, or why there was none; cut to 500 characters.
    pub note: String,
    /// Whether a failure now is the job's last.
    pub last: bool,
}

impl Answer {
    /// Whether the message was taken.
    pub const fn is_taken(&self) -> bool {
        matches!(self.status, Some(200..=299))
    }

    /// Whether the endpoint says that it is no more.
    pub const fn is_gone(&self) -> bool {
        matches!(self.status, Some(410))
    }
}

/// What follows from an [`Answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It was taken.
    Delivered,
    /// It is to be tried again.
    Again,
    /// It was the last attempt.
    Failed,
    /// Its endpoint was switched off.
    SwitchedOff,
    /// The delivery is gone.
    Gone,
}

impl Webhooks {
    /// What is to be done about a delivery. For the shop's own jobs alone.
    pub async fn due(&self, who: &Principal, id: DeliveryId) -> Result<Due, WebhookError> {
        const SQL: &str = "SELECT d.state, d.event_id, d.payload, e.id, e.url, e.secret, e.old_secret, e.old_until, \
                           e.enabled FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id \
                           WHERE d.id = $1";
        system(who)?;
        let Some(row) = self.repo.reader().row(SQL, vec![id.0.into()]).await? else { return Ok(Due::Over) };
        let (state, enabled): (String, bool) = (row.try_get_by_index(0)?, row.try_get_by_index(8)?);
        match (state.as_str(), enabled) {
            ("delivered", _) => return Ok(Due::Delivered),
            ("pending", true) => {}
            _ => return Ok(Due::Over),
        }
        let now = self.clock.now().0;
        let before = row.try_get_by_index::<Option<String>>(6)?;
        let until = row.try_get_by_index::<Option<i64>>(7)?.unwrap_or(i64::MIN);
        let secrets = std::iter::once(row.try_get_by_index(5)?).chain(before.filter(|_| now < until));
        Ok(Due::Send(Box::new(Outbound {
            endpoint: EndpointId(row.try_get_by_index(3)?),
            url: row.try_get_by_index(4)?,
            event_id: row.try_get_by_index(1)?,
            payload: row.try_get_by_index(2)?,
            secrets: secrets.map(SigningSecret::stored).collect(),
        })))
    }

    /// Notes what came of an attempt, with everything that follows. For the shop's own jobs alone.
    pub async fn noted(
        &self,
        who: &Principal,
        id: DeliveryId,
        endpoint: EndpointId,
        answer: Answer,
    ) -> Result<Noted, WebhookError> {
        system(who)?;
        let now = self.clock.now();
        let since = Timestamp(now.0.saturating_sub(millis(self.patience)));
        let input = (who.clone(), id, endpoint, answer, now, since);
        self.repo
            .write_with(input, |tx, (who, id, endpoint, answer, now, since)| {
                note(tx, who, *id, *endpoint, answer, *now, *since).boxed()
            })
            .await
    }
}

async fn note(
    tx: &Tx,
    who: &Principal,
    id: DeliveryId,
    endpoint: EndpointId,
    answer: &Answer,
    now: Timestamp,
    since: Timestamp,
) -> Result<Noted, WebhookError> {
    const COUNT: &str = "UPDATE webhook_deliveries SET attempts = attempts + 1 WHERE id = $1 \
                         RETURNING attempts";
    const LOG: &str = "INSERT INTO webhook_attempts (delivery_id, attempt, at, status, millis, note) \
                       VALUES ($1, $2, $3, $4, $5, $6)";
    // The endpoint's row first, like everybody who takes both: nobody waits in a circle.
    let health = if answer.is_taken() {
        // Most often it is well already, and nothing is written.
        let well =
            "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL";
        tx.exec(well, vec![endpoint.0.into()]).await?;
        None
    } else {
        let ill = "UPDATE webhook_endpoints SET failing_since = COALESCE(failing_since, $2) WHERE id = $1 \
                   RETURNING failing_since, enabled, url";
        tx.row(ill, vec![endpoint.0.into(), now.0.into()]).await?
    };
    let Some(row) = tx.row(COUNT, vec![id.0.into()]).await? else { return Ok(Noted::Gone) };
    let values = vec![
        id.0.into(),
        row.try_get_by_index::<i64>(0)?.into(),
        now.0.into(),
        answer.status.map(i64::from).into(),
        i64::try_from(answer.millis).unwrap_or(i64::MAX).into(),
        answer.note.chars().filter(|c| *c != '\0').take(500).collect::<String>().into(),
    ];
    tx.exec(LOG, values).await?;
    if answer.is_taken() {
        end(tx, id, "delivered", now).await?;
        return Ok(Noted::Delivered);
    }
    if let Some(row) = health
        && row.try_get_by_index(1)?
        && let Some(reason) = why_off(answer, row.try_get_by_index(0)?, since)
    {
        switch_off(tx, who, endpoint, &host(&row.try_get_by_index::<String>(2)?), reason, now).await?;
        return Ok(Noted::SwitchedOff);
    }
    if answer.last {
        end(tx, id, "failed", now).await?;
        return Ok(Noted::Failed);
    }
    Ok(Noted::Again)
}

/// Why an endpoint is switched off after this answer, if it is.
fn why_off(answer: &Answer, failing_since: i64, since: Timestamp) -> Option<&'static str> {
    if answer.is_gone() {
        Some("it answered 410 Gone")
    } else if failing_since < since.0 {
        Some("it has taken nothing for too long")
    } else {
        None
    }
}

async fn end(tx: &impl ConnectionTrait, id: DeliveryId, state: &str, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE webhook_deliveries SET state = $2, ended_at = $3 WHERE id = $1";
    tx.exec(sql, vec![id.0.into(), state.into(), now.0.into()]).await.map(drop)
}

async fn switch_off(
    tx: &Tx,
    who: &Principal,
    id: EndpointId,
    host: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), WebhookError> {
    let sql =
        "UPDATE webhook_endpoints SET enabled = FALSE, disabled_reason = $2, updated_at = $3 WHERE id = $1";
    tx.exec(sql, vec![id.0.into(), reason.into(), now.0.into()]).await?;
    fail_pending(tx, id, now).await?;
    audit::record(tx, who, "webhook.switch_off", &subject(id), json!({ "host": host, "reason": reason }))
        .await?;
    for (admin, to) in accounts::staff(tx, Role::Admin).await? {
        let key = format!("webhook-off:{id}:{}:{admin}", now.0);
        let letter = Letter {
            to,
            subject: format!("Webhook endpoint {id} was switched off"),
            body: format!(
                "The shop no longer sends events to webhook endpoint {id} at {host}: {reason}.\n\n\
                 What was not delivered is kept. Put the endpoint right, switch it on again, and have the failed \
                 deliveries sent once more.\n"
            ),
            unsubscribe: None,
        };
        mail::enqueue(tx, &key, &letter).await?;
    }
    Ok(())
}
