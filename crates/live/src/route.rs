//! Live sessions: groups of views that share a guard and a layout, and between which one can go without a page load.
//!
//! Invariant: a view is mounted only with the scope that its session's guard has made for this very visit.

use std::any::type_name;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::request::Parts;
use serde::{Deserialize, Serialize};

use crate::connected::{AnyView, Connected};
use crate::ctx::Mailbox;
use crate::document::{Document, default_layout};
use crate::flash::Flash;
use crate::live::Inner;
use crate::mounted::{Arrival, Mounted};
use crate::params::Params;
use crate::path::LocalPath;
use crate::tree::Rendered;
use crate::view::{Halt, LiveView};

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a page remembers, signed, of the HTTP request that rendered it: an id of the visitor's session, say. The
/// browser can read it, so there are no secrets in it, and it can't change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Session(BTreeMap<String, String>);

impl Session {
    /// With one more value.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A visit that a guard decides about.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// What the page remembers: see [`Guard::session`].
    pub session: &'a Session,
    /// Where the visitor wants to go.
    pub uri: &'a LocalPath,
    /// Whether the page joins, rather than being rendered for the first time.
    pub connected: bool,
}

/// Decides who may see the views of a live session, and gives them their scope. Runs before every mount, dead and
/// connected: a session that has ended in between is noticed.
///
/// ```
/// use axum::http::request::Parts;
/// use live::{Guard, Halt, LocalPath, Session, Visit};
///
/// struct StaffOnly;
/// #[derive(Clone)]
/// struct Staff { name: String }
///
/// impl Guard for StaffOnly {
///     type Scope = Staff;
///
///     async fn session(&self, request: &Parts) -> Session {
///         let user = request.headers.get("x-user").and_then(|user| user.to_str().ok());
///         user.map_or_else(Session::default, |user| Session::default().with("user", user))
///     }
///
///     async fn admit(&self, visit: Visit<'_>) -> Result<Staff, Halt> {
///         match visit.session.get("user") {
///             Some(name) => Ok(Staff { name: name.to_owned() }),
///             None => Err(Halt::redirect(LocalPath::of("/login")).with_flash("error", "Please log in.")),
///         }
///     }
/// }
/// ```
pub trait Guard: Send + Sync + 'static {
    /// What the views get.
    type Scope: Clone + Send + Sync + 'static;

    /// What the page is to remember of its first request, for the joins that follow.
    fn session(&self, _request: &Parts) -> impl Future<Output = Session> + Send {
        async { Session::default() }
    }

    /// Lets the visitor in, or says where else to go.
    fn admit(&self, visit: Visit<'_>) -> impl Future<Output = Result<Self::Scope, Halt>> + Send;
}

/// A guard that lets everybody in and gives all the same scope.
#[derive(Clone, Copy, Debug, Default)]
pub struct Public<S>(
    /// The scope of every view.
    pub S,
);

impl<S: Clone + Send + Sync + 'static> Guard for Public<S> {
    type Scope = S;

    async fn admit(&self, _: Visit<'_>) -> Result<S, Halt> {
        Ok(self.0.clone())
    }
}

type Layout<S> = Box<dyn Fn(&Document<'_>, Option<&S>) -> Rendered + Send + Sync>;

/// A group of views behind one guard and in one layout. Going from one to another of the same group takes no page load;
/// going elsewhere does, and so passes the other group's guard with a new request.
///
/// ```
/// # use live::{Ctx, Dyn, Halt, Live, LiveSession, LiveView, Page, Public, Rendered, Template};
/// # struct Home;
/// # impl LiveView for Home {
/// #     type Scope = ();
/// #     type Params = ();
/// #     type Event = ();
/// #     type Info = ();
/// #     async fn mount(_: &(), _: &mut Ctx<'_, Self>) -> Result<Self, Halt> { Ok(Home) }
/// #     fn render(&self, _: &Page) -> Rendered {
/// #         static VIEW: Template = Template::new(&["<p>hello</p>"], true);
/// #         Rendered::new(&VIEW, Vec::new())
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = live::token::Keys::new([[7_u8; 32]])?;
/// let live = Live::builder(keys).session(LiveSession::new("public", Public(())).view::<Home>("/")).build()?;
/// let sockets = live.endpoint().start().await.map_err(|exit| exit.to_string())?;
/// let app: axum::Router = live.routes().merge(sockets.routes("/live"));
/// # Ok(())
/// # }
/// ```
pub struct LiveSession<G: Guard> {
    group: Arc<Group<G>>,
    routes: Vec<(String, Arc<dyn AnyRoute>)>,
}

pub(crate) struct Group<G: Guard> {
    name: &'static str,
    guard: G,
    layout: std::sync::OnceLock<Layout<G::Scope>>,
}

impl<G: Guard> LiveSession<G> {
    /// A group of this name, without views.
    pub fn new(name: &'static str, guard: G) -> Self {
        Self {
            group: Arc::new(Group { name, guard, layout: std::sync::OnceLock::new() }),
            routes: Vec::new(),
        }
    }

    /// The document around the views. The scope is absent where the guard refused and an error page is shown. The
    /// first layout counts.
    pub fn layout(
        self,
        layout: impl Fn(&Document<'_>, Option<&G::Scope>) -> Rendered + Send + Sync + 'static,
    ) -> Self {
        // A second layout is refused by the cell, as documented.
        drop(self.group.layout.set(Box::new(layout)));
        self
    }

    /// A view at a path such as `/products/{id}` or `/files/{*rest}`; a view may have several paths.
    pub fn view<V: LiveView<Scope = G::Scope>>(mut self, path: &str) -> Self {
        let route = Route::<V, G> { group: self.group.clone(), view: PhantomData };
        self.routes.push((path.to_owned(), Arc::new(route)));
        self
    }

    pub(crate) fn into_routes(self) -> Vec<(String, Arc<dyn AnyRoute>)> {
        self.routes
    }
}

impl<G: Guard> std::fmt::Debug for LiveSession<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths: Vec<_> = self.routes.iter().map(|(path, _)| path).collect();
        f.debug_struct("LiveSession").field("name", &self.group.name).field("routes", &paths).finish()
    }
}

