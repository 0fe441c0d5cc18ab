//! The application that the tests drive: two public views, one for members.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use live::token::Keys;
use live::{
    Component, Ctx, Dyn, Form, Guard, Halt, Live, LiveComponent, LiveSession, LiveView, LocalPath, Page,
    Params, Public, Rendered, Session, TaskCrashed, Visit, each,
};
use otp::PubSub;
use serde::Deserialize;

/// Markup of a template that stands at its call site, and its values.
macro_rules! markup {
    ([$($text:literal),*], [$($value:expr),* $(,)?]) => {{
        static TEMPLATE: live::Template = live::Template::new(&[$($text),*], true);
        live::Rendered::new(&TEMPLATE, vec![$(crate::app::value($value)),*])
    }};
}
pub(crate) use markup;

pub(crate) fn value(value: impl Into<Value>) -> Dyn {
    value.into().0
}

pub(crate) struct Value(Dyn);

impl From<Dyn> for Value {
    fn from(value: Dyn) -> Self {
        Self(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(Dyn::text(live::html::escape(text).into_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Rendered> for Value {
    fn from(nested: Rendered) -> Self {
        Self(Dyn::Nested(nested))
    }
}

impl From<live::List> for Value {
    fn from(list: live::List) -> Self {
        Self(Dyn::List(list))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(Dyn::empty()), Into::into)
    }
}

pub(crate) type Bus = PubSub<&'static str, i64>;

/// What every public view has.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) bus: Bus,
}

/// Counts, lists, checks a form and goes places.
pub(crate) struct Home {
    count: i64,
    items: Vec<u32>,
    form: Form,
    page: u32,
    note: String,
    like: Option<Component<Like>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Add { by: i64 },
    Reverse,
    Drop { id: u32 },
    Check(Params),
    Save(Params),
    Page { to: u32 },
    Leave { flash: String },
    Away,
    Title,
    Ask { question: String },
    Crash,
    Work { panic: bool },
    CancelWork,
    Later,
    Like { shown: bool },
    Tell { likes: u32 },
    Circle,
}

pub(crate) enum Info {
    Stock(Arc<i64>),
    Worked(Result<u32, TaskCrashed>),
    Late,
}

#[derive(Deserialize)]
pub(crate) struct HomeParams {
    page: Option<u32>,
    circle: Option<bool>,
}

#[derive(Deserialize)]
struct Order {
    qty: u32,
    note: Option<String>,
}

impl Home {
    fn check(&mut self) -> Option<Order> {
        let order: Option<Order> = self.form.read();
        if order.as_ref().is_some_and(|order| order.qty > 9) {
            self.form.errors.add("qty", "is too many");
            return None;
        }
        order
    }
}

impl LiveView for Home {
    type Scope = Services;
    type Params = HomeParams;
    type Event = Event;
    type Info = Info;

    async fn mount(_: &HomeParams, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("Home");
        cx.subscribe(&cx.scope().bus, "stock", Info::Stock);
        Ok(Self {
            count: 0,
            items: vec![1, 2, 3],
            form: Form::new("order"),
            page: 1,
            note: String::new(),
            like: None,
        })
    }

    async fn handle_params(&mut self, params: HomeParams, cx: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        self.page = params.page.unwrap_or(1);
        if params.circle == Some(true) {
            cx.push_patch(LocalPath::of("/?circle=true"));
        }
        match self.page {
            0 => Err(Halt::NOT_FOUND),
            99 => Err(Halt::redirect(LocalPath::of("/?page=1")).with_flash("error", "No such page.")),
            _ => Ok(()),
        }
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Add { by } => self.count += by,
            Event::Reverse => self.items.reverse(),
            Event::Drop { id } => self.items.retain(|item| *item != id),
            Event::Check(params) => {
                self.form = self.form.clone().typed(&params);
                self.check();
            }
            Event::Save(params) => {
                self.form = self.form.clone().submitted(&params);
                if let Some(order) = self.check() {
                    self.note = format!("{} {}", order.qty, order.note.unwrap_or_default());
                    cx.put_flash("info", "Saved.");
                    cx.push_patch(LocalPath::of("/").query("page", 7));
                }
            }
            Event::Page { to } => cx.push_patch(LocalPath::of("/").query("page", to)),
            Event::Leave { flash } => {
                cx.put_flash("info", flash);
                cx.push_navigate(LocalPath::of("/about").segment("a/b"));
            }
            Event::Away => cx.redirect(LocalPath::of("/plain")),
            Event::Title => {
                cx.set_title("Another & more");
                cx.push_event("greet", serde_json::json!({ "name": "Bo" }));
            }
            Event::Ask { question } => cx.reply(serde_json::json!({ "answer": question.len() })),
            Event::Crash => panic!("asked to"),
            Event::Work { panic } => cx.start_async(
                "work",
                async move {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    assert!(!panic, "asked to");
                    42
                },
                Info::Worked,
            ),
            Event::CancelWork => {
                cx.cancel_async("work");
            }
            Event::Later => {
                cx.send_after(Duration::from_secs(3), Info::Late);
            }
            Event::Like { shown } => {
                self.like =
                    shown.then(|| self.like.take().unwrap_or_else(|| cx.component(Like { likes: 0 })));
            }
            Event::Tell { likes } => {
                if let Some(like) = &self.like {
                    cx.update(like, likes).await;
                }
            }
            Event::Circle => cx.push_patch(LocalPath::of("/?circle=true")),
        }
    }

    async fn handle_info(&mut self, info: Info, _: &mut Ctx<'_, Self>) {
        match info {
            Info::Stock(left) => self.count = *left,
            Info::Worked(result) => {
                self.note = result.map_or_else(|error| error.to_string(), |n| n.to_string());
            }
            Info::Late => self.note = "late".into(),
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let qty = self.form.field("qty");
        let note = self.form.field("note");
        let form = markup!(
            [
                "<form id=\"order\" phx-change=\"check\" phx-submit=\"save\"><input name=\"order[qty]\" value=\"",
                "\"><b id=\"qty-errors\">",
                "</b><textarea name=\"order[note]\">",
                "</textarea></form>"
            ],
            [qty.value.as_ref(), qty.errors.join(", "), note.value.as_ref()]
        );
        let items = each(
            &self.items,
            |id| **id,
            |id| {
                markup!(
                    ["<li><a phx-click=\"drop\" phx-value-id=\"", "\">", "</a></li>"],
                    [id.to_string(), id.to_string()]
                )
            },
        );
        let flash = page.flash().get("info").or(page.flash().get("error")).map(str::to_owned);
        let flash = flash.map(|message| {
            markup!(
                ["<p id=\"flash\" phx-click=\"lv:clear-flash\" phx-value-key=\"info\">", "</p>"],
                [message]
            )
        });
        markup!(
            [
                "<main><p id=\"count\">",
                "</p>",
                "<ul>",
                "</ul><i id=\"page\">",
                "</i><u id=\"note\">",
                "</u>",
                "<a id=\"add\" phx-click=\"add\" phx-value-by=\"2\"></a><a id=\"rev\" phx-click=\"reverse\"></a>\
                 <div id=\"hook\" phx-hook=\"Ask\"></div>\
                 <button id=\"dead\" disabled phx-click=\"add\" phx-value-by=\"1\"></button>",
                "</main>"
            ],
            [
                self.count.to_string(),
                (self.count > 2)
                    .then(|| markup!(["<b id=\"big\">", " is big</b>"], [self.count.to_string()])),
                items,
                self.page.to_string(),
                self.note.as_str(),
                form,
                flash.map_or_else(
                    || self.like.as_ref().map(Component::place),
                    |flash| Some(Dyn::Nested(flash))
                ),
            ]
        )
    }
}

/// A component that counts for itself.
pub(crate) struct Like {
    likes: u32,
}

impl Like {
    pub(crate) fn of(likes: u32) -> Self {
        Self { likes }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LikeEvent {
    Like,
    Shout,
}

impl LiveComponent for Like {
    type Event = LikeEvent;
    type Update = u32;

    async fn update(&mut self, likes: u32, _: &mut Page) {
        self.likes = likes;
    }

    async fn handle_event(&mut self, event: LikeEvent, page: &mut Page) {
        match event {
            LikeEvent::Like => self.likes += 1,
            LikeEvent::Shout => page.put_flash("info", "Liked!"),
        }
    }

    fn render(&self, cid: live::Cid) -> Rendered {
        markup!(
            [
                "<section><a id=\"like\" phx-click=\"like\" phx-target=\"",
                "\">",
                " likes</a><a id=\"shout\" phx-click=\"shout\" phx-target=\"",
                "\"></a></section>"
            ],
            [cid.to_string(), self.likes.to_string(), cid.to_string()]
        )
    }
}

/// Another view of the same group.
pub(crate) struct About {
    topic: String,
}

#[derive(Deserialize)]
pub(crate) struct AboutParams {
    topic: String,
}

impl LiveView for About {
    type Scope = Services;
    type Params = AboutParams;
    type Event = ();
    type Info = ();

    async fn mount(params: &AboutParams, _: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        match params.topic.as_str() {
            "secret" => Err(Halt::FORBIDDEN),
            "crash" => panic!("asked to"),
            topic => Ok(Self { topic: topic.to_owned() }),
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let flash = page.flash().get("info").unwrap_or_default();
        markup!(["<main><h1>", "</h1><p id=\"flash\">", "</p></main>"], [self.topic.as_str(), flash])
    }
}

/// Members only.
pub(crate) struct Members;

impl Guard for Members {
    type Scope = String;

    async fn session(&self, request: &Parts) -> Session {
        let user = request.headers.get("x-user").and_then(|user| user.to_str().ok());
        user.map_or_else(Session::default, |user| Session::default().with("user", user))
    }

    async fn admit(&self, visit: Visit<'_>) -> Result<String, Halt> {
        match visit.session.get("user") {
            Some("gone") if visit.connected => Err(Halt::redirect(LocalPath::of("/"))),
            Some(user) => Ok(user.to_owned()),
            None => Err(Halt::redirect(LocalPath::of("/")).with_flash("error", "Please log in.")),
        }
    }
}

pub(crate) struct Account;

impl LiveView for Account {
    type Scope = String;
    type Params = ();
    type Event = ();
    type Info = ();

    async fn mount((): &(), _: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        Ok(Self)
    }

    fn render(&self, _: &Page) -> Rendered {
        markup!(["<h1>account</h1>"], [])
    }
}

pub(crate) fn keys(secrets: &[u8]) -> Keys {
    Keys::new(secrets.iter().map(|secret| [*secret; 32])).unwrap()
}

pub(crate) fn live_with(keys: Keys, bus: &Bus) -> Live {
    let services = Services { bus: bus.clone() };
    let public = LiveSession::new("public", Public(services))
        .view::<Home>("/")
        .view::<About>("/about/{topic}")
        .view::<crate::streams::Log>("/log");
    let other =
        LiveSession::new("other", Public(Services { bus: bus.clone() })).view::<About>("/other/{topic}");
    let members = LiveSession::new("members", Members).view::<Account>("/account");
    Live::builder(keys).session(public).session(other).session(members).build().unwrap()
}

pub(crate) fn live() -> Live {
    live_with(keys(&[1]), &Bus::new())
}
