//! One order: what was sold, its life, its money, and what can be done with it now.
//!
//! **Invariant.** Only steps that its status allows are offered, to those who may take them; a return carries a name that
//! was drawn before it was sent, so that it is booked once.

mod request;

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, Page, Params, Rendered, each, html};
use pulse_core::order::{Status, Step};
use pulse_core::{OrderId, Permission, Principal, Quantity};
use pulse_data::orders::{
    GoodsBack, OrderDetail, OrderError, OrderLine, PaymentKind, PaymentState, RequestQuery, ReturnRequest,
};
use serde::Deserialize;

use super::super::parts::{StatusTag, TextField, Time, money, status};
use super::super::visitor::Visitor;
use super::desk::{Desk, Tab, halt, said};
use crate::news::{News, Topic};
use crate::state::Rooms;
use request::Asked;
pub(super) use request::empty_answer;

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Move it on.
    Step { step: Step },
    /// Pieces that came back are typed.
    Check(Params),
    /// So many came back.
    Back(Params),
    /// What the buyer asked for is back.
    Accept,
    /// An answer is typed.
    Answering(Params),
    /// What the buyer asked for is not taken back.
    Decline(Params),
}

pub(crate) struct Order {
    desk: Desk,
    detail: OrderDetail,
    /// What the buyer asks to send back, as long as that has no answer.
    asked: Option<ReturnRequest>,
    back: Form,
    answer: Form,
}

/// The steps that people take, with their words.
const STEPS: [(Step, &str, &str); 4] = [
    (Step::Pack, "pack", "Pack"),
    (Step::Ship, "ship", "Ship"),
    (Step::Deliver, "deliver", "Delivered"),
    (Step::Cancel, "cancel", "Cancel the order"),
];

/// The form of a return under a new name.
fn empty_return() -> Form {
    Form::new("back").with("key", format!("{:032x}", rand::random::<u128>()))
}

fn field_of(line: &OrderLine) -> String {
    format!("line{}", line.line)
}

/// What is to come back; what is wrong stands beside the fields.
fn pieces(form: &mut Form, lines: &[OrderLine]) -> Vec<(i64, Quantity)> {
    let mut wanted = Vec::new();
    for line in lines {
        let (name, left) = (field_of(line), line.quantity - line.returned);
        let typed = form.values().at(&name).text().trim().to_owned();
        match typed.parse::<i64>() {
            Ok(0) => {}
            Ok(n) if n <= left && Quantity::new(n).is_ok() => {
                wanted.extend(Quantity::new(n).map(|pieces| (line.line, pieces)));
            }
            Err(_) if typed.is_empty() => {}
            _ => form.errors.add(name, format!("must be a whole number from 0 to {left}")),
        }
    }
    wanted
}

async fn read(
    rooms: &Rooms,
    who: &Principal,
    id: OrderId,
) -> Result<(OrderDetail, Option<ReturnRequest>), OrderError> {
    let detail = rooms.orders.get(who, id).await?;
    let open =
        RequestQuery { everybody: true, order: Some(id), open: true, limit: 1, ..RequestQuery::default() };
    let asked = rooms.orders.requests(who, &open).await?.items.into_iter().next();
    Ok((detail, asked))
}

impl Order {
    async fn read_again(&mut self, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        match read(self.desk.rooms(), &who, self.detail.order.id).await {
            Ok((detail, asked)) => (self.detail, self.asked) = (detail, asked),
            Err(error) => cx.put_flash("error", said(error)),
        }
    }

    /// Answers the buyer's request: with a reason why not, or by taking the goods back.
    async fn answer(&mut self, no: Option<&str>, cx: &mut Ctx<'_, Self>) {
        let (Some(who), Some(asked)) = (self.desk.who(cx).await, &self.asked) else { return };
        let orders = &self.desk.rooms().orders;
        let answered = match no {
            Some(why) => orders.decline_return(&who, asked.id, why).await,
            None => orders.accept_return(&who, asked.id).await,
        };
        match answered {
            Ok(_) => {
                self.answer = empty_answer();
                cx.put_flash("info", "The buyer is told.");
            }
            Err(OrderError::Invalid { message, .. }) => self.answer.errors.add("text", message),
            Err(error) => cx.put_flash("error", said(error)),
        }
        self.read_again(cx).await;
    }

