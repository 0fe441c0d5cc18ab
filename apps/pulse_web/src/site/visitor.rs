//! Who looks at a page, and who may.
//!
//! **Invariant.** A page acts in the name of an account only as long as the session that opened it runs: [`Visitor::who`]
//! is asked before each action, so a page that was left open acts for nobody once its visitor has signed out, or was
//! locked or demoted.

use std::sync::Arc;

use axum::http::request::Parts;
use live::{Guard, Halt, LocalPath, Session, Visit};
use pulse_core::{CartId, Permission, Principal};
use pulse_data::accounts::Accounts;

use crate::identity::{self, Identity, Secret, cart_of_guest, cart_of_user};
use crate::news::LocalBus;
use crate::state::{AppState, Rooms};

/// What a page knows of its visitor. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Visitor(Arc<Inner>);

struct Inner {
    state: AppState,
    /// Names the session, to ask again whether it runs.
    session: Option<Box<str>>,
    account: Option<Arc<Identity>>,
    cart: CartId,
    /// The cart was named by this very request: nothing can be in it yet.
    cart_is_new: bool,
}

/// Left on a request whose visitor has just been given a cart.
#[derive(Clone, Copy)]
pub(crate) struct NewCart;

impl Visitor {
    /// What all requests share.
    pub(crate) fn state(&self) -> &AppState {
        &self.0.state
    }

    /// The rooms of the shop.
    pub(crate) fn rooms(&self) -> &Rooms {
        self.0.state.rooms()
    }

    /// Where news come from.
    pub(crate) fn bus(&self) -> &LocalBus {
        &self.rooms().bus
    }

    /// The account as it was when the page was opened: decides what is shown, never what is done.
    pub(crate) fn account(&self) -> Option<&Identity> {
        self.0.account.as_deref()
    }

    /// Names the session that opened the page; no secret.
    pub(crate) fn session(&self) -> Option<&str> {
        self.0.session.as_deref()
    }

    /// Whether the page was opened by somebody with that permission: decides what is shown, never what is done.
    pub(crate) fn seems_to_have(&self, permission: Permission) -> bool {
        self.account().is_some_and(|account| account.principal.may(permission))
    }

    /// The cart that this visitor fills.
    pub(crate) fn cart(&self) -> CartId {
        self.0.cart
    }

    /// Whether nothing can be in the cart: whoever passes by without cookies wakes none.
    pub(crate) fn cart_is_new(&self) -> bool {
        self.0.cart_is_new
    }

    /// In whose name to act now: a guest's, where the session has ended.
    pub(crate) async fn who(&self) -> Result<Principal, Halt> {
        let Some(session) = &self.0.session else { return Ok(Principal::Guest) };
        let found = identity::resolve(&self.0.state, session, Secret::SessionId).await;
        let account = found.map_err(|_| Halt::UNAVAILABLE)?;
        Ok(account.map_or(Principal::Guest, |account| account.principal.clone()))
    }
}

/// Whom a group of pages lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admits {
    /// Everybody: the shop.
    Everybody,
    /// Who is signed in: one's own account.
    Accounts,
    /// Who works here: the office. Each action asks for its own permission besides.
    Staff,
}

/// The guard of a group of pages.
pub(crate) struct Visitors {
    pub(crate) state: AppState,
    pub(crate) admits: Admits,
}

/// Where one signs in, to come back to `next` afterwards.
pub(crate) fn sign_in_first(next: &LocalPath) -> LocalPath {
    LocalPath::of("/login").query("next", next.as_str())
}

const SESSION: &str = "session";
const CART: &str = "cart";
const NEW: &str = "new";

impl Guard for Visitors {
    type Scope = Visitor;

    async fn session(&self, request: &Parts) -> Session {
        let config = self.state.config();
        let mut kept = Session::default();
        if let Some(secret) = identity::session_of(&request.headers, config) {
            kept = kept.with(SESSION, Accounts::session_id(secret));
        }
        if let Some(secret) = identity::guest_cart_of(&request.headers, config) {
            kept = kept.with(CART, cart_of_guest(secret).to_string());
        }
        if request.extensions.get::<NewCart>().is_some() {
            kept = kept.with(NEW, "");
        }
        kept
    }

    async fn admit(&self, visit: Visit<'_>) -> Result<Visitor, Halt> {
        let session = visit.session.get(SESSION);
        let account = match session {
            Some(session) => identity::resolve(&self.state, session, Secret::SessionId)
                .await
                .map_err(|_| Halt::UNAVAILABLE)?,
            None => None,
        };
        match (self.admits, &account) {
            (Admits::Everybody, _) | (Admits::Accounts, Some(_)) => {}
            (Admits::Staff, Some(account)) if account.principal.may(Permission::SeeOrders) => {}
            (Admits::Staff, Some(_)) => return Err(Halt::FORBIDDEN),
            (Admits::Accounts | Admits::Staff, None) => {
                let login = Halt::redirect(sign_in_first(visit.uri));
                return Err(login.with_flash("error", "Please sign in first."));
            }
        }
        let cart = match &account {
            Some(account) => cart_of_user(account.user),
            // Every page's request has a cart's cookie: one without is forged or broken, and gets nobody's cart.
            None => {
                visit.session.get(CART).and_then(|cart| cart.parse().ok()).unwrap_or(CartId(rand::random()))
            }
        };
        let session = session.filter(|_| account.is_some()).map(Into::into);
        // Once the page is connected, something may have been put in since.
        let cart_is_new = !visit.connected && account.is_none() && visit.session.get(NEW).is_some();
        Ok(Visitor(Arc::new(Inner { state: self.state.clone(), session, account, cart, cart_is_new })))
    }
}
