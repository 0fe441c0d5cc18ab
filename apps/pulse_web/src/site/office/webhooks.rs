//! Webhook endpoints: who is told of what, how they are, and making one.
//!
//! **Invariant.** A secret is shown where it was drawn, once, and goes with the page.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, LocalPath, Page, Params, Rendered, each, html};
use pulse_data::webhooks::{Endpoint, EndpointId, EventKind, NewEndpoint, SigningSecret, WebhookError};
use serde::Deserialize;

use super::super::parts::{TextField, Time};
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, said, tell};
use crate::news::News;

/// How often the endpoints' health is read again.
const LOOK: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The fields as they are typed.
    Check(Params),
    /// Make it.
    Create(Params),
}

pub(crate) enum Info {
    News(Arc<News>),
    Look,
}

pub(crate) struct Webhooks {
    desk: Desk,
    endpoints: Vec<Endpoint>,
    form: Form,
    made: Option<(EndpointId, SigningSecret)>,
}

/// Where the office shows an endpoint.
pub(super) fn endpoint_path(id: EndpointId) -> LocalPath {
    LocalPath::of("/office/webhooks").segment(id)
}

/// How an endpoint is.
pub(super) struct Health<'a>(pub(super) &'a Endpoint);

impl Component for Health<'_> {
    fn render(self) -> Rendered {
        match (self.0.enabled, self.0.failing_since) {
            (false, _) => html! { <span class="tag bad">Off</span> },
            (true, Some(_)) => html! { <span class="tag warn">Takes nothing</span> },
            (true, None) => html! { <span class="tag good">Well</span> },
        }
    }
}

/// The kinds of events that were ticked.
pub(super) fn ticked(form: &Form) -> BTreeSet<EventKind> {
    EventKind::choices().filter(|kind| !form.values().at(&key(*kind)).text().is_empty()).collect()
}

/// The field of a kind of event.
pub(super) fn key(kind: EventKind) -> String {
    kind.name().replace('.', "_")
}

/// A box to tick for each kind of event.
pub(super) fn kinds(form: &Form) -> Rendered {
    let wrong = form.field("events").errors.join("; ");
    html! {
        <fieldset class="field">
            <legend>What it is told of</legend>
            <div class="row">
                {each(EventKind::choices(), |kind| kind.name(), |kind| {
                    let field = form.field(&key(kind));
                    let ticked = !field.value.is_empty();
                    html! { <label class="check"><input type="checkbox" name={field.name.as_str()} value="true" checked={ticked}/>{kind.name()}</label> }
                })}
            </div>
            {(!wrong.is_empty()).then(|| html! { <p class="error" id="events-error">{wrong}</p> })}
        </fieldset>
    }
}

/// Shows a room's field errors beside their fields; whatever else is told above the page.
pub(super) fn refused<V>(form: &mut Form, error: WebhookError, cx: &mut Ctx<'_, V>)
where
    V: LiveView,
{
    match error {
        WebhookError::Invalid(errors) => {
            errors.0.into_iter().for_each(|error| form.errors.add(error.field, error.message));
        }
        error => cx.put_flash("error", said(error)),
    }
}

impl Webhooks {
    async fn read(&mut self) -> Result<(), WebhookError> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        self.endpoints = self.desk.rooms().webhooks.list(&who).await?;
        Ok(())
    }

    async fn create(&mut self, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        let new = NewEndpoint {
            url: self.form.values().at("url").text().trim().to_owned(),
            events: ticked(&self.form),
            description: self.form.values().at("description").text().to_owned(),
        };
        match self.desk.rooms().webhooks.create(&who, new).await {
            Ok((endpoint, secret)) => {
                self.made = Some((endpoint.id, secret));
                self.form = Form::new("webhook");
                let _ = self.read().await;
            }
            Err(error) => refused(&mut self.form, error, cx),
        }
    }
}

impl LiveView for Webhooks {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Info;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Webhooks, cx, Info::News).await?;
        cx.set_title("Webhooks");
        let _ = cx.send_interval(LOOK, || Info::Look);
        let mut view = Self { desk, endpoints: Vec::new(), form: Form::new("webhook"), made: None };
        view.read().await.map_err(halt)?;
        Ok(view)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Check(typed) => self.form = self.form.clone().typed(&typed),
            Event::Create(typed) => {
                self.form = self.form.clone().submitted(&typed);
                self.create(cx).await;
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
        let content = html! {
            <h1>Webhooks</h1>
            <p class="soft">Other programs that are told what happens in the shop. Messages are signed as Standard Webhooks says, and sent again for days where they are not taken.</p>
            {self.made.as_ref().map(|(id, secret)| html! {
                <div id="made" class="sheet stack" role="status">
                    <p>"Endpoint "{id.to_string()}" is told from now on. This is its secret; it is not shown again:"</p>
                    <code id="secret" class="hash">{secret.reveal()}</code>
                </div>
            })}
            {self.endpoints.is_empty().then(|| html! { <p class="soft">Nobody is told so far.</p> })}
            <table class="cards sheet" hidden={self.endpoints.is_empty()}>
                <thead><tr><th scope="col">Endpoint</th><th scope="col">Address</th><th scope="col">Told of</th><th scope="col">State</th><th scope="col">Since</th></tr></thead>
                <tbody id="endpoints">{each(&self.endpoints, |endpoint| endpoint.id.0, row)}</tbody>
            </table>
            <section class="sheet stack" aria-labelledby="new-title">
                <h2 id="new-title">A new endpoint</h2>
                <form id="new-webhook" class="fields" phx-change="check" phx-submit="create">
                    <TextField field={self.form.field("url")} label="Address" kind="url" autocomplete={Some("off")} hint={Some("https://example.com/hooks")} required=true/>
                    <TextField field={self.form.field("description")} label="For people" kind="text" autocomplete={Some("off")} hint={None} required=false/>
                    {kinds(&self.form)}
                    <div class="row"><button class="btn" type="submit" phx-disable-with="One moment…">Make it</button></div>
                </form>
            </section>
        };
        self.desk.around(page, content)
    }
}

fn row(endpoint: &Endpoint) -> Rendered {
    let events: Vec<&str> = endpoint.events.iter().map(|kind| kind.name()).collect();
    let since = endpoint.failing_since.unwrap_or(endpoint.created_at);
    html! {
        <tr>
            <td data-label="Endpoint"><Go to={endpoint_path(endpoint.id)} text={&endpoint.id.to_string()} class=""/>" "{&endpoint.description}</td>
            <td data-label="Address"><span class="hash">{&endpoint.url}</span></td>
            <td data-label="Told of">{events.join(", ")}</td>
            <td data-label="State">{Health(endpoint).render()}</td>
            <td data-label="Since"><Time id={format!("since-{}", endpoint.id).into()} at={since}/></td>
        </tr>
    }
}