    async fn take_back(&mut self, cx: &mut Ctx<'_, Self>) {
        let lines = pieces(&mut self.back, &self.detail.lines);
        if !self.back.errors.is_empty() {
            return cx.push_event("first-error", serde_json::json!({ "form": "back" }));
        }
        if lines.is_empty() {
            return cx.put_flash("error", "Say how many pieces of which line came back.");
        }
        let Some(who) = self.desk.who(cx).await else { return };
        let key = self.back.values().at("key").text().to_owned();
        let goods = GoodsBack { key, order: self.detail.order.id, lines };
        match self.desk.rooms().orders.return_goods(&who, goods).await {
            Ok(note) => {
                self.back = empty_return();
                cx.put_flash("info", format!("Booked: {} goes back to the buyer.", money(note.refund)));
            }
            Err(error) => cx.put_flash("error", said(error)),
        }
        self.read_again(cx).await;
    }
}

impl LiveView for Order {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Orders, cx, |news| news).await?;
        let id = OrderId(wanted.id);
        cx.subscribe(desk.rooms().bus.topics(), Topic::Order(id), |news| news);
        let who = desk.visitor().who().await?;
        let (detail, asked) = read(desk.rooms(), &who, id).await.map_err(halt)?;
        cx.set_title(format!("Order {id}"));
        Ok(Self { desk, detail, asked, back: empty_return(), answer: empty_answer() })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Step { step } => {
                let Some(who) = self.desk.who(cx).await else { return };
                match self.desk.rooms().orders.step(&who, self.detail.order.id, step).await {
                    Ok(order) => cx.put_flash("info", format!("{}.", status(order.status).0)),
                    Err(error) => cx.put_flash("error", said(error)),
                }
                self.read_again(cx).await;
            }
            Event::Check(typed) => {
                self.back = self.back.clone().typed(&typed);
                pieces(&mut self.back, &self.detail.lines);
            }
            Event::Back(typed) => {
                self.back = self.back.clone().submitted(&typed);
                self.take_back(cx).await;
            }
            Event::Accept => self.answer(None, cx).await,
            Event::Answering(typed) => self.answer = self.answer.clone().typed(&typed),
            Event::Decline(typed) => {
                self.answer = self.answer.clone().submitted(&typed);
                let why = self.answer.values().at("text").text().to_owned();
                self.answer(Some(&why), cx).await;
            }
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        match &*news {
            News::Order(_) => self.read_again(cx).await,
            other => self.desk.heard(other).await,
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let OrderDetail { order, lines, .. } = &self.detail;
        let fulfils = self.desk.shows(Permission::FulfilOrders);
        let steps = STEPS.iter().filter(|(step, ..)| fulfils && order.status.after(*step).is_ok());
        let returns = self.desk.shows(Permission::TakeReturns)
            && order.status.after(Step::Return).is_ok()
            && lines.iter().any(|line| line.returned < line.quantity);
        let asked = self.asked.as_ref().filter(|_| self.desk.shows(Permission::TakeReturns));
        let content = html! {
            <div class="row"><h1>"Order " {order.id.0}</h1><span id="status">{StatusTag(order.status).render()}</span></div>
            <div class="row" id="steps">
                {each(steps, |(_, name, _)| *name, |(step, name, text)| html! {
                    <button class={("btn", (*step == Step::Cancel).then_some("danger"))} type="button" phx-click="step" phx-value-step={*name}>{*text}</button>
                })}
            </div>
            <div class="columns main-side">
                <div class="stack">
                    {asked.map(|request| Asked { request, answer: &self.answer }.render())}
                    <Lines detail={&self.detail}/>
                    {returns.then(|| self.return_form())}
                </div>
                <aside class="stack" aria-label="About the order"><About detail={&self.detail}/></aside>
            </div>
        };
        self.desk.around(page, content)
    }
}

impl Order {
    fn return_form(&self) -> Rendered {
        let open: Vec<_> = self.detail.lines.iter().filter(|line| line.returned < line.quantity).collect();
        html! {
            <form id="back" class="sheet fields" phx-change="check" phx-submit="back" phx-hook="FirstError">
                <h2>Goods that came back</h2>
                <input type="hidden" name="back[key]" value={self.back.values().at("key").text()}/>
                {each(open, |line| line.line, |line| {
                    let hint = format!("{} can come back.", line.quantity - line.returned);
                    TextField {
                        field: self.back.field(&field_of(line)),
                        label: &line.name,
                        kind: "number",
                        autocomplete: Some("off"),
                        hint: Some(&hint),
                        required: false,
                    }.render()
                })}
                <div class="row"><button class="btn quiet" type="submit" phx-disable-with="One moment…">Book the return</button></div>
            </form>
        }
    }
}

