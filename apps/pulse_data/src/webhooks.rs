//! Webhooks: other programs that are told what has happened in the shop.
//!
//! **Invariant.** An event is written down for each endpoint that wants it, and its job enqueued, in the transaction of
//! what it tells of; so an endpoint is told exactly of what was committed. Endpoints are the admins' alone, and each
//! change of one has its audit row.
//!
//! | module | what it is |
//! |---|---|
//! | `event` | what can be told, and telling it |
//! | `endpoint` | who is told: address, kinds of events, secrets |
//! | `secret` | what a message is signed with |
//! | `delivery` | what was sent, attempt by attempt, and sending it again |
//! | `outbound` | the worker's side: what is to be sent now, and what came of it |

mod delivery;
mod endpoint;
mod event;
mod outbound;
mod secret;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use pulse_core::access::Forbidden;
use pulse_core::ports::Clock;
use pulse_core::{Permission, Principal, Timestamp};

pub use delivery::{Attempt, Delivery, DeliveryId, DeliveryQuery, DeliveryState};
pub use endpoint::{Endpoint, EndpointChange, EndpointId, MOST_ENDPOINTS, NewEndpoint};
pub(crate) use event::{Event, listened, tell};
pub use event::{EventKind, WEBHOOK_ATTEMPTS, WEBHOOK_QUEUE, WEBHOOK_WORKER};
pub use outbound::{Answer, Due, Noted, Outbound};
pub use secret::SigningSecret;

use crate::changeset::FieldErrors;
use crate::page::InvalidCursor;
use crate::{DbError, Repo, Sql as _};

/// Why something about webhooks was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WebhookError {
    /// Fields of the input are wrong.
    #[error(transparent)]
    Invalid(#[from] FieldErrors),
    /// There is no such endpoint.
    #[error("there is no webhook endpoint {0}")]
    NotFound(EndpointId),
    /// There is no such delivery.
    #[error("there is no webhook delivery {0}")]
    NoDelivery(DeliveryId),
    /// There are as many endpoints as there may be.
    #[error("there are {MOST_ENDPOINTS} webhook endpoints already: delete one first")]
    TooMany,
    /// Nothing is sent to an endpoint that is switched off.
    #[error("the webhook endpoint {0} is switched off: switch it on first")]
    Off(EndpointId),
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The cursor is of another list.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sea_orm::DbErr> for WebhookError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Db(error.into())
    }
}

/// The context of webhooks. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    repo: Repo,
    clock: Arc<dyn Clock>,
    /// An endpoint that took nothing for so long is switched off.
    patience: Duration,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Webhooks {
    /// The webhooks of a database. An endpoint that takes nothing for as long as `patience` is switched off.
    pub fn new(repo: Repo, clock: Arc<dyn Clock>, patience: Duration) -> Self {
        Self { repo, clock, patience }
    }

    /// Forgets deliveries of events that are older than `keep`, with their attempts. Bounded a call; answers how many.
    pub async fn prune(&self, who: &Principal, keep: Duration) -> Result<u64, WebhookError> {
        const SQL: &str = "DELETE FROM webhook_deliveries WHERE id IN \
                           (SELECT id FROM webhook_deliveries WHERE created_at < $1 ORDER BY created_at LIMIT 1000)";
        system(who)?;
        let before = Timestamp(self.clock.now().0.saturating_sub(millis(keep)));
        let run = self.repo.write_with(before, |tx, before| {
            async move { tx.exec(SQL, vec![before.0.into()]).await }.boxed()
        });
        run.await.map_err(|error: DbError| error.into())
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What the workers do is nobody else's.
fn system(who: &Principal) -> Result<(), Forbidden> {
    match who {
        Principal::System(_) => Ok(()),
        Principal::Guest | Principal::User { .. } => {
            Err(Forbidden { permission: Permission::ManageWebhooks })
        }
    }
}
