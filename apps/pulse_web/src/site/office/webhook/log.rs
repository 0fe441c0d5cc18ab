//! What was sent to an endpoint, with the attempts at one message.

use live::html::Component;
use live::{LocalPath, Rendered, each, html};
use pulse_data::page::Cursor;
use pulse_data::webhooks::{Attempt, Delivery, DeliveryState, EndpointId};

use super::super::super::parts::Time;
use super::super::desk::Go;
use super::super::webhooks::endpoint_path;

/// A page of the log.
pub(super) struct Log<'a> {
    pub(super) endpoint: EndpointId,
    pub(super) deliveries: &'a [Delivery],
    /// Whether it is the newest page.
    pub(super) first: bool,
    pub(super) next: Option<&'a Cursor>,
    pub(super) open: Option<&'a (Delivery, Vec<Attempt>)>,
}

impl Component for Log<'_> {
    fn render(self) -> Rendered {
        let Self { endpoint, deliveries, first, next, open } = self;
        let older =
            |cursor: &Cursor| -> LocalPath { endpoint_path(endpoint).query("after", cursor.as_str()) };
        html! {
            <section class="stack" aria-labelledby="log-title">
                <div class="row apart">
                    <h2 id="log-title">What was sent</h2>
                    <button class="btn quiet" type="button" phx-click="redeliver_failed">Send what has failed again</button>
                </div>
                {deliveries.is_empty().then(|| html! { <p class="soft">Nothing so far.</p> })}
                {open.map(|(delivery, attempts)| Opened { delivery, attempts }.render())}
                <table class="cards sheet" hidden={deliveries.is_empty()}>
                    <thead><tr><th scope="col">Event</th><th scope="col">Id</th><th scope="col">When</th><th scope="col">State</th><th scope="col" class="num">Attempts</th><th scope="col"><span class="sr">What to do</span></th></tr></thead>
                    <tbody id="deliveries">{each(deliveries, |delivery| delivery.id.0, row)}</tbody>
                </table>
                <div class="row apart">
                    {(!first).then(|| html! { <Go to={endpoint_path(endpoint)} text="Newest" class="btn quiet"/> })}
                    {next.map(|next| html! { <Go to={older(next)} text="Older" class="btn quiet"/> })}
                </div>
            </section>
        }
    }
}

/// How far a delivery is.
struct StateTag(DeliveryState);

impl Component for StateTag {
    fn render(self) -> Rendered {
        let (word, kind) = match self.0 {
            DeliveryState::Pending => ("Under way", ""),
            DeliveryState::Delivered => ("Taken", "good"),
            DeliveryState::Failed => ("Failed", "bad"),
        };
        html! { <span class={("tag", kind)}>{word}</span> }
    }
}

fn row(delivery: &Delivery) -> Rendered {
    let id = delivery.id.0;
    html! {
        <tr>
            <td data-label="Event">{delivery.event.name()}</td>
            <td data-label="Id"><span class="hash">{&delivery.event_id}</span></td>
            <td data-label="When"><Time id={format!("told-{id}").into()} at={delivery.created_at}/></td>
            <td data-label="State">{StateTag(delivery.state).render()}</td>
            <td data-label="Attempts" class="num">{delivery.attempts}</td>
            <td>
                <button class="btn small quiet" type="button" phx-click="open" phx-value-id={id}>Look<span class="sr">" at "{&delivery.event_id}</span></button>
                {(delivery.state != DeliveryState::Pending).then(|| html! { <button class="btn small quiet" type="button" phx-click="redeliver" phx-value-id={id}>Send again<span class="sr">" "{&delivery.event_id}</span></button> })}
            </td>
        </tr>
    }
}

/// The message of a delivery and the attempts at it.
struct Opened<'a> {
    delivery: &'a Delivery,
    attempts: &'a [Attempt],
}

impl Component for Opened<'_> {
    fn render(self) -> Rendered {
        let Self { delivery, attempts } = self;
        html! {
            <div id="opened" class="sheet stack" role="status">
                <h3>{&delivery.event_id}</h3>
                <pre class="hash small">{&delivery.payload}</pre>
                {attempts.is_empty().then(|| html! { <p class="soft">It was not tried so far.</p> })}
                <ol id="attempts">{each(attempts, |attempt| attempt.attempt, |attempt| html! {
                    <li value={attempt.attempt}>
                        <Time id={format!("attempt-{}", attempt.attempt).into()} at={attempt.at}/>" "
                        <strong>{attempt.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string())}</strong>" in "{attempt.millis}" ms "
                        <code class="hash small">{&attempt.note}</code>
                    </li>
                })}</ol>
            </div>
        }
    }
}
