//! Why a handler has no good answer.
//!
//! **Invariant.** Errors of all rooms become problems in one `match`, here and nowhere else; what a client can't
//! help is told to the log and not to the client.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use pulse_core::ports::{PlaceError, StoreError};
use pulse_data::DbError;
use pulse_data::accounts::AccountError;
use pulse_data::audit::AuditError;
use pulse_data::background::BackgroundError;
use pulse_data::catalog::CatalogError;
use pulse_data::changeset::FieldErrors;
use pulse_data::feeds::FeedError;
use pulse_data::imports::ImportError;
use pulse_data::orders::OrderError;
use pulse_data::reminders::ReminderError;
use pulse_data::webhooks::WebhookError;
use pulse_fleet::ShopError;

use crate::problem::{FieldFault, Kind, Problem};

/// Whatever a room answered that is no success.
#[derive(Debug, Clone)]
pub(crate) enum ApiError {
    /// Found by the web room itself.
    Problem(Problem),
    /// The catalogue said so.
    Catalog(CatalogError),
    /// The orders said so.
    Order(OrderError),
    /// Carts, fleet or checkout said so.
    Shop(ShopError),
    /// The accounts said so.
    Account(AccountError),
    /// The audit trail said so.
    Audit(AuditError),
    /// The webhooks said so.
    Webhook(WebhookError),
    /// The reminders said so.
    Reminder(ReminderError),
    /// The background jobs said so.
    Background(BackgroundError),
    /// The feeds said so.
    Feed(FeedError),
    /// The imports said so.
    Import(ImportError),
}

macro_rules! from {
    ($($variant:ident($error:ty)),*) => {
        $(impl From<$error> for ApiError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from!(
    Problem(Problem),
    Catalog(CatalogError),
    Order(OrderError),
    Shop(ShopError),
    Account(AccountError),
    Audit(AuditError),
    Webhook(WebhookError),
    Reminder(ReminderError),
    Background(BackgroundError),
    Feed(FeedError),
    Import(ImportError)
);

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        use ApiError::{Account, Audit, Background, Catalog, Feed, Import, Order, Reminder, Shop, Webhook};
        let conflict = |text: String| Self::new(Kind::Conflict, text);
        match error {
            ApiError::Problem(problem) => problem,

            Catalog(CatalogError::Forbidden(no))
            | Order(OrderError::Forbidden(no))
            | Shop(ShopError::Forbidden(no) | ShopError::Place(PlaceError::Forbidden(no)))
            | Account(AccountError::Forbidden(no))
            | Audit(AuditError::Forbidden(no))
            | Webhook(WebhookError::Forbidden(no))
            | Reminder(ReminderError::Forbidden(no))
            | Feed(FeedError::Forbidden(no))
            | Background(BackgroundError::Forbidden(no)) => Self::new(Kind::Forbidden, no.to_string()),

            Catalog(error @ (CatalogError::NotFound(_) | CatalogError::NoPromotion(_))) => {
                Self::new(Kind::NotFound, error.to_string())
            }
            Order(error @ (OrderError::NotFound(_) | OrderError::NoRequest(_))) => {
                Self::new(Kind::NotFound, error.to_string())
            }
            Feed(error @ (FeedError::NotFound(_) | FeedError::NoLetter(_))) => {
                Self::new(Kind::NotFound, error.to_string())
            }
            Import(error) => import(error),
            Shop(error @ ShopError::UnknownProduct(_)) => conflict(error.to_string()),

            Catalog(error @ CatalogError::Stale { .. }) => Self::new(Kind::Stale, error.to_string()),
            Catalog(CatalogError::Invalid(errors))
            | Account(AccountError::Invalid(errors))
            | Feed(FeedError::Invalid(errors))
            | Webhook(WebhookError::Invalid(errors)) => fields(errors),
            Catalog(CatalogError::Cursor(error))
            | Order(OrderError::Cursor(error))
            | Feed(FeedError::Cursor(error))
            | Account(AccountError::Cursor(error))
            | Webhook(WebhookError::Cursor(error)) => Self::field("after", "cursor", error.to_string()),
            Catalog(error @ CatalogError::KeyReused(_)) => conflict(error.to_string()),

            Feed(
                error @ (FeedError::Stale(_)
                | FeedError::LetterMoved(_)
                | FeedError::TooManyLetters { .. }
                | FeedError::KeyReused),
            ) => conflict(error.to_string()),
            Feed(error @ FeedError::Full) => waits(error.to_string(), 10),

            Order(OrderError::Invalid { field, message }) => Self::field(field, "invalid", message),
            Order(
                error @ (OrderError::WrongStep(_)
                | OrderError::TooManyBack { .. }
                | OrderError::NothingToReturn(_)
                | OrderError::KeyReused
                | OrderError::ReturnAsked(_)
                | OrderError::TooManyRequests(_)
                | OrderError::RequestDecided(_)
                | OrderError::UnknownProduct(_)
                | OrderError::Money(_)),
            ) => conflict(error.to_string()),

            Shop(ShopError::Cart(error)) => conflict(error.to_string()),
            Shop(ShopError::Place(PlaceError::OutOfStock(shortages))) => {
                let detail = format!("there is not enough in stock of {} product(s)", shortages.len());
                Self { shortages, ..Self::new(Kind::OutOfStock, detail) }
            }
            Shop(ShopError::Place(error @ (PlaceError::CartChanged | PlaceError::KeyReused))) => {
                conflict(error.to_string())
            }
            Shop(ShopError::Place(PlaceError::Invalid { field, message })) => {
                Self::field(field, "invalid", message)
            }
            Shop(ShopError::Overloaded { retry_after }) => busy(retry_after),
            Shop(error @ ShopError::Crashed) => Self::new(Kind::Unavailable, error.to_string()),
            Shop(ShopError::Store(error) | ShopError::Place(PlaceError::Store(error))) => store(&error),

            Account(error @ AccountError::WrongCredentials) => {
                Self::new(Kind::Unauthenticated, error.to_string())
            }
            Account(error @ AccountError::Locked) => Self::new(Kind::Forbidden, error.to_string()),
            Account(AccountError::Throttled { retry_after }) => {
                let text = "too many failed logins of this account: wait, or ask for a new password";
                Self { retry_after: Some(seconds(retry_after)), ..Self::new(Kind::RateLimited, text) }
            }
            Account(AccountError::Overloaded) => busy(Duration::ZERO),
            Account(error @ (AccountError::NotFound(_) | AccountError::NoSuchToken)) => {
                Self::new(Kind::NotFound, error.to_string())
            }
            Account(error @ (AccountError::LastAdmin | AccountError::ResetExpired)) => {
                conflict(error.to_string())
            }

            Webhook(error @ (WebhookError::NotFound(_) | WebhookError::NoDelivery(_))) => {
                Self::new(Kind::NotFound, error.to_string())
            }
            Background(error @ BackgroundError::NotFound(_)) => Self::new(Kind::NotFound, error.to_string()),
            Background(error @ (BackgroundError::Unfit(_) | BackgroundError::Width)) => {
                conflict(error.to_string())
            }
            Webhook(error @ (WebhookError::TooMany | WebhookError::Off(_))) => conflict(error.to_string()),

            Catalog(CatalogError::Db(error))
            | Order(OrderError::Db(error))
            | Account(AccountError::Db(error))
            | Audit(AuditError::Db(error))
            | Webhook(WebhookError::Db(error))
            | Reminder(ReminderError::Db(error))
            | Feed(FeedError::Db(error))
            | Background(BackgroundError::Db(error)) => database(&error),
        }
    }
}

/// What the imports refuse.
fn import(error: ImportError) -> Problem {
    match error {
        ImportError::Forbidden(_) => Problem::new(Kind::Forbidden, error.to_string()),
        ImportError::NoLetter(_) => Problem::new(Kind::NotFound, error.to_string()),
        ImportError::Dismissed { .. } => Problem::new(Kind::Conflict, error.to_string()),
        ImportError::Invalid(errors) => fields(errors),
        ImportError::Cursor(error) => Problem::field("after", "cursor", error.to_string()),
        ImportError::Db(error) => database(&error),
    }
}

/// Whole seconds to wait, at least one.
fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
}