/// A view with its group, as the router sees it.
struct Route<V, G: Guard> {
    group: Arc<Group<G>>,
    view: PhantomData<fn() -> V>,
}

/// A view that was rendered for the first answer.
pub(crate) struct DeadView {
    /// Its markup with that of its components.
    pub(crate) html: String,
    pub(crate) title: Option<String>,
    /// The document around given markup.
    pub(crate) layout: Box<dyn FnOnce(&Document<'_>) -> Rendered + Send>,
}

/// A connected view, and the response to its join.
pub(crate) type Welcome = (Box<dyn AnyView>, Vec<u8>);

pub(crate) trait AnyRoute: Send + Sync {
    /// The group's name.
    fn group(&self) -> &'static str;
    /// The view's own name, for its tokens.
    fn view(&self) -> &'static str;
    /// What the page is to remember.
    fn session<'a>(&'a self, request: &'a Parts) -> Boxed<'a, Session>;
    /// Renders the view for the first answer.
    fn dead<'a>(
        &'a self,
        arrival: Arrival,
        session: &'a Session,
        params: Params,
    ) -> Boxed<'a, Result<DeadView, Halt>>;
    /// Mounts the view for a browser that joins; with it, the join's response.
    fn connect<'a>(
        &'a self,
        arrival: Arrival,
        session: &'a Session,
        params: Params,
        mailbox: Mailbox,
    ) -> Boxed<'a, Result<Welcome, Halt>>;
}

impl<V: LiveView, G: Guard<Scope = V::Scope>> Route<V, G> {
    async fn admit(&self, arrival: &Arrival, session: &Session) -> Result<V::Scope, Halt> {
        let visit = Visit { session, uri: &arrival.uri, connected: arrival.connected };
        self.group.guard.admit(visit).await
    }
}

impl<V: LiveView, G: Guard<Scope = V::Scope>> AnyRoute for Route<V, G> {
    fn group(&self) -> &'static str {
        self.group.name
    }

    fn view(&self) -> &'static str {
        type_name::<V>()
    }

    fn session<'a>(&'a self, request: &'a Parts) -> Boxed<'a, Session> {
        Box::pin(self.group.guard.session(request))
    }

    fn dead<'a>(
        &'a self,
        arrival: Arrival,
        session: &'a Session,
        params: Params,
    ) -> Boxed<'a, Result<DeadView, Halt>> {
        Box::pin(async move {
            let scope = self.admit(&arrival, session).await?;
            let mut mounted = Mounted::<V>::mount(arrival, scope.clone(), &params, None).await?;
            if let Some(halt) = mounted.leaving() {
                return Err(halt);
            }
            let html = mounted.html();
            let title = mounted.page.title().map(str::to_owned);
            let group = self.group.clone();
            let layout = Box::new(move |document: &Document<'_>| match group.layout.get() {
                Some(layout) => layout(document, Some(&scope)),
                None => default_layout(document),
            });
            Ok(DeadView { html, title, layout })
        })
    }

    fn connect<'a>(
        &'a self,
        arrival: Arrival,
        session: &'a Session,
        params: Params,
        mailbox: Mailbox,
    ) -> Boxed<'a, Result<Welcome, Halt>> {
        Box::pin(async move {
            let scope = self.admit(&arrival, session).await?;
            let mounted = Mounted::<V>::mount(arrival, scope, &params, Some(mailbox)).await?;
            let (connected, response) = Connected::begin(mounted).await?;
            Ok((Box::new(connected) as Box<dyn AnyView>, response))
        })
    }
}

impl Arrival {
    /// A visit to an address.
    pub(crate) fn new(live: Arc<Inner>, connected: bool, uri: LocalPath, flash: Flash) -> Self {
        Self { live, connected, uri, flash, csrf_token: Box::default() }
    }
}
