//! One's account: who one is, where one is signed in, and the way out.
//!
//! **Invariant.** Each action is asked for in the name of the session that still runs, so a page that was left open does
//! nothing once its visitor has signed out.

use std::sync::Arc;

use live::{Ctx, Form, Halt, LiveView, Page, Params, Rendered, each, html};
use pulse_data::accounts::{AccountError, ApiToken, Secret, SessionInfo};
use pulse_data::reminders::ReminderError;
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::{TextField, Time};
use super::super::visitor::Visitor;
use super::{BUSY, Menu, password};
use crate::news::News;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Ends a session elsewhere.
    SignOutThere { id: String },
    /// The name of a token as it is typed.
    Name(Params),
    /// Makes a token of that name.
    Make(Params),
    /// Ends a token.
    Revoke { id: i64 },
    /// Passwords as they are typed.
    Choose(Params),
    /// Another password.
    ChangePassword(Params),
    /// Whether to be reminded of one's cart.
    Remind { wanted: bool },
}

pub(crate) struct Details {
    frame: Frame,
    visitor: Visitor,
    sessions: Vec<SessionInfo>,
    tokens: Vec<ApiToken>,
    form: Form,
    password: Form,
    /// How often it was changed on this page.
    changed: u32,
    /// Whether one is reminded of one's cart.
    reminded: bool,
    /// The secret of a token that was just made: shown once, and gone with the page.
    made: Option<Secret>,
}

impl Details {
    async fn read(&mut self) -> Result<(), AccountError> {
        let Some(account) = self.visitor.account() else { return Ok(()) };
        let who = &account.principal;
        let accounts = &self.visitor.rooms().accounts;
        self.sessions = accounts.sessions(who, account.user).await?;
        self.tokens = accounts.tokens(who, account.user).await?;
        self.reminded = self.visitor.rooms().reminders.wanted(who).await.map_err(of_reminders)?;
        Ok(())
    }

    async fn remind(&mut self, wanted: bool) -> Result<(), AccountError> {
        let who = self.visitor.who().await.map_err(|_| AccountError::Overloaded)?;
        self.visitor.rooms().reminders.want(&who, wanted).await.map_err(of_reminders)?;
        self.read().await
    }

    async fn end(&mut self, id: &str) -> Result<(), AccountError> {
        let Some(user) = self.visitor.account().map(|account| account.user) else { return Ok(()) };
        let who = self.visitor.who().await.map_err(|_| AccountError::Overloaded)?;
        self.visitor.rooms().accounts.revoke_session(&who, user, Some(id)).await?;
        self.visitor.state().sessions().invalidate_all();
        self.read().await
    }

