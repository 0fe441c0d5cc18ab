//! An HTTP endpoint for batches of records: `202 Accepted` means that they are stored.
//!
//! **Invariant.** A batch is answered 202 only after the [`Sink`] has stored all of it durably; any other answer means
//! that none of it counts as taken, and the client sends it again. Nothing is kept in memory beyond the requests in hand,
//! which are bounded in number and size.
//!
//! | answer | when |
//! |---|---|
//! | 202 `{"accepted": n}` | stored |
//! | 400 | a record is not JSON (the line is named), or there is none |
//! | 408 | the body took too long |
//! | 413 | more bytes or records than allowed |
//! | 415 | neither `application/x-ndjson` nor `application/json`, or compressed |
//! | 422 | the sink does not take this record |
//! | 429, `Retry-After` | the backlog is full: the pipeline behind it is slower than its clients |
//! | 503, `Retry-After` | too many requests at a time, the store is away, or it drains |
//!
//! An `Idempotency-Key` becomes part of each record's key (`KEY/0`, `KEY/1`, …): a client that saw no answer sends the
//! same batch under the same key, and whoever handles the records keys their effects by it.
//!
//! ```no_run
//! # async fn example<S: pipeline::producers::http::Sink>(sink: S) -> Result<(), std::io::Error> {
//! use pipeline::producers::http::{Intake, Limits};
//!
//! let intake = Intake::new(sink, Limits::default());
//! let app = axum::Router::new().route("/feeds", intake.route());
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8080").await?, app).await
//! # }
//! ```

mod answer;
#[cfg(feature = "outbox")]
mod outbox;
mod records;
mod sink;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use tokio::sync::Semaphore;

use answer::Refused;
#[cfg(feature = "outbox")]
pub use outbox::OutboxSink;
pub use sink::{Posted, Sink, SinkError};

/// The bounds of an [`Intake`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub bytes: usize,
    /// Records of a body.
    pub records: usize,
    /// Requests at a time: together with `bytes` it bounds the memory.
    pub requests: usize,
    /// How long a body may take to arrive.
    pub body: Duration,
}

impl Default for Limits {
    /// 4 MiB, 10,000 records, 16 requests, half a minute.
    fn default() -> Self {
        Self { bytes: 4 << 20, records: 10_000, requests: 16, body: Duration::from_secs(30) }
    }
}

/// The endpoint. Clones are the same endpoint.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    sink: Box<dyn Sink>,
    limits: Limits,
    room: Arc<Semaphore>,
    closed: AtomicBool,
    accepted: AtomicU64,
    refused: AtomicU64,
}

/// What an [`Intake`] has done since its making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IntakeStats {
    /// Records that were stored.
    pub accepted: u64,
    /// Requests that were not taken.
    pub refused: u64,
}

impl Intake {
    /// An endpoint that stores into `sink`.
    pub fn new(sink: impl Sink, limits: Limits) -> Self {
        Self(Arc::new(Inner {
            sink: Box::new(sink),
            limits,
            room: Arc::new(Semaphore::new(limits.requests.max(1))),
            closed: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }))
    }

    /// The route that takes batches by POST.
    pub fn route<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        let intake = self.clone();
        post(move |request: Request| {
            let intake = intake.clone();
            async move { intake.answer(request).await }
        })
    }

    /// Takes no more batches (503): the program is about to drain. Requests in hand are brought to their end.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
    }

    /// What it has done.
    pub fn stats(&self) -> IntakeStats {
        IntakeStats {
            accepted: self.0.accepted.load(Ordering::Relaxed),
            refused: self.0.refused.load(Ordering::Relaxed),
        }
    }

    async fn answer(&self, request: Request) -> Response {
        match self.take(request).await {
            Ok(accepted) => {
                self.0.accepted.fetch_add(accepted as u64, Ordering::Relaxed);
                answer::accepted(accepted)
            }
            Err(refused) => {
                self.0.refused.fetch_add(1, Ordering::Relaxed);
                refused.into_response()
            }
        }
    }

    async fn take(&self, request: Request) -> Result<usize, Refused> {
        let Inner { limits, room, closed, .. } = &*self.0;
        if closed.load(Ordering::SeqCst) {
            return Err(Refused::Closed);
        }
        let room = Arc::clone(room).try_acquire_owned().map_err(|_| Refused::Busy)?;
        let (head, body) = request.into_parts();
        let form = records::form(&head.headers)?;
        if head.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Refused::MediaType);
        }
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let announced = text(CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limits.bytes) {
            return Err(Refused::TooLarge { limit: limits.bytes });
        }
        let read = tokio::time::timeout(limits.body, to_bytes(body, limits.bytes)).await;
        let body =
            read.map_err(|_| Refused::TooSlow)?.map_err(|error| answer::unread(&error, limits.bytes))?;
        let records = records::split(form, &body, limits.records)?;
        let count = records.len();
        let key = text("idempotency-key").map(str::to_owned);
        let inner = Arc::clone(&self.0);
        // In a task of its own: a client that goes away must not cut a statement in two.
        let stored = tokio::spawn(async move {
            let stored = inner.sink.store(Posted { key, records }).await;
            drop(room);
            stored
        });
        match stored.await {
            Ok(stored) => stored?,
            Err(error) => return Err(SinkError::Away(error.to_string()).into()),
        }
        Ok(count)
    }
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}
