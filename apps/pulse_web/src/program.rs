//! Channels for programs, on `/socket`: stock, one order, figures of trade.
//!
//! **Invariant.** A program sees what the API would answer it. Whoever proves itself with a token is asked again as long
//! as it listens, so a token that is revoked ends what it has opened. What many hear is read and encoded once.
//!
//! | topic | who | what comes |
//! |---|---|---|
//! | `shop:stock` | everybody | the answer to a join with `{"skus": […]}` has those products; then `stock` with those that have changed, and `reset` where so many have that they should be read again |
//! | `order:ID` | its buyer, and who sees orders | the answer has the order as the API shows it; then `order` with the whole order each time that something has happened to it |
//! | `ops:metrics` | who sees orders | `metrics`, once a second |

/// Topics, who may join them, and what comes: for the API's description.
pub(crate) const GUIDE: [(&str, &str, &str); 3] = [
    (
        "shop:stock",
        "everybody",
        "a join with {\"skus\": […]}, at most 200, is answered with those products; then `stock` has the products that \
         have changed, and `reset` says that so many have that they should be read again",
    ),
    (
        "order:ID",
        "its buyer, and who sees orders",
        "a join is answered with the order; then `order` has the whole order each time that something has happened to it",
    ),
    (
        "ops:metrics",
        "who sees orders",
        "`metrics` once a second: orders and revenue of the last minute, open pages and sockets",
    ),
];

mod metrics;
mod order;
mod stock;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use channels::{Broadcaster, Connect, Endpoint, JoinRefused, Refused, Socket};
use pulse_core::{Permission, Principal};

use crate::identity::{self, Secret};
use crate::state::AppState;

/// How often a channel that is not public asks whether it still may be heard.
const ASK_AGAIN: Duration = Duration::from_secs(15);

/// The sockets of programs.
#[derive(Clone)]
pub(crate) struct Programs {
    endpoint: Endpoint<ProgramSocket>,
}

impl Programs {
    /// Opens the sockets. `pages` says how many pages and how many of their sockets are open.
    pub(crate) async fn open(
        state: &AppState,
        pages: impl Fn() -> (u64, u64) + Send + Sync + 'static,
    ) -> Result<Self, otp::Exit> {
        let (broadcaster, open) = (Broadcaster::new(), Arc::new(AtomicU64::new(0)));
        let sockets = open.clone();
        let open_now = move || {
            let (pages, of_pages) = pages();
            metrics::Open { pages, sockets: of_pages + sockets.load(Ordering::Relaxed) }
        };
        let metrics = metrics::Ticker::new(state.clone(), broadcaster.clone(), Box::new(open_now));
        let stock = stock::Relay::new(state.clone(), broadcaster.clone());
        let endpoint = Endpoint::builder(ProgramSocket { state: state.clone(), open })
            .broadcaster(broadcaster)
            .channel::<stock::Stock>(stock::TOPIC, stock)
            .channel::<order::Order>("order:*", state.clone())
            .channel::<metrics::Metrics>(metrics::TOPIC, metrics)
            .start()
            .await?;
        Ok(Self { endpoint })
    }

    pub(crate) fn routes(&self) -> Router<AppState> {
        self.endpoint.routes("/socket")
    }

    pub(crate) fn stats(&self) -> channels::Stats {
        self.endpoint.stats()
    }

    pub(crate) async fn drain(&self, patience: Duration) -> bool {
        self.endpoint.drain(patience).await
    }
}

/// Lets programs in.
struct ProgramSocket {
    state: AppState,
    /// Sockets that are open.
    open: Arc<AtomicU64>,
}

/// Who has connected.
struct Program {
    state: AppState,
    /// What it has proved itself with; nothing for a guest.
    token: Option<Box<str>>,
    open: Arc<AtomicU64>,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Socket for ProgramSocket {
    type Assigns = Program;

    async fn connect(&self, connect: Connect) -> Result<Program, Refused> {
        let token = connect.auth_token.as_deref().or_else(|| connect.param("token"));
        if let Some(token) = token {
            match identity::resolve(&self.state, token, Secret::Token).await {
                Ok(Some(_)) => {}
                Ok(None) => return Err(Refused::Unauthorized),
                Err(_) => return Err(Refused::Unavailable),
            }
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Program { state: self.state.clone(), token: token.map(Into::into), open: self.open.clone() })
    }
}

/// Why a program is not told something. The same word for what it may not see and what there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deaf {
    /// No token, or one that is revoked.
    Unauthorized,
    /// Not for this one.
    NotFound,
    /// The store can't answer.
    Unavailable,
}

impl Deaf {
    const fn reason(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not found",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<Deaf> for JoinRefused {
    fn from(deaf: Deaf) -> Self {
        Self::reason(deaf.reason())
    }
}

impl Program {
    /// In whose name it asks now.
    async fn who(&self) -> Result<Principal, Deaf> {
        let Some(token) = &self.token else { return Err(Deaf::Unauthorized) };
        match identity::resolve(&self.state, token, Secret::Token).await {
            Ok(Some(found)) => Ok(found.principal.clone()),
            Ok(None) => Err(Deaf::Unauthorized),
            Err(_) => Err(Deaf::Unavailable),
        }
    }

    async fn who_sees_orders(&self) -> Result<Principal, Deaf> {
        let who = self.who().await?;
        if who.may(Permission::SeeOrders) { Ok(who) } else { Err(Deaf::Unauthorized) }
    }
}