/// As many as are taken on wait already.
fn waits(detail: String, seconds: u32) -> Problem {
    Problem { retry_after: Some(seconds), ..Problem::new(Kind::RateLimited, detail) }
}

fn busy(wait: Duration) -> Problem {
    Problem {
        retry_after: Some(seconds(wait)),
        ..Problem::new(Kind::Unavailable, "the shop can't take this on at the moment: try again shortly")
    }
}

/// What a store's failure means. The log is told what happened; the client, what to do.
fn store(error: &StoreError) -> Problem {
    match error {
        StoreError::Overloaded => busy(Duration::ZERO),
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "the store failed");
            Problem::new(
                Kind::Unavailable,
                "the store can't be reached; whether the change was made is unknown: repeat it with the same key",
            )
        }
        StoreError::Corrupt(_) => internal(error),
    }
}

fn database(error: &DbError) -> Problem {
    match error {
        DbError::Conflict(_) | DbError::Overloaded => busy(Duration::ZERO),
        DbError::Unavailable(text) => store(&StoreError::Unavailable(text.clone())),
        // The contexts turn the constraints that clients can violate into fields: this one was forgotten.
        DbError::Unique(_)
        | DbError::Check(_)
        | DbError::ForeignKey(_)
        | DbError::NotNull { .. }
        | DbError::Corrupt(_)
        | DbError::Other(_) => internal(error),
    }
}

fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a request met a fault of the shop");
    Problem::new(Kind::Internal, "a fault of the shop; it stands in the log under this request's id")
}

/// A context's field errors, their fields as pointers into the body.
fn fields(errors: FieldErrors) -> Problem {
    // What has become taken or full since the client looked fits the schema: it does not fit how things are.
    let kind = if errors.0.iter().any(|error| matches!(error.code, "taken" | "full" | "order")) {
        Kind::Conflict
    } else {
        Kind::Invalid
    };
    let pointer =
        |field: String| if field.starts_with('/') { field } else { format!("/{}", field.replace('.', "/")) };
    let faults =
        errors.0.into_iter().map(|error| FieldFault::new(pointer(error.field), error.code, error.message));
    Problem { kind, ..Problem::invalid(faults.collect()) }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
