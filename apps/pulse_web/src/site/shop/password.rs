//! A forgotten password: asking for a letter, and the new password that its link leads to.
//!
//! **Invariant.** Plain forms, which `posts` answers. Whether an address has an account is not told.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, Page, Params, Rendered, html};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::TextField;
use super::super::visitor::Visitor;
use super::typed::{self, Secret};
use crate::field::{Email, Password};
use crate::news::News;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The form as it is typed.
    Check(Params),
    /// The form is to be sent: the browser does, once nothing is wrong.
    Send(Params),
}

/// Asking for the letter.
pub(crate) struct Forgot {
    frame: Frame,
    visitor: Visitor,
    form: Form,
    ready: bool,
}

fn take(form: &Form, event: Event) -> (Form, bool) {
    match event {
        Event::Check(typed) => (form.clone().typed(&typed), false),
        Event::Send(typed) => (form.clone().submitted(&typed), true),
    }
}

impl LiveView for Forgot {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Arc<News>;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("A new password");
        let frame = Frame::open(Place::Account, cx, |news| news).await;
        let email = cx.flash().get("email").unwrap_or_default().to_owned();
        let form = Form::new("account").with("email", email);
        Ok(Self { frame, visitor: cx.scope().clone(), form, ready: false })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        let (form, send) = take(&self.form, event);
        self.form = form;
        self.ready = typed::read_trimmed::<Email>(&mut self.form, "email").is_some() && send;
        if send && !self.ready {
            cx.push_event("first-error", serde_json::json!({ "form": "forgot" }));
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.frame.heard(&news, &self.visitor).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let email = TextField {
            field: self.form.field("email"),
            label: "E-mail",
            kind: "email",
            autocomplete: Some("username"),
            hint: Some("We send a link there, if there is such an account."),
            required: true,
        };
        let content = html! {
            <section class="narrow stack" aria-labelledby="title">
                <h1 id="title">A new password</h1>
                <form id="forgot" class="sheet fields" action="/password/forgot" method="post" phx-change="check" phx-submit="send"
                    phx-hook="FirstError" phx-trigger-action={self.ready}>
                    <input type="hidden" id="proof" name="_csrf_token" value={page.csrf_token()} phx-update="ignore"/>
                    {email.render()}
                    <button class="btn wide" type="submit">Send me a link</button>
                </form>
                <p><a href="/login">Back to signing in</a></p>
            </section>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

/// What the letter's link says.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    token: String,
}

/// Choosing the new one.
pub(crate) struct Reset {
    frame: Frame,
    visitor: Visitor,
    form: Form,
    token: String,
    ready: bool,
}

impl LiveView for Reset {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("A new password");
        let frame = Frame::open(Place::Account, cx, |news| news).await;
        let (visitor, token) = (cx.scope().clone(), wanted.token.clone());
        Ok(Self { frame, visitor, form: Form::new("account"), token, ready: false })
    }

    async fn handle_event(&mut self, event: Event, _: &mut Ctx<'_, Self>) {
        let (form, send) = take(&self.form, event);
        self.form = form;
        self.ready = typed::read::<Password>(&mut self.form, "password").is_some() && send;
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.frame.heard(&news, &self.visitor).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let content = html! {
            <section class="narrow stack" aria-labelledby="title">
                <h1 id="title">Choose a new password</h1>
                <form id="reset" class="sheet fields" action="/password/reset" method="post" phx-change="check" phx-submit="send"
                    phx-trigger-action={self.ready}>
                    <input type="hidden" id="proof" name="_csrf_token" value={page.csrf_token()} phx-update="ignore"/>
                    <input type="hidden" name="token" value={self.token.as_str()}/>
                    <Secret field={self.form.field("password")} label="New password" autocomplete="new-password"
                        hint={Some(format!("{} characters or more. Length is what counts.", Password::MIN))}/>
                    <button class="btn wide" type="submit">Set the password</button>
                </form>
                <p class="soft small">Wherever you are signed in, you will be signed out.</p>
            </section>
        };
        self.frame.around(page, &self.visitor, content)
    }
}
