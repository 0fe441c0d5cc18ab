//! Who is told: an address, the kinds of events, and the secrets that sign.
//!
//! **Invariant.** Needs [`Permission::ManageWebhooks`]; each change has its audit row, which names the host and never
//! the whole address (its path may be a secret). An endpoint has one secret, or two while it changes from one to the
//! other. What still waits for an endpoint that is switched off has failed, and can be sent again later.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use futures::FutureExt as _;
use pulse_core::{Permission, Principal, Timestamp};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::event::{Event, EventKind, enqueue};
use super::{DeliveryId, SigningSecret, WebhookError, Webhooks};
use crate::changeset::{FieldError, FieldErrors};
use crate::{DbError, Sql as _, Tx, audit};

/// Endpoints at most: each is looked at for each event.
pub const MOST_ENDPOINTS: i64 = 50;

/// Which endpoint; the database counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndpointId(pub i64);

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An endpoint to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// `http` or `https`, with a host, without user and fragment; at most 2,000 characters.
    pub url: String,
    /// What it is told of; at least one.
    pub events: BTreeSet<EventKind>,
    /// For people; at most 200 characters.
    pub description: String,
}

/// What is to change of an endpoint; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointChange {
    /// Its address.
    pub url: Option<String>,
    /// What it is told of.
    pub events: Option<BTreeSet<EventKind>>,
    /// For people.
    pub description: Option<String>,
    /// Whether it is told at all.
    pub enabled: Option<bool>,
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its number.
    pub id: EndpointId,
    /// Its address.
    pub url: String,
    /// What it is told of.
    pub events: BTreeSet<EventKind>,
    /// For people.
    pub description: String,
    /// Whether it is told at all.
    pub enabled: bool,
    /// Until when the secret before signs too.
    pub old_secret_until: Option<Timestamp>,
    /// Since when it takes nothing; `None` while things are well.
    pub failing_since: Option<Timestamp>,
    /// Why the shop has switched it off by itself.
    pub disabled_reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

pub(super) const COLUMNS: &str =
    "id, url, events, description, enabled, old_until, failing_since, disabled_reason, created_at";

pub(super) fn read(row: &QueryResult) -> Result<Endpoint, DbError> {
    let events: String = row.try_get_by_index(2)?;
    Ok(Endpoint {
        id: EndpointId(row.try_get_by_index(0)?),
        url: row.try_get_by_index(1)?,
        events: serde_json::from_str(&events)
            .map_err(|error| DbError::Corrupt(format!("a webhook endpoint's events: {error}")))?,
        description: row.try_get_by_index(3)?,
        enabled: row.try_get_by_index(4)?,
        old_secret_until: row.try_get_by_index::<Option<i64>>(5)?.map(Timestamp),
        failing_since: row.try_get_by_index::<Option<i64>>(6)?.map(Timestamp),
        disabled_reason: row.try_get_by_index(7)?,
        created_at: Timestamp(row.try_get_by_index(8)?),
    })
}

