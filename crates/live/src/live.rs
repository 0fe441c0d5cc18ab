//! The live pages of an application: its sessions of views, their routes, and what they share.
//!
//! Invariant: an address is routed by the same table for the first answer over HTTP and for a join, so the browser
//! can't reach a view by one way that the other would refuse.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use matchit::Router as Matcher;
use thiserror::Error;

use crate::document::{Document, default_error_page};
use crate::params::{Params, ParamsError};
use crate::path::LocalPath;
use crate::route::{AnyRoute, LiveSession};
use crate::shared::SharedPieces;
use crate::stats::{Counters, Stats};
use crate::token::Keys;
use crate::tree::Rendered;

/// The version of the client whose wire this crate speaks.
pub const CLIENT_VERSION: &str = "1.2.12";

/// The live pages of an application. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Live {
    pub(crate) inner: Arc<Inner>,
}

/// What all pages share.
pub(crate) struct Inner {
    pub(crate) keys: Keys,
    pub(crate) secure: bool,
    pub(crate) token_age: Duration,
    pub(crate) counters: Counters,
    /// What many pages show alike.
    pub(crate) shared: SharedPieces,
    pub(crate) error_page: ErrorPage,
    pub(crate) routes: Vec<(String, Arc<dyn AnyRoute>)>,
    matcher: Matcher<usize>,
}

/// A route with the address's parameters.
pub(crate) type Routed<'a> = (&'a Arc<dyn AnyRoute>, Result<Params, ParamsError>);

type ErrorPage = Box<dyn Fn(StatusCode, &Document<'_>) -> Rendered + Send + Sync>;

/// Why the routes can't be served.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the route {path:?} can't be added: {reason}")]
pub struct RouteError {
    path: String,
    reason: String,
}

/// Collects sessions and settings.
pub struct Builder {
    keys: Keys,
    secure: bool,
    token_age: Duration,
    error_page: ErrorPage,
    routes: Vec<(String, Arc<dyn AnyRoute>)>,
}

impl Live {
    /// Begins with the keys that sign tokens. [`LiveSession`] shows the whole.
    pub fn builder(keys: Keys) -> Builder {
        Builder {
            keys,
            secure: false,
            token_age: Duration::from_hours(14 * 24),
            error_page: Box::new(default_error_page),
            routes: Vec::new(),
        }
    }

    /// What the pages have done so far.
    pub fn stats(&self) -> Stats {
        self.inner.counters.read()
    }

    /// The keys, for the application's own forms: see [`csrf`](crate::csrf).
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }
}

impl Builder {
    /// The site is served by https: the browser's cookie carries `Secure` and the `__Host-` prefix.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// How long a page's tokens are good: a page that was open for longer is loaded again when it joins again. Two
    /// weeks unless said otherwise.
    pub fn token_age(mut self, age: Duration) -> Self {
        self.token_age = age;
        self
    }

    /// The page of a status that a view or guard answers with.
    pub fn error_page(
        mut self,
        page: impl Fn(StatusCode, &Document<'_>) -> Rendered + Send + Sync + 'static,
    ) -> Self {
        self.error_page = Box::new(page);
        self
    }

    /// Adds the views of a live session.
    pub fn session<G: crate::Guard>(mut self, session: LiveSession<G>) -> Self {
        self.routes.extend(session.into_routes());
        self
    }

    /// Checks the routes.
    pub fn build(self) -> Result<Live, RouteError> {
        let mut matcher = Matcher::new();
        for (number, (path, _)) in self.routes.iter().enumerate() {
            matcher
                .insert(path.clone(), number)
                .map_err(|error| RouteError { path: path.clone(), reason: error.to_string() })?;
        }
        let inner = Inner {
            keys: self.keys,
            secure: self.secure,
            token_age: self.token_age,
            counters: Counters::default(),
            shared: SharedPieces::default(),
            error_page: self.error_page,
            routes: self.routes,
            matcher,
        };
        Ok(Live { inner: Arc::new(inner) })
    }
}

impl Inner {
    /// The route of an address, and its parameters: the query's, and over them the path's.
    pub(crate) fn route(&self, uri: &LocalPath) -> Option<Routed<'_>> {
        let found = self.matcher.at(uri.path()).ok()?;
        let (_, route) = self.routes.get(*found.value)?;
        let params = Params::from_form(uri.query_str()).map(|mut params| {
            for (name, value) in found.params.iter() {
                params.put(name, Params::Text(percent_decoded(value)));
            }
            params
        });
        Some((route, params))
    }
}

/// A segment without its percent-encoding. A plus sign is itself in a path.
fn percent_decoded(segment: &str) -> String {
    if !segment.contains('%') {
        return segment.to_owned();
    }
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |at: usize| bytes.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (byte, hex(at + 1), hex(at + 2)) {
            out.push(u8::try_from(high * 16 + low).unwrap_or_default());
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths: Vec<_> = self.inner.routes.iter().map(|(path, _)| path).collect();
        f.debug_struct("Live").field("routes", &paths).finish()
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("routes", &self.routes.len()).finish_non_exhaustive()
    }
}
