//! Signing in and up: plain forms, which `entry` answers; a page's live half only says early what is wrong.
//!
//! **Invariant.** Works without a script. What `entry` refuses comes back here with its reason and the e-mail address, and
//! where one wanted to go is kept. Links to these pages load them whole: a form's proof comes with the document.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, LocalPath, Page, Params, Rendered, html};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::TextField;
use super::super::visitor::Visitor;
use super::typed::{self, Secret};
use crate::field::{Email, Password};
use crate::news::News;

/// Where to go afterwards.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The form as it is typed; also how it comes back after a lost connection.
    Check(Params),
    /// The form is to be sent: the browser does, once nothing is wrong.
    Send(Params),
}

/// The form of an account: what both views have.
struct Entry {
    frame: Frame,
    visitor: Visitor,
    form: Form,
    next: String,
}

impl Entry {
    async fn open<V>(wanted: &Wanted, cx: &mut Ctx<'_, V>) -> Result<Self, Halt>
    where
        V: LiveView<Scope = Visitor, Info = Arc<News>>,
    {
        let visitor = cx.scope().clone();
        let next = LocalPath::parse(&wanted.next);
        if visitor.account().is_some() {
            return Err(Halt::redirect(next.unwrap_or_else(|_| LocalPath::of("/account"))));
        }
        let frame = Frame::open(Place::Account, cx, |news| news).await;
        let email = cx.flash().get("email").unwrap_or_default().to_owned();
        let next = next.map(|next| next.to_string()).unwrap_or_default();
        Ok(Self { frame, visitor, form: Form::new("account").with("email", email), next })
    }

    /// The address of the other form, which goes on to the same place.
    fn other(&self, path: &'static str) -> String {
        let path = LocalPath::of(path);
        if self.next.is_empty() { path.to_string() } else { path.query("next", &self.next).to_string() }
    }

    fn email(&self) -> TextField<'_> {
        TextField {
            field: self.form.field("email"),
            label: "E-mail",
            kind: "email",
            autocomplete: Some("username"),
            hint: None,
            required: true,
        }
    }

    /// What a plain form needs beside its fields.
    fn hidden(&self, page: &Page) -> Rendered {
        html! {
            <div hidden=true>
                <input type="hidden" id="proof" name="_csrf_token" value={page.csrf_token()} phx-update="ignore"/>
                <input type="hidden" name="next" value={self.next.as_str()}/>
            </div>
        }
    }
}

/// Signing in.
pub(crate) struct Login(Entry);

impl LiveView for Login {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("Sign in");
        Ok(Self(Entry::open(wanted, cx).await?))
    }

    async fn handle_event(&mut self, event: Event, _: &mut Ctx<'_, Self>) {
        // Any address and any password may be tried: which is wrong is not told.
        let (Event::Check(typed) | Event::Send(typed)) = event;
        self.0.form = self.0.form.clone().typed(&typed);
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.0.frame.heard(&news, &self.0.visitor).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let entry = &self.0;
        let content = html! {
            <section class="narrow stack" aria-labelledby="title">
                <h1 id="title">Sign in</h1>
                <form id="login" class="sheet fields" action="/login" method="post" phx-change="check">
                    {entry.hidden(page)}
                    {entry.email().render()}
                    <Secret field={entry.form.field("password")} label="Password" autocomplete="current-password" hint={None}/>
                    <button class="btn wide" type="submit">Sign in</button>
                </form>
                <p>New here? <a href={entry.other("/register")}>Make an account</a></p>
                <p><a href="/password/forgot">I forgot my password</a></p>
            </section>
        };
        entry.frame.around(page, &entry.visitor, content)
    }
}

/// Signing up.
pub(crate) struct Register {
    entry: Entry,
    /// Nothing is wrong any more: the browser sends the form.
    ready: bool,
}

impl LiveView for Register {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("Make an account");
        Ok(Self { entry: Entry::open(wanted, cx).await?, ready: false })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        let (form, send) = match event {
            Event::Check(typed) => (self.entry.form.clone().typed(&typed), false),
            Event::Send(typed) => (self.entry.form.clone().submitted(&typed), true),
        };
        self.entry.form = form;
        let email = typed::read_trimmed::<Email>(&mut self.entry.form, "email").is_some();
        let password = typed::read::<Password>(&mut self.entry.form, "password").is_some();
        self.ready = send && email && password;
        if send && !self.ready {
            cx.push_event("first-error", serde_json::json!({ "form": "register" }));
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.entry.frame.heard(&news, &self.entry.visitor).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let entry = &self.entry;
        let content = html! {
            <section class="narrow stack" aria-labelledby="title">
                <h1 id="title">Make an account</h1>
                <form id="register" class="sheet fields" action="/register" method="post" phx-change="check" phx-submit="send"
                    phx-hook="FirstError" phx-trigger-action={self.ready}>
                    {entry.hidden(page)}
                    {entry.email().render()}
                    <Secret field={entry.form.field("password")} label="Password" autocomplete="new-password"
                        hint={Some(format!("{} characters or more. Length is what counts.", Password::MIN))}/>
                    <button class="btn wide" type="submit">Make my account</button>
                </form>
                <p>You have one? <a href={entry.other("/login")}>Sign in</a></p>
            </section>
        };
        entry.frame.around(page, &entry.visitor, content)
    }
}
