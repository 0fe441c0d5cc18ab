//! The desk behind one router: pages, their socket, the programs' socket, scripts and style.
//!
//! Invariant: sockets and pages share one desk and one presence.

use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use channels::{Broadcaster, Connect, Endpoint, Presence, Refused, Socket};
use live::token::{KeyError, Keys};
use live::{Document, Live, LiveSession, LiveSocket, Public, Rendered, RouteError, html};

use crate::desk::{Desk, FEED};
use crate::feed::Feed;
use crate::lobby::{LOBBY, Lobby};
use crate::page::{OrdersPage, Services};

/// Programs and browsers may connect without a name.
#[derive(Debug)]
pub struct Anybody;

impl Socket for Anybody {
    type Assigns = ();

    async fn connect(&self, _: Connect) -> Result<(), Refused> {
        Ok(())
    }
}

/// Why the desk can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The secret is too short.
    #[error("the secret can't be used: {0}")]
    Secret(#[from] KeyError),
    /// Two pages have one address.
    #[error(transparent)]
    Routes(#[from] RouteError),
    /// A supervisor did not start.
    #[error("the sockets' supervisor can't start: {0:?}")]
    Supervisor(otp::Exit),
}

/// The desk, open.
#[derive(Debug)]
pub struct Site {
    desk: Desk,
    live: Live,
    pages: Endpoint<LiveSocket>,
    programs: Endpoint<Anybody>,
}

impl Site {
    /// Opens the desk with an empty book.
    pub async fn open(secret: [u8; 32]) -> Result<Self, OpenError> {
        let broadcaster = Broadcaster::new();
        let desk = Desk::new(broadcaster.clone());
        let here = Presence::new(broadcaster.clone());
        let services = Services { desk: desk.clone(), here: here.clone() };
        let session =
            LiveSession::new("desk", Public(services)).layout(|page, _| layout(page)).view::<OrdersPage>("/");
        let live = Live::builder(Keys::new([secret])?).session(session).build()?;
        let pages = live.endpoint().start().await.map_err(OpenError::Supervisor)?;
        let programs = Endpoint::builder(Anybody)
            .broadcaster(broadcaster)
            .channel::<Feed>(FEED, desk.clone())
            .channel::<Lobby>(LOBBY, here)
            .start()
            .await
            .map_err(OpenError::Supervisor)?;
        Ok(Self { desk, live, pages, programs })
    }

    /// All that the desk answers.
    pub fn routes(&self) -> Router {
        self.live
            .routes()
            .merge(self.pages.routes("/live"))
            .merge(self.programs.routes("/socket"))
            .route("/app.css", get(([(CONTENT_TYPE, "text/css")], include_str!("../assets/app.css"))))
            .route("/app.js", get(([(CONTENT_TYPE, "text/javascript")], SCRIPT)))
    }

    /// The orders.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The pages, to be driven in process.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// The programs' sockets: for figures of them.
    pub fn programs(&self) -> &Endpoint<Anybody> {
        &self.programs
    }

    /// Closes all sockets, so that their clients go elsewhere. Whether all were gone in time.
    pub async fn drain(&self, patience: Duration) -> bool {
        let (pages, programs) = tokio::join!(self.pages.drain(patience), self.programs.drain(patience));
        pages && programs
    }
}

/// The official clients, unmodified, and what starts them.
const SCRIPT: &str = concat!(
    include_str!(concat!(env!("LIVE_CLIENTS"), "/phoenix.min.js")),
    ";\n",
    include_str!(concat!(env!("LIVE_CLIENTS"), "/phoenix_live_view.min.js")),
    ";\n",
    include_str!("../assets/app.js"),
);

fn layout(document: &Document<'_>) -> Rendered {
    html! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="csrf-token" content={document.csrf_token}>
                <title>{document.title.unwrap_or("Orders")}</title>
                <link rel="icon" href="data:,">
                <link rel="stylesheet" href="/app.css">
                <script defer src="/app.js"></script>
            </head>
            <body>{document.main()}</body>
        </html>
    }
}
