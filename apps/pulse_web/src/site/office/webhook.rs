//! One webhook endpoint: its settings, its secret, and what was sent to it.
//!
//! **Invariant.** What was sent is read again every two seconds; a new secret is shown once, and goes with the page.

mod log;

use std::sync::Arc;
use std::time::Duration;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, LocalPath, Page, Params, Rendered, html};
use pulse_core::Principal;
use pulse_data::page::Cursor;
use pulse_data::webhooks::{
    Attempt, Delivery, DeliveryId, DeliveryQuery, Endpoint, EndpointChange, EndpointId, SigningSecret,
    WEBHOOK_QUEUE, WebhookError,
};
use serde::Deserialize;

use self::log::Log;
use super::super::parts::{TextField, Time};
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, said, tell};
use super::webhooks::{Health, key, kinds, refused, ticked};
use crate::news::News;

/// Deliveries that are shown at a time.
const PAGE: u32 = 30;

/// How often they are read again.
const LOOK: Duration = Duration::from_secs(2);

/// For how long the secret before signs beside a new one.
const OVERLAP: Duration = Duration::from_hours(24);

/// What the address says.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Wanted {
    id: i64,
    /// Deliveries older than this.
    #[serde(default)]
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Check(Params),
    Save(Params),
    Switch {
        on: bool,
    },
    Rotate,
    Test,
    Delete,
    /// Everything that has failed, once more.
    RedeliverFailed,
    Redeliver {
        id: i64,
    },
    /// Show the attempts of a delivery, or hide them.
    Open {
        id: i64,
    },
}

pub(crate) enum Info {
    News(Arc<News>),
    Look,
}

pub(crate) struct Webhook {
    desk: Desk,
    endpoint: Endpoint,
    form: Form,
    secret: Option<SigningSecret>,
    after: Option<Cursor>,
    deliveries: Vec<Delivery>,
    next: Option<Cursor>,
    /// The delivery whose attempts are shown.
    open: Option<(Delivery, Vec<Attempt>)>,
}

fn form(endpoint: &Endpoint) -> Form {
    let form = Form::new("webhook").with("url", &endpoint.url).with("description", &endpoint.description);
    endpoint.events.iter().fold(form, |form, kind| form.with(&key(*kind), "true"))
}

impl Webhook {
    fn id(&self) -> EndpointId {
        self.endpoint.id
    }

    async fn read(&mut self) -> Result<(), WebhookError> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        let webhooks = &self.desk.rooms().webhooks;
        let query = DeliveryQuery {
            endpoint: Some(self.endpoint.id),
            after: self.after.clone(),
            limit: PAGE,
            ..DeliveryQuery::default()
        };
        let endpoint = webhooks.get(&who, self.endpoint.id).await?;
        let page = webhooks.deliveries(&who, &query).await?;
        let open = match &self.open {
            Some((delivery, _)) => webhooks.delivery(&who, delivery.id).await.ok(),
            None => None,
        };
        (self.endpoint, self.deliveries, self.next, self.open) = (endpoint, page.items, page.next, open);
        Ok(())
    }

    /// Does what a button says; answers what is told about it.
    async fn act(&mut self, who: &Principal, event: &Event) -> Result<&'static str, WebhookError> {
        let webhooks = self.desk.rooms().webhooks.clone();
        let done = match event {
            Event::Switch { on } => {
                let change = EndpointChange { enabled: Some(*on), ..EndpointChange::default() };
                webhooks.change(who, self.id(), change).await?;
                if *on { "It is told again." } else { "It is told nothing more." }
            }
            Event::Rotate => {
                self.secret = Some(webhooks.rotate(who, self.id(), OVERLAP).await?);
                "It has a new secret. For a day the one before signs too."
            }
            Event::Test => {
                webhooks.test(who, self.id()).await?;
                "A test message is on its way."
            }
            Event::RedeliverFailed => {
                webhooks.redeliver_failed(who, self.id()).await?;
                "What had failed is on its way again."
            }
            Event::Redeliver { id } => {
                webhooks.redeliver(who, DeliveryId(*id)).await?;
                "It is on its way again."
            }
            Event::Delete => {
                webhooks.delete(who, self.id()).await?;
                "The endpoint is gone."
            }
            Event::Check(_) | Event::Save(_) | Event::Open { .. } => "",
        };
        self.desk.rooms().wake.queue(WEBHOOK_QUEUE);
        Ok(done)
    }

    async fn save(&mut self, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        let change = EndpointChange {
            url: Some(self.form.values().at("url").text().trim().to_owned()),
            events: Some(ticked(&self.form)),
            description: Some(self.form.values().at("description").text().to_owned()),
            enabled: None,
        };
        match self.desk.rooms().webhooks.change(&who, self.id(), change).await {
            Ok(endpoint) => {
                (self.form, self.endpoint) = (form(&endpoint), endpoint);
                cx.put_flash("info", "It is changed.");
            }
            Err(error) => refused(&mut self.form, error, cx),
        }
    }

    async fn toggle(&mut self, id: i64) {
        if self.open.take().is_some_and(|(open, _)| open.id.0 == id) {
            return;
        }
        let Ok(who) = self.desk.visitor().who().await else { return };
        self.open = self.desk.rooms().webhooks.delivery(&who, DeliveryId(id)).await.ok();
    }
}