impl Webhooks {
    /// All endpoints, by number. Needs [`Permission::ManageWebhooks`].
    pub async fn list(&self, who: &Principal) -> Result<Vec<Endpoint>, WebhookError> {
        who.require(Permission::ManageWebhooks)?;
        let sql = format!("SELECT {COLUMNS} FROM webhook_endpoints ORDER BY id LIMIT {MOST_ENDPOINTS}");
        let rows = self.repo.reader().rows(&sql, vec![]).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// One endpoint. Needs [`Permission::ManageWebhooks`].
    pub async fn get(&self, who: &Principal, id: EndpointId) -> Result<Endpoint, WebhookError> {
        who.require(Permission::ManageWebhooks)?;
        find(self.repo.reader(), id).await?.ok_or(WebhookError::NotFound(id))
    }

    /// Makes an endpoint and its secret, which is told here and never again. Needs [`Permission::ManageWebhooks`].
    pub async fn create(
        &self,
        who: &Principal,
        new: NewEndpoint,
    ) -> Result<(Endpoint, SigningSecret), WebhookError> {
        who.require(Permission::ManageWebhooks)?;
        let new = NewEndpoint { description: new.description.trim().to_owned(), ..new };
        check(Some(&new.url), Some(&new.events), Some(&new.description))?;
        let secret = SigningSecret::draw();
        let input = (who.clone(), new, secret.clone(), self.clock.now());
        let made = self
            .repo
            .write_with(input, |tx, (who, new, secret, now)| create(tx, who, new, secret, *now).boxed())
            .await?;
        Ok((made, secret))
    }

    /// Changes an endpoint; see [`EndpointChange`]. Needs [`Permission::ManageWebhooks`].
    pub async fn change(
        &self,
        who: &Principal,
        id: EndpointId,
        change: EndpointChange,
    ) -> Result<Endpoint, WebhookError> {
        who.require(Permission::ManageWebhooks)?;
        let description = change.description.map(|text| text.trim().to_owned());
        let change = EndpointChange { description, ..change };
        check(change.url.as_deref(), change.events.as_ref(), change.description.as_deref())?;
        let input = (who.clone(), id, change, self.clock.now());
        self.repo
            .write_with(input, |tx, (who, id, change, now)| apply(tx, who, *id, change, *now).boxed())
            .await
    }

    /// Draws a new secret, which is told here and never again. For as long as `overlap` the one before signs too.
    /// Needs [`Permission::ManageWebhooks`].
    pub async fn rotate(
        &self,
        who: &Principal,
        id: EndpointId,
        overlap: Duration,
    ) -> Result<SigningSecret, WebhookError> {
        const SQL: &str = "UPDATE webhook_endpoints SET old_secret = secret, old_until = $2, secret = $3, \
                           updated_at = $4 WHERE id = $1";
        who.require(Permission::ManageWebhooks)?;
        let secret = SigningSecret::draw();
        let now = self.clock.now();
        let input = (who.clone(), id, secret.clone(), now, now.after(overlap));
        self.repo
            .write_with(input, |tx, (who, id, secret, now, until)| {
                async move {
                    let values = vec![id.0.into(), until.0.into(), secret.reveal().into(), now.0.into()];
                    if tx.exec(SQL, values).await? == 0 {
                        return Err(WebhookError::NotFound(*id));
                    }
                    audit::record(tx, who, "webhook.rotate", &subject(*id), json!({ "old_until": until }))
                        .await?;
                    Ok(())
                }
                .boxed()
            })
            .await?;
        Ok(secret)
    }

    /// Deletes an endpoint with the log of its deliveries. Needs [`Permission::ManageWebhooks`].
    pub async fn delete(&self, who: &Principal, id: EndpointId) -> Result<(), WebhookError> {
        who.require(Permission::ManageWebhooks)?;
        self.repo
            .write_with((who.clone(), id), |tx, (who, id)| {
                async move {
                    let gone =
                        tx.exec("DELETE FROM webhook_endpoints WHERE id = $1", vec![id.0.into()]).await?;
                    if gone == 0 {
                        return Err(WebhookError::NotFound(*id));
                    }
                    audit::record(tx, who, "webhook.delete", &subject(*id), json!({})).await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    /// Sends a test message. Needs [`Permission::ManageWebhooks`].
    pub async fn test(&self, who: &Principal, id: EndpointId) -> Result<DeliveryId, WebhookError> {
        const SQL: &str = "INSERT INTO webhook_deliveries (endpoint_id, event_id, event, payload, state, attempts, \
                           created_at) VALUES ($1, $2, $3, $4, 'pending', 0, $5) RETURNING id";
        who.require(Permission::ManageWebhooks)?;
        let event = Event {
            id: format!("test:{:016x}", rand::random::<u64>()),
            kind: EventKind::Test,
            at: self.clock.now(),
            data: json!({ "endpoint": id }),
        };
        self.repo
            .write_with((who.clone(), id, event), |tx, (who, id, event)| {
                async move {
                    let endpoint = find(tx, *id).await?.ok_or(WebhookError::NotFound(*id))?;
                    if !endpoint.enabled {
                        return Err(WebhookError::Off(*id));
                    }
                    let values = vec![
                        id.0.into(),
                        event.id.as_str().into(),
                        event.kind.name().into(),
                        event.payload().into(),
                        event.at.0.into(),
                    ];
                    let row = tx.row(SQL, values).await?;
                    let row = row.ok_or(WebhookError::NotFound(*id))?;
                    let delivery: i64 = row.try_get_by_index(0)?;
                    enqueue(tx, &[delivery]).await?;
                    audit::record(tx, who, "webhook.test", &subject(*id), json!({ "delivery": delivery }))
                        .await?;
                    Ok(DeliveryId(delivery))
                }
                .boxed()
            })
            .await
    }
}

async fn create(
    tx: &Tx,
    who: &Principal,
    new: &NewEndpoint,
    secret: &SigningSecret,
    now: Timestamp,
) -> Result<Endpoint, WebhookError> {
    if tx.get_database_backend() == DbBackend::Postgres {
        // Two admins can't both make the last one.
        tx.script("LOCK TABLE webhook_endpoints IN SHARE ROW EXCLUSIVE MODE").await?;
    }
    let sql = format!(
        "INSERT INTO webhook_endpoints (url, events, description, secret, enabled, created_at, updated_at) \
         SELECT $1, $2, $3, $4, TRUE, $5, $5 WHERE (SELECT COUNT(*) FROM webhook_endpoints) < {MOST_ENDPOINTS} \
         RETURNING {COLUMNS}"
    );
    let values = vec![
        new.url.as_str().into(),
        list(&new.events)?.into(),
        new.description.as_str().into(),
        secret.reveal().into(),
        now.0.into(),
    ];
    let row = tx.row(&sql, values).await?.ok_or(WebhookError::TooMany)?;
    let made = read(&row)?;
    let details = json!({ "host": host(&made.url), "events": made.events });
    audit::record(tx, who, "webhook.create", &subject(made.id), details).await?;
    Ok(made)
}

async fn apply(
    tx: &Tx,
    who: &Principal,
    id: EndpointId,
    change: &EndpointChange,
    now: Timestamp,
) -> Result<Endpoint, WebhookError> {
    let before = find(tx, id).await?.ok_or(WebhookError::NotFound(id))?;
    let enabled = change.enabled.unwrap_or(before.enabled);
    let sql = format!(
        "UPDATE webhook_endpoints SET url = $2, events = $3, description = $4, enabled = $5, updated_at = $6, \
         failing_since = CASE WHEN $7 THEN NULL ELSE failing_since END, \
         disabled_reason = CASE WHEN $5 THEN NULL ELSE disabled_reason END WHERE id = $1 RETURNING {COLUMNS}"
    );
    // Whoever switches it on, or moves it, lets it begin anew.
    let anew = (enabled && !before.enabled) || change.url.as_ref().is_some_and(|url| *url != before.url);
    let values = vec![
        id.0.into(),
        change.url.as_deref().unwrap_or(&before.url).into(),
        list(change.events.as_ref().unwrap_or(&before.events))?.into(),
        change.description.as_deref().unwrap_or(&before.description).into(),
        enabled.into(),
        now.0.into(),
        anew.into(),
    ];
    let row = tx.row(&sql, values).await?.ok_or(WebhookError::NotFound(id))?;
    let after = read(&row)?;
    if before.enabled && !after.enabled {
        fail_pending(tx, id, now).await?;
    }
    let details = json!({ "host": host(&after.url), "events": after.events, "enabled": after.enabled });
    audit::record(tx, who, "webhook.change", &subject(id), details).await?;
    Ok(after)
}

/// What waits for an endpoint that is switched off has failed.
pub(super) async fn fail_pending(
    tx: &impl ConnectionTrait,
    id: EndpointId,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = "UPDATE webhook_deliveries SET state = 'failed', ended_at = $2 \
               WHERE endpoint_id = $1 AND state = 'pending'";
    tx.exec(sql, vec![id.0.into(), now.0.into()]).await.map(drop)
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    id: EndpointId,
) -> Result<Option<Endpoint>, WebhookError> {
    let sql = format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE id = $1");
    Ok(db.row(&sql, vec![id.0.into()]).await?.as_ref().map(read).transpose()?)
}

/// How the audit trail names an endpoint.
pub(super) fn subject(id: EndpointId) -> String {
    format!("webhook:{id}")
}

/// What of an address may be shown everywhere.
pub(super) fn host(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn list(events: &BTreeSet<EventKind>) -> Result<String, DbError> {
    serde_json::to_string(events).map_err(|error| DbError::Other(error.to_string()))
}

/// Everything that is wrong with the fields that are there.
fn check(
    url: Option<&str>,
    events: Option<&BTreeSet<EventKind>>,
    description: Option<&str>,
) -> Result<(), FieldErrors> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, code, message: &str| {
        errors.push(FieldError {
            field: field.to_owned(),
            code,
            message: message.to_owned(),
            constraint: None,
        });
    };
    if let Some(message) = url.and_then(objection) {
        wrong("url", "format", message);
    }
    if events.is_some_and(|events| events.is_empty() || events.contains(&EventKind::Test)) {
        wrong("events", "length", "must name at least one kind of event");
    }
    if description.is_some_and(|text| text.chars().count() > 200 || text.chars().any(char::is_control)) {
        wrong("description", "length", "must be one line of at most 200 characters");
    }
    if errors.is_empty() { Ok(()) } else { Err(FieldErrors(errors)) }
}

fn objection(text: &str) -> Option<&'static str> {
    if text.len() > 2_000 {
        return Some("must have at most 2,000 characters");
    }
    let Ok(url) = Url::parse(text) else {
        return Some("must be an address such as https://example.com/hooks");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Some("must begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must not contain a user or a password: messages are signed");
    }
    url.fragment().is_some().then_some("must not have a part behind #: it is never sent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_not_be_sent_to_are_refused() {
        for good in ["https://example.com/hooks?k=1", "http://127.0.0.1:8080/", "https://[2001:db8::1]/x"] {
            assert_eq!(objection(good), None, "{good}");
        }
        let long = format!("https://example.com/{}", "x".repeat(2_000));
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://a:b@example.com",
            "https://e.com/#x",
            &long,
        ] {
            assert!(objection(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn the_audit_sees_the_host_alone() {
        assert_eq!(host("https://Example.com:8443/secret?token=1"), "example.com");
    }
}