    /// Makes a token; a name that does not do is told beside its field.
    async fn make(&mut self) -> Result<(), AccountError> {
        let who = self.visitor.who().await.map_err(|_| AccountError::Overloaded)?;
        match self.visitor.rooms().accounts.create_token(&who, self.form.values().at("name").text()).await {
            Ok(made) => {
                self.made = Some(made.secret);
                self.form = Form::new("token");
                self.read().await
            }
            Err(AccountError::Invalid(errors)) => {
                for error in errors.0 {
                    self.form.errors.add(error.field, error.message);
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn revoke(&mut self, id: i64) -> Result<(), AccountError> {
        let Some(user) = self.visitor.account().map(|account| account.user) else { return Ok(()) };
        let who = self.visitor.who().await.map_err(|_| AccountError::Overloaded)?;
        self.visitor.rooms().accounts.revoke_token(&who, user, id).await?;
        self.visitor.state().sessions().invalidate_all();
        self.read().await
    }
}

fn of_reminders(error: ReminderError) -> AccountError {
    match error {
        ReminderError::Forbidden(no) => no.into(),
        ReminderError::Db(error) => error.into(),
    }
}

impl LiveView for Details {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Arc<News>;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let frame = Frame::open(Place::Account, cx, |news| news).await;
        let visitor = cx.scope().clone();
        cx.set_title("Your account");
        let form = Form::new("token");
        let mut view = Self {
            frame,
            visitor,
            sessions: Vec::new(),
            tokens: Vec::new(),
            form,
            password: password::empty(),
            changed: 0,
            reminded: true,
            made: None,
        };
        view.read().await.map_err(|_| Halt::UNAVAILABLE)?;
        Ok(view)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        let (done, well) = match event {
            Event::SignOutThere { id } => (self.end(&id).await, "That session has ended."),
            Event::Name(typed) => {
                self.form = self.form.clone().typed(&typed);
                return;
            }
            Event::Make(typed) => {
                self.form = self.form.clone().submitted(&typed);
                let done = self.make().await;
                if !self.form.errors.is_empty() {
                    return;
                }
                (done, "The token is made. Copy it now: it is not shown again.")
            }
            Event::Choose(typed) => {
                self.password = self.password.clone().typed(&typed);
                password::check(&mut self.password);
                return;
            }
            Event::ChangePassword(typed) => {
                self.password = self.password.clone().submitted(&typed);
                let done = password::change(&self.visitor, &mut self.password).await;
                if !self.password.errors.is_empty() {
                    return;
                }
                if done.is_ok() {
                    self.password = password::empty();
                    self.changed += 1;
                    self.visitor.state().sessions().invalidate_all();
                }
                let done = match done {
                    Ok(()) => self.read().await,
                    failed => failed,
                };
                (done, "Your new password is in force. You are signed out everywhere else.")
            }
            Event::Revoke { id } => (self.revoke(id).await, "That token opens nothing any more."),
            Event::Remind { wanted: true } => (self.remind(true).await, "You are reminded of your cart."),
            Event::Remind { wanted: false } => (self.remind(false).await, "You get no more reminders."),
        };
        match done {
            Ok(()) => cx.put_flash("info", well),
            Err(AccountError::Forbidden(_) | AccountError::WrongCredentials) => {
                cx.put_flash("error", "You are no longer signed in.");
            }
            Err(error) => {
                tracing::warn!(%error, "a wish about an account was not fulfilled for a page");
                cx.put_flash("error", BUSY);
            }
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.frame.heard(&news, &self.visitor).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let email = self.visitor.account().and_then(|account| account.email.as_deref()).unwrap_or_default();
        let content = html! {
            <div class="columns side-main">
                <Menu here="/account"/>
                <section class="stack" aria-labelledby="title">
                    <h1 id="title">Your account</h1>
                    <div class="sheet row apart">
                        <p>You are signed in as {email}.</p>
                        <form id="logout" action="/logout" method="post">
                            <input type="hidden" id="proof" name="_csrf_token" value={page.csrf_token()} phx-update="ignore"/>
                            <button class="btn quiet" type="submit">Sign out</button>
                        </form>
                    </div>
                    <section class="sheet stack" aria-labelledby="where">
                        <h2 id="where">Where you are signed in</h2>
                        <ul class="stack plain">
                            {each(&self.sessions, |session| session.id.clone(), |session| html! {
                                <li class="row apart">
                                    <span>{session.client.as_str()}</span>
                                    <Time id={format!("seen-{}", session.id).into()} at={session.seen_at}/>
                                    <button class="btn small quiet" type="button" phx-click="sign_out_there" phx-value-id={session.id.as_str()}>Sign out there</button>
                                </li>
                            })}
                        </ul>
                    </section>
                    {password::section(&self.password, self.changed)}
                    {self.letters()}
                    {self.tokens()}
                </section>
            </div>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

impl Details {
    fn letters(&self) -> Rendered {
        let (state, button) = if self.reminded {
            ("When something has waited in your cart for a day, we write once.", "Stop reminders")
        } else {
            ("We do not remind you of your cart.", "Remind me")
        };
        html! {
            <section class="sheet stack" aria-labelledby="letters">
                <h2 id="letters">Reminders</h2>
                <div class="row apart">
                    <p id="reminded">{state}</p>
                    <button class="btn quiet" type="button" phx-click="remind" phx-value-wanted={if self.reminded { "false" } else { "true" }}>{button}</button>
                </div>
            </section>
        }
    }

    fn tokens(&self) -> Rendered {
        html! {
            <section class="sheet stack" aria-labelledby="tokens">
                <h2 id="tokens">Tokens for programs</h2>
                <p class="soft small">A program that sends one acts in your name, by the <a href="/api/docs">API</a>.</p>
                {self.made.as_ref().map(|made| html! { <p class="notice" role="status">Your new token: <code id="made">{made.reveal()}</code></p> })}
                <ul class="stack plain">
                    {each(&self.tokens, |token| token.id, |token| html! {
                        <li class="row apart">
                            <span>{token.name.as_str()}</span>
                            <Time id={format!("made-{}", token.id).into()} at={token.created_at}/>
                            <button class="btn small danger" type="button" phx-click="revoke" phx-value-id={token.id} data-confirm="End this token?">Revoke<span class="sr">" " {token.name.as_str()}</span></button>
                        </li>
                    })}
                </ul>
                <form id="token" class="fields" phx-change="name" phx-submit="make">
                    <TextField field={self.form.field("name")} label="Name of a new token" kind="text" autocomplete={None} hint={None} required=true/>
                    <button class="btn quiet" type="submit">Make a token</button>
                </form>
            </section>
        }
    }
}