impl LiveView for Webhook {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Info;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let who = cx.scope().who().await?;
        let desk = Desk::open(Tab::Webhooks, cx, Info::News).await?;
        let endpoint = desk.rooms().webhooks.get(&who, EndpointId(wanted.id)).await.map_err(halt)?;
        cx.set_title(format!("Webhook {}", endpoint.id));
        let _ = cx.send_interval(LOOK, || Info::Look);
        let form = form(&endpoint);
        Ok(Self {
            desk,
            endpoint,
            form,
            secret: None,
            after: None,
            deliveries: Vec::new(),
            next: None,
            open: None,
        })
    }

    async fn handle_params(&mut self, wanted: Wanted, _: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        self.after = wanted.after.as_deref().map(Cursor::from_client);
        self.read().await.map_err(halt)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Check(typed) => self.form = self.form.clone().typed(&typed),
            Event::Save(typed) => {
                self.form = self.form.clone().submitted(&typed);
                self.save(cx).await;
            }
            Event::Open { id } => self.toggle(id).await,
            other => {
                let Some(who) = self.desk.who(cx).await else { return };
                match self.act(&who, &other).await {
                    Ok(done) => cx.put_flash("info", done),
                    Err(error) => return cx.put_flash("error", said(error)),
                }
                if matches!(other, Event::Delete) {
                    return cx.push_navigate(LocalPath::of("/office/webhooks"));
                }
                let _ = self.read().await;
            }
        }
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => self.desk.heard(&news).await,
            Info::Look => {
                if self.desk.who(cx).await.is_some() {
                    tell(self.read().await, cx);
                }
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let log = Log {
            endpoint: self.id(),
            deliveries: &self.deliveries,
            first: self.after.is_none(),
            next: self.next.as_ref(),
            open: self.open.as_ref(),
        };
        let content = html! {
            <div class="row apart">
                <h1>"Webhook "{self.id().to_string()}</h1>
                <Go to={LocalPath::of("/office/webhooks")} text="All webhooks" class="btn quiet"/>
            </div>
            {self.health()}
            {self.secret.as_ref().map(|secret| html! {
                <div id="made" class="sheet stack" role="status">
                    <p>This is its new secret; it is not shown again:</p>
                    <code id="secret" class="hash">{secret.reveal()}</code>
                </div>
            })}
            <section class="sheet stack" aria-labelledby="settings-title">
                <h2 id="settings-title">Settings</h2>
                <form id="settings" class="fields" phx-change="check" phx-submit="save">
                    <TextField field={self.form.field("url")} label="Address" kind="url" autocomplete={Some("off")} hint={None} required=true/>
                    <TextField field={self.form.field("description")} label="For people" kind="text" autocomplete={Some("off")} hint={None} required=false/>
                    {kinds(&self.form)}
                    <div class="row"><button class="btn" type="submit" phx-disable-with="One moment…">Save</button></div>
                </form>
                <div class="row">
                    <button class="btn quiet" type="button" phx-click="rotate" data-confirm="Draw a new secret?">New secret</button>
                    <button class="btn danger" type="button" phx-click="delete" data-confirm="Delete this endpoint with its log?">Delete</button>
                </div>
            </section>
            {log.render()}
        };
        self.desk.around(page, content)
    }
}

impl Webhook {
    fn health(&self) -> Rendered {
        let endpoint = &self.endpoint;
        html! {
            <div id="health" class="sheet row apart">
                <div>
                    <p>{Health(endpoint).render()}{endpoint.disabled_reason.as_ref().map(|reason| html! { " The shop has switched it off: "{reason}"." })}</p>
                    {endpoint.failing_since.map(|since| html! { <p class="small soft">"It has taken nothing since "<Time id={"failing-since".into()} at={since}/></p> })}
                    {endpoint.old_secret_until.map(|until| html! { <p class="small soft">"The secret before signs too until "<Time id={"old-until".into()} at={until}/></p> })}
                </div>
                <div class="row">
                    {endpoint.enabled.then(|| html! { <button class="btn quiet" type="button" phx-click="test">Send a test</button> })}
                    {if endpoint.enabled {
                        html! { <button class="btn quiet" type="button" phx-click="switch" phx-value-on="false">Switch off</button> }
                    } else {
                        html! { <button class="btn" type="button" phx-click="switch" phx-value-on="true">Switch on</button> }
                    }}
                </div>
            </div>
        }
    }
}
