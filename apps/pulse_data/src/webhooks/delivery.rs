//! What was sent to whom, attempt by attempt, and sending it again.
//!
//! **Invariant.** Reading and sending again need [`Permission::ManageWebhooks`]. Sent again is the same message under
//! the same id; the attempts of before stay in the log.

use std::fmt;

use futures::FutureExt as _;
use pulse_core::{Permission, Principal, Timestamp};
use sea_orm::{QueryResult, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::endpoint::{find, subject};
use super::event::enqueue;
use super::{EndpointId, EventKind, WebhookError, Webhooks};
use crate::page::{Cursor, Page};
use crate::{DbError, Sql as _, audit};

/// Which delivery; the database counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub i64);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// A job is at it.
    Pending,
    /// It was taken.
    Delivered,
    /// It was tried as often as promised, or its endpoint was switched off.
    Failed,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// To this endpoint.
    pub endpoint: EndpointId,
    /// The event's own name, the same for each endpoint.
    pub event_id: String,
    /// What has happened.
    pub event: EventKind,
    /// What is sent, as JSON text.
    pub payload: String,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When the event was told.
    pub created_at: Timestamp,
    /// When it was taken or given up.
    pub ended_at: Option<Timestamp>,
}

/// One attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: i64,
    /// When it ended.
    pub at: Timestamp,
    /// The answer's status; `None` where none came.
    pub status: Option<i64>,
    /// How long it took.
    pub millis: i64,
    /// The beginning of the answer, or why there was none.
    pub note: String,
}

/// Which deliveries; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryQuery {
    /// Only to this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Only those that are so far.
    pub state: Option<DeliveryState>,
    /// Only older ones than this: the last page's `next`.
    pub after: Option<Cursor>,
    /// Rows a page; brought into what a [`Page`] may have.
    pub limit: u32,
}

const COLUMNS: &str = "id, endpoint_id, event_id, event, payload, state, attempts, created_at, ended_at";

fn read(row: &QueryResult) -> Result<Delivery, DbError> {
    let (event, state): (String, String) = (row.try_get_by_index(3)?, row.try_get_by_index(5)?);
    let corrupt = |what: &str| DbError::Corrupt(format!("a webhook delivery of the unknown {what}"));
    Ok(Delivery {
        id: DeliveryId(row.try_get_by_index(0)?),
        endpoint: EndpointId(row.try_get_by_index(1)?),
        event_id: row.try_get_by_index(2)?,
        event: EventKind::from_name(&event).ok_or_else(|| corrupt(&format!("event {event:?}")))?,
        payload: row.try_get_by_index(4)?,
        state: DeliveryState::from_name(&state).ok_or_else(|| corrupt(&format!("state {state:?}")))?,
        attempts: row.try_get_by_index(6)?,
        created_at: Timestamp(row.try_get_by_index(7)?),
        ended_at: row.try_get_by_index::<Option<i64>>(8)?.map(Timestamp),
    })
}

