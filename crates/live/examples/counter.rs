//! The smallest live page: a counter that all who have it open share.
//!
//! `cargo run -p live --example counter`, then <http://127.0.0.1:4000>; needs `npm ci` in `tests/browser`, from which the official
//! clients are served.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use live::token::Keys;
use live::{Ctx, Document, Halt, Live, LiveSession, LiveView, Page, Public, Rendered, html};
use otp::PubSub;
use serde::Deserialize;

/// What every view of the session is given.
#[derive(Clone)]
struct Shared {
    count: Arc<AtomicI64>,
    bus: PubSub<&'static str, i64>,
}

struct Counter {
    count: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Add { by: i64 },
}

enum Info {
    Changed(Arc<i64>),
}

impl LiveView for Counter {
    type Scope = Shared;
    type Params = ();
    type Event = Event;
    type Info = Info;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("Counter");
        cx.subscribe(&cx.scope().bus, "count", Info::Changed);
        Ok(Self { count: cx.scope().count.load(Ordering::SeqCst) })
    }

    async fn handle_event(&mut self, Event::Add { by }: Event, cx: &mut Ctx<'_, Self>) {
        let Shared { count, bus } = cx.scope();
        let now = count.fetch_add(by, Ordering::SeqCst) + by;
        bus.publish("count", now);
    }

    async fn handle_info(&mut self, Info::Changed(now): Info, _: &mut Ctx<'_, Self>) {
        self.count = *now;
    }

    fn render(&self, _: &Page) -> Rendered {
        html! {
            <main>
                <button phx-click="add" phx-value-by="-1">"-"</button>
                <output aria-live="polite">{self.count}</output>
                <button phx-click="add" phx-value-by="1">+</button>
            </main>
        }
    }
}

fn layout(document: &Document<'_>) -> Rendered {
    html! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8">
                <meta name="csrf-token" content={document.csrf_token}>
                <title>{document.title.unwrap_or_default()}</title>
                <script defer src="/client.js"></script>
            </head>
            <body>{document.main()}</body>
        </html>
    }
}

/// Both clients and the four lines that connect them.
fn script() -> Result<String, Box<dyn std::error::Error>> {
    let clients = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/browser/node_modules");
    let read = |file: &str| {
        std::fs::read_to_string(format!("{clients}/{file}"))
            .map_err(|error| format!("{file}: {error}; run `npm ci` in tests/browser"))
    };
    let connect = "const csrf = document.querySelector('meta[name=csrf-token]').content;
        new LiveView.LiveSocket('/live', Phoenix.Socket, { params: { _csrf_token: csrf } }).connect();";
    let phoenix = read("phoenix/priv/static/phoenix.min.js")?;
    let live_view = read("phoenix_live_view/priv/static/phoenix_live_view.min.js")?;
    Ok(format!("{phoenix};\n{live_view};\n{connect}"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shared = Shared { count: Arc::default(), bus: PubSub::new() };
    // A real application reads its secrets from where it keeps them.
    let live = Live::builder(Keys::new([b"only good for an example on loopback"])?)
        .session(
            LiveSession::new("public", Public(shared))
                .layout(|document, _| layout(document))
                .view::<Counter>("/"),
        )
        .build()?;
    let sockets = live.endpoint().start().await.map_err(|exit| exit.to_string())?;
    let script = script()?;
    let app: Router = live
        .routes()
        .merge(sockets.routes("/live"))
        .route("/client.js", get(move || async move { ([(CONTENT_TYPE, "text/javascript")], script) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:4000").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