struct Lines<'a> {
    detail: &'a OrderDetail,
}

impl Component for Lines<'_> {
    fn render(self) -> Rendered {
        let OrderDetail { order, lines, .. } = self.detail;
        html! {
            <section class="sheet" aria-labelledby="lines-title">
                <h2 id="lines-title">Goods</h2>
                <table class="cards">
                    <thead><tr><th scope="col">Product</th><th scope="col" class="num">Pieces</th><th scope="col" class="num">Back</th><th scope="col" class="num">Each</th></tr></thead>
                    <tbody id="lines">
                        {each(lines, |line| line.line, |line| html! {
                            <tr>
                                <td data-label="Product">{&line.name}" "<span class="soft small">{line.sku.as_str()}</span></td>
                                <td data-label="Pieces" class="num">{line.quantity}</td>
                                <td data-label="Back" class="num">{line.returned}</td>
                                <td data-label="Each" class="num">{money(line.unit)}</td>
                            </tr>
                        })}
                    </tbody>
                    <tfoot>
                        <tr><td colspan="3" class="bare">Goods</td><td class="num">{money(order.subtotal)}</td></tr>
                        <tr><td colspan="3" class="bare">Taken off</td><td class="num">{money(order.discount)}</td></tr>
                        <tr><td colspan="3" class="bare">VAT in it</td><td class="num">{money(order.vat)}</td></tr>
                        <tr><td colspan="3" class="bare"><strong>Total</strong></td><td class="num"><strong id="total">{money(order.total)}</strong></td></tr>
                    </tfoot>
                </table>
            </section>
        }
    }
}

/// Who bought it, what has happened, and where the money is.
struct About<'a> {
    detail: &'a OrderDetail,
}

const fn movement(kind: PaymentKind) -> &'static str {
    match kind {
        PaymentKind::Capture => "To the shop",
        PaymentKind::Refund => "Back to the buyer",
    }
}

const fn moved(state: PaymentState) -> (&'static str, &'static str) {
    match state {
        PaymentState::Pending => ("Under way", "warn"),
        PaymentState::Settled => ("Settled", "good"),
        PaymentState::Declined => ("Declined", "bad"),
        PaymentState::Void => ("Called off", ""),
    }
}

impl Component for About<'_> {
    fn render(self) -> Rendered {
        let OrderDetail { order, events, payments, .. } = self.detail;
        let event = |(n, event): (usize, &pulse_data::orders::OrderEvent)| {
            let kind = matches!(event.status, Status::Cancelled).then_some("bad");
            html! { <li class={kind}>{status(event.status).0} " " <span class="soft small"><Time id={format!("event-{n}").into()} at={event.at}/> " by " {&event.who}</span></li> }
        };
        html! {
            <section class="sheet" aria-labelledby="buyer-title">
                <h2 id="buyer-title">Buyer</h2>
                <p>{order.email.as_deref().unwrap_or("No address is known.")}</p>
                <p class="soft">{order.country.as_str()}</p>
                {order.invoice.as_ref().map(|invoice| html! { <p class="soft">"Replayed from invoice " {invoice}</p> })}
            </section>
            <section class="sheet" aria-labelledby="events-title">
                <h2 id="events-title">Life</h2>
                <ol id="events">{each(events.iter().enumerate(), |(n, _)| *n, event)}</ol>
            </section>
            <section class="sheet" aria-labelledby="money-title">
                <h2 id="money-title">Money</h2>
                {payments.is_empty().then(|| html! { <p class="soft">It is settled outside of the shop.</p> })}
                <ul id="payments" class="plain">
                    {each(payments, |payment| payment.seq, |payment| {
                        let (word, kind) = moved(payment.state);
                        html! { <li class="row apart"><span>{movement(payment.kind)} " " <span class={("tag", kind)}>{word}</span></span><span class="num">{money(payment.amount)}</span></li> }
                    })}
                </ul>
            </section>
        }
    }
}