impl Webhooks {
    /// A page of deliveries, newest first. Needs [`Permission::ManageWebhooks`].
    pub async fn deliveries(
        &self,
        who: &Principal,
        query: &DeliveryQuery,
    ) -> Result<Page<Delivery>, WebhookError> {
        who.require(Permission::ManageWebhooks)?;
        let after: i64 = query.after.as_ref().map_or(Ok(i64::MAX), Cursor::key)?;
        let mut sql = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE id < $1");
        let mut values: Vec<Value> = vec![after.into()];
        if let Some(endpoint) = query.endpoint {
            values.push(endpoint.0.into());
            sql = format!("{sql} AND endpoint_id = ${}", values.len());
        }
        if let Some(state) = query.state {
            values.push(state.name().into());
            sql = format!("{sql} AND state = ${}", values.len());
        }
        sql = format!("{sql} ORDER BY id DESC LIMIT {}", Page::<Delivery>::fetch(query.limit));
        let rows = self.repo.reader().rows(&sql, values).await?;
        let found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(found, query.limit, |delivery| delivery.id.0))
    }

    /// One delivery with its attempts, oldest first (the last 100). Needs [`Permission::ManageWebhooks`].
    pub async fn delivery(
        &self,
        who: &Principal,
        id: DeliveryId,
    ) -> Result<(Delivery, Vec<Attempt>), WebhookError> {
        const ATTEMPTS: &str = "SELECT attempt, at, status, millis, note FROM webhook_attempts \
                                WHERE delivery_id = $1 ORDER BY attempt DESC LIMIT 100";
        who.require(Permission::ManageWebhooks)?;
        let db = self.repo.reader();
        let sql = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE id = $1");
        let row = db.row(&sql, vec![id.0.into()]).await?;
        let delivery = read(&row.ok_or(WebhookError::NoDelivery(id))?)?;
        let rows = db.rows(ATTEMPTS, vec![id.0.into()]).await?;
        let attempt = |row: &QueryResult| -> Result<Attempt, DbError> {
            Ok(Attempt {
                attempt: row.try_get_by_index(0)?,
                at: Timestamp(row.try_get_by_index(1)?),
                status: row.try_get_by_index(2)?,
                millis: row.try_get_by_index(3)?,
                note: row.try_get_by_index(4)?,
            })
        };
        let attempts = rows.iter().rev().map(attempt).collect::<Result<Vec<_>, _>>()?;
        Ok((delivery, attempts))
    }

    /// Sends a delivery that has ended once more; one that is under way is left alone. Needs
    /// [`Permission::ManageWebhooks`].
    pub async fn redeliver(&self, who: &Principal, id: DeliveryId) -> Result<Delivery, WebhookError> {
        who.require(Permission::ManageWebhooks)?;
        self.repo
            .write_with((who.clone(), id), |tx, (who, id)| {
                async move {
                    let sql = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE id = $1");
                    let row = tx.row(&sql, vec![id.0.into()]).await?;
                    let delivery = read(&row.ok_or(WebhookError::NoDelivery(*id))?)?;
                    let endpoint = find(tx, delivery.endpoint).await?;
                    if !endpoint.is_some_and(|endpoint| endpoint.enabled) {
                        return Err(WebhookError::Off(delivery.endpoint));
                    }
                    // A second click finds it pending: two people make one job.
                    let sql = "UPDATE webhook_deliveries SET state = 'pending', ended_at = NULL \
                               WHERE id = $1 AND state <> 'pending'";
                    if tx.exec(sql, vec![id.0.into()]).await? == 0 {
                        return Ok(delivery);
                    }
                    enqueue(tx, &[id.0]).await?;
                    let details = json!({ "delivery": id });
                    audit::record(tx, who, "webhook.redeliver", &subject(delivery.endpoint), details).await?;
                    Ok(Delivery { state: DeliveryState::Pending, ended_at: None, ..delivery })
                }
                .boxed()
            })
            .await
    }

    /// Sends what has failed for an endpoint once more, the oldest 1,000 of it; answers how many. Needs
    /// [`Permission::ManageWebhooks`].
    pub async fn redeliver_failed(&self, who: &Principal, id: EndpointId) -> Result<usize, WebhookError> {
        const SQL: &str = "UPDATE webhook_deliveries SET state = 'pending', ended_at = NULL WHERE id IN \
                           (SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND state = 'failed' \
                           ORDER BY id LIMIT 1000) RETURNING id";
        who.require(Permission::ManageWebhooks)?;
        self.repo
            .write_with((who.clone(), id), |tx, (who, id)| {
                async move {
                    let endpoint = find(tx, *id).await?.ok_or(WebhookError::NotFound(*id))?;
                    if !endpoint.enabled {
                        return Err(WebhookError::Off(*id));
                    }
                    let rows = tx.rows(SQL, vec![id.0.into()]).await?;
                    let again =
                        rows.iter()
                            .map(|row| Ok(row.try_get_by_index(0)?))
                            .collect::<Result<Vec<i64>, DbError>>()?;
                    enqueue(tx, &again).await?;
                    let details = json!({ "deliveries": again.len() });
                    audit::record(tx, who, "webhook.redeliver", &subject(*id), details).await?;
                    Ok(again.len())
                }
                .boxed()
            })
            .await
    }
}
