//! Every part of a live page on one page: what the checks in a real browser drive (`tests/browser`).
//!
//! `cargo run --example tour -- --port 4000` and a browser at <http://127.0.0.1:4000>; needs `npm ci` in `tests/browser`.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use live::js::{Js, Show, To};
use live::token::Keys;
use live::{
    At, Cid, Component, Ctx, Document, Form, Halt, Live, LiveComponent, LiveSession, LiveView, LocalPath,
    Page, Params, Public, Rendered, Stream, each, html,
};
use serde::Deserialize;

struct Tour {
    count: i64,
    items: Vec<u32>,
    form: Form,
    saved: String,
    page: u32,
    log: Stream<u32>,
    logged: u32,
    like: Component<Like>,
    like_shown: bool,
    /// Stands in the first line of the log.
    mark: Component<Like>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Inc { by: i64 },
    Reverse,
    Prepend,
    Clear,
    Check(Params),
    Save(Params),
    Goto { page: u32 },
    Leave,
    Plain,
    Title,
    Greet,
    Double { n: i64 },
    Later,
    Crash,
    Log,
    Unlog,
    Relog,
    Like { shown: bool },
    Mark { likes: u32 },
}

enum Info {
    Late,
}

#[derive(Deserialize)]
struct TourParams {
    page: Option<u32>,
}

#[derive(Deserialize)]
struct Person {
    name: String,
    age: u8,
}

impl LiveView for Tour {
    type Scope = ();
    type Params = TourParams;
    type Event = Event;
    type Info = Info;

    async fn mount(_: &TourParams, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("Tour");
        let mut log = cx.stream("log", |n: &u32| format!("log-{n}"));
        log.insert(1);
        log.insert(2);
        Ok(Self {
            count: 0,
            items: vec![1, 2, 3, 4],
            form: Form::new("person"),
            saved: String::new(),
            page: 1,
            log,
            logged: 2,
            like: cx.component(Like { likes: 0 }),
            like_shown: true,
            mark: cx.component(Like { likes: 0 }),
        })
    }

