//! The trait of a live view, and how it can refuse to be mounted.
//!
//! Invariant: a view's handlers run one at a time, and after each of them the browser shows what `render` says.

use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::ctx::Ctx;
use crate::flash::Flash;
use crate::page::Page;
use crate::path::LocalPath;
use crate::tree::Rendered;

/// A page whose state lives on the server.
///
/// Each page is mounted twice: once for the first answer over HTTP, the *dead* render, whose state is thrown away; then
/// when the browser's script connects, as a supervised server of its own, for as long as the page is open.
///
/// ```
/// use live::{Ctx, Dyn, Halt, LiveView, Page, Rendered, Template};
/// use serde::Deserialize;
///
/// struct Counter { count: i64 }
///
/// #[derive(Deserialize)]
/// #[serde(rename_all = "snake_case")]
/// enum Event { Add { by: i64 } }
///
/// impl LiveView for Counter {
///     type Scope = ();
///     type Params = ();
///     type Event = Event;
///     type Info = ();
///
///     async fn mount(_: &(), _: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
///         Ok(Self { count: 0 })
///     }
///
///     async fn handle_event(&mut self, event: Event, _: &mut Ctx<'_, Self>) {
///         match event {
///             Event::Add { by } => self.count += by,
///         }
///     }
///
///     fn render(&self, _: &Page) -> Rendered {
///         static VIEW: Template =
///             Template::new(&["<button phx-click=\"add\" phx-value-by=\"1\">", "</button>"], true);
///         Rendered::new(&VIEW, vec![Dyn::text(self.count.to_string())])
///     }
/// }
/// ```
pub trait LiveView: Sized + Send + 'static {
    /// What its live session gives it: who is there, and the application's services. Made by the session's
    /// [`Guard`](crate::Guard), so that a view can't be reached without it.
    type Scope: Clone + Send + Sync + 'static;
    /// The route's segments and the query, as one group. An address whose parameters do not fit is not found.
    type Params: DeserializeOwned + Send + Sync;
    /// Its events: an enum whose variants have the names that the template says. `()` if there are none.
    type Event: DeserializeOwned + Send;
    /// Messages of the server's side: of pubsub, timers and async tasks. `()` if there are none.
    type Info: Send + 'static;

    /// Builds the state.
    fn mount(
        params: &Self::Params,
        cx: &mut Ctx<'_, Self>,
    ) -> impl Future<Output = Result<Self, Halt>> + Send;

    /// Takes the address: after each mount, and when a patch has changed it.
    fn handle_params(
        &mut self,
        _params: Self::Params,
        _cx: &mut Ctx<'_, Self>,
    ) -> impl Future<Output = Result<(), Halt>> + Send {
        async { Ok(()) }
    }

    /// Handles an event of the browser. A panic here ends the view; the browser mounts it again.
    fn handle_event(
        &mut self,
        _event: Self::Event,
        _cx: &mut Ctx<'_, Self>,
    ) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Handles a message of the server's side.
    fn handle_info(&mut self, _info: Self::Info, _cx: &mut Ctx<'_, Self>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// The page's markup. Has no effect: it may be called at any time.
    fn render(&self, page: &Page) -> Rendered;
}

/// Why a view is not shown: the answer of a guard, of `mount` or of `handle_params`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Go there, by a full page load: to the login page, say.
    Redirect {
        /// Where to.
        to: LocalPath,
        /// What to say there.
        flash: Flash,
    },
    /// Go there, over the same socket if it is in the same live session.
    Navigate {
        /// Where to.
        to: LocalPath,
        /// What to say there.
        flash: Flash,
    },
    /// The HTTP status of this address: 404, 403. A connected browser loads the page again and sees it.
    Status(StatusCode),
}

impl Halt {
    /// There is no such thing: 404.
    pub const NOT_FOUND: Self = Self::Status(StatusCode::NOT_FOUND);
    /// Not for this visitor: 403.
    pub const FORBIDDEN: Self = Self::Status(StatusCode::FORBIDDEN);
    /// Something is broken or overloaded: 503.
    pub const UNAVAILABLE: Self = Self::Status(StatusCode::SERVICE_UNAVAILABLE);

    /// Go there, by a full page load.
    pub fn redirect(to: LocalPath) -> Self {
        Self::Redirect { to, flash: Flash::default() }
    }

    /// Go there, over the same socket if possible.
    pub fn navigate(to: LocalPath) -> Self {
        Self::Navigate { to, flash: Flash::default() }
    }

    /// Say something there.
    pub fn with_flash(mut self, kind: &str, message: impl Into<String>) -> Self {
        match &mut self {
            Self::Redirect { flash, .. } | Self::Navigate { flash, .. } => flash.put(kind, message),
            Self::Status(_) => {}
        }
        self
    }
}