    async fn handle_params(&mut self, params: TourParams, _: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        self.page = params.page.unwrap_or(1);
        Ok(())
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Inc { by } => self.count += by,
            Event::Reverse => self.items.reverse(),
            Event::Prepend => self.items.insert(0, 9),
            Event::Clear => self.items.clear(),
            Event::Check(params) => {
                self.form = std::mem::replace(&mut self.form, Form::new("person")).typed(&params);
                self.person();
            }
            Event::Save(params) => {
                self.form = std::mem::replace(&mut self.form, Form::new("person")).submitted(&params);
                if let Some(Person { name, age }) = self.person() {
                    self.saved = format!("{name} is {age}");
                    cx.put_flash("info", "Saved.");
                    cx.push_patch(LocalPath::of("/").query("page", 7));
                }
            }
            Event::Goto { page } => cx.push_patch(LocalPath::of("/").query("page", page)),
            Event::Leave => {
                cx.put_flash("info", "You left.");
                cx.push_navigate(LocalPath::of("/about").segment("flash"));
            }
            Event::Plain => cx.redirect(LocalPath::of("/plain")),
            Event::Title => cx.set_title("Second title"),
            Event::Greet => cx.push_event("greet", serde_json::json!({ "name": "Ada" })),
            Event::Double { n } => cx.reply(serde_json::json!({ "doubled": n * 2 })),
            Event::Later => {
                cx.send_after(Duration::from_millis(50), Info::Late);
            }
            Event::Crash => panic!("the crash button was pressed"),
            Event::Log => {
                self.logged += 1;
                self.log.insert_at(At::Start, self.logged);
            }
            Event::Unlog => self.log.delete(&1),
            Event::Relog => self.log.reset([7, 8]),
            Event::Like { shown } => self.like_shown = shown,
            Event::Mark { likes } => {
                self.count += 1;
                cx.update(&self.mark, likes).await;
            }
        }
    }

    async fn handle_info(&mut self, info: Info, _: &mut Ctx<'_, Self>) {
        match info {
            Info::Late => self.saved = "late".into(),
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let menu = Js::new().toggle("#menu").toggle_class("open", "#tools");
        let focus = Js::new().focus("#person_age").set_attribute("data-seen", "yes", "#tools").push("greet");
        html! {
            <main id="tour">
                {flash(page)}
                <p id="count">{self.count}</p>
                {if self.count > 2 { html! { <b id="big">"big "{self.count}</b> } }}
                <button id="inc" phx-click="inc" phx-value-by="1">+</button>
                <ul id="items">
                    {each(&self.items, |id| **id, |id| html! { <li id={format!("item-{id}")}>{*id}</li> })}
                </ul>
                <button id="reverse" phx-click="reverse">reverse</button>
                <button id="prepend" phx-click="prepend">prepend</button>
                <button id="clear" phx-click="clear">clear</button>
                {self.person_form()}
                <p id="saved">{&self.saved}</p>
                <p id="page">{self.page}</p>
                <a id="patch" href="/?page=5" data-phx-link="patch" data-phx-link-state="push">five</a>
                <a id="about" href="/about/link" data-phx-link="redirect" data-phx-link-state="push">about</a>
                <a id="members" href="/members" data-phx-link="redirect" data-phx-link-state="push">members</a>
                <button id="goto" phx-click="goto" phx-value-page="6">six</button>
                <button id="leave" phx-click="leave">leave</button>
                <button id="plain" phx-click="plain">plain</button>
                <button id="title" phx-click="title">title</button>
                <button id="greet" phx-click="greet">greet</button>
                <button id="later" phx-click="later">later</button>
                <button id="crash" phx-click="crash">crash</button>
                <div id="hook" phx-hook="Double" phx-update="ignore"></div>
                <div id="tools">
                    <button id="toggle" phx-click={&menu}>menu</button>
                    <button id="focus" phx-click={&focus}>focus</button>
                    <nav id="menu" style="display: none">menu</nav>
                </div>
                <ol id="log" phx-update="stream">
                    {self.log.render(|id, n| html! { <li id={id}>{*n}{(*n == 8).then(|| self.mark.place())}</li> })}
                </ol>
                <button id="log-add" phx-click="log">log</button>
                <button id="log-delete" phx-click="unlog">unlog</button>
                <button id="log-reset" phx-click="relog">relog</button>
                <button id="mark" phx-click="mark" phx-value-likes="5">mark</button>
                {if self.like_shown { self.like.place() } else { live::Dyn::empty() }}
                <button id="like-hide" phx-click="like" phx-value-shown="false">hide</button>
                <button id="like-show" phx-click="like" phx-value-shown="true">show</button>
            </main>
        }
    }
}

impl Tour {
    fn person(&mut self) -> Option<Person> {
        let person: Option<Person> = self.form.read();
        if person.as_ref().is_some_and(|person| person.name.is_empty()) {
            self.form.errors.add("name", "is missing");
            return None;
        }
        person
    }

    fn person_form(&self) -> Rendered {
        let (name, age) = (self.form.field("name"), self.form.field("age"));
        html! {
            <form id="person" phx-change="check" phx-submit="save" action="/plain" method="get">
                <input id={&name.id} name={&name.name} value={&*name.value}>
                <span id="name-errors">{name.errors.join(", ")}</span>
                <input id={&age.id} name={&age.name} value={&*age.value}>
                <span id="age-errors">{age.errors.join(", ")}</span>
                <span id="echo">{&*name.value}</span>
                <button id="save">save</button>
            </form>
        }
    }
}

fn flash(page: &Page) -> Option<Rendered> {
    let message = page.flash().get("info")?;
    let clear = Js::new().push("lv:clear-flash").hide(Show::to(To::This));
    Some(html! { <p id="flash" role="status" phx-click={&clear}>{message}</p> })
}

struct Like {
    likes: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LikeEvent {
    Like,
}

impl LiveComponent for Like {
    type Event = LikeEvent;
    type Update = u32;

    async fn update(&mut self, likes: u32, _: &mut Page) {
        self.likes = likes;
    }

    async fn handle_event(&mut self, event: LikeEvent, _: &mut Page) {
        match event {
            LikeEvent::Like => self.likes += 1,
        }
    }

    fn render(&self, cid: Cid) -> Rendered {
        html! {
            <section id={format!("like-box-{cid}")}>
                <button id={format!("like-{cid}")} class="like" phx-click="like" phx-target={cid.get()}>{self.likes} likes</button>
            </section>
        }
    }
}

struct About {
    topic: String,
}

#[derive(Deserialize)]
struct AboutParams {
    topic: String,
}

impl LiveView for About {
    type Scope = ();
    type Params = AboutParams;
    type Event = ();
    type Info = ();

    async fn mount(params: &AboutParams, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("About");
        Ok(Self { topic: params.topic.clone() })
    }

    fn render(&self, page: &Page) -> Rendered {
        html! { <main id="about-page"><h1>{&self.topic}</h1>{flash(page)}</main> }
    }
}

const SCRIPT: &str = r#"
const meta = document.querySelector("meta[name=csrf-token]").content;
const hooks = { Double: { mounted() {
  window.double = (n) => new Promise((done) => this.pushEvent("double", { n }, done));
} } };
window.loads = Number(sessionStorage.getItem("loads") ?? 0) + 1;
sessionStorage.setItem("loads", window.loads);
const params = () => ({ _csrf_token: window.loads === Number(sessionStorage.getItem("forge")) ? "forged" : meta });
window.greeted = [];
window.addEventListener("phx:greet", (event) => window.greeted.push(event.detail.name));
window.liveSocket = new LiveView.LiveSocket("/live", Phoenix.Socket, { params, hooks });
window.liveSocket.connect();
"#;

fn layout(document: &Document<'_>) -> Rendered {
    html! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8">
                <meta name="csrf-token" content={document.csrf_token}>
                <title>{document.title.unwrap_or("Tour")}</title>
                <link rel="icon" href="data:,">
                <script defer src="/js/phoenix/phoenix.min.js"></script>
                <script defer src="/js/phoenix_live_view/phoenix_live_view.min.js"></script>
                <script defer src="/app.js"></script>
            </head>
            <body>{document.main()}</body>
        </html>
    }
}

/// The official clients as npm has installed them.
async fn client(
    axum::extract::Path((name, file)): axum::extract::Path<(String, String)>,
) -> impl axum::response::IntoResponse {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser/node_modules");
    let known = matches!(name.as_str(), "phoenix" | "phoenix_live_view") && !file.contains('/');
    let script = if known {
        std::fs::read_to_string(folder.join(name).join("priv/static").join(file)).ok()
    } else {
        None
    };
    match script {
        Some(script) => Ok(([(CONTENT_TYPE, "text/javascript")], script)),
        None => Err((axum::http::StatusCode::NOT_FOUND, "run `npm ci` in tests/browser")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| args.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1].as_str());
    let port: u16 = option("--port").unwrap_or("0").parse()?;
    let secrets = option("--secrets").unwrap_or("first").split(',').map(|secret| secret.repeat(32));
    let live = Live::builder(Keys::new(secrets)?)
        .session(
            LiveSession::new("tour", Public(()))
                .layout(|document, _| layout(document))
                .view::<Tour>("/")
                .view::<About>("/about/{topic}"),
        )
        .session(
            LiveSession::new("members", Public(()))
                .layout(|document, _| layout(document))
                .view::<About>("/{topic}"),
        )
        .build()?;
    let sockets = live.endpoint().start().await.map_err(|exit| exit.to_string())?;
    let app: Router = live
        .routes()
        .merge(sockets.routes("/live"))
        .route("/plain", get(|| async { Html("<h1 id=\"plain-page\">plain</h1>") }))
        .route("/app.js", get(|| async { ([(CONTENT_TYPE, "text/javascript")], SCRIPT) }))
        .route("/js/{name}/{file}", get(client));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
