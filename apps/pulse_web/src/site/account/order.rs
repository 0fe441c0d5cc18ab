//! One order of a buyer: its life, its money, and what can still be done about it.
//!
//! **Invariant.** The page shows what its buyer may see when it is read, and offers only what the order's status allows;
//! whether it is allowed is decided by the orders themselves.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, Page, Params, Rendered, each, html};
use pulse_core::order::{Status, Step};
use pulse_core::{OrderId, Quantity};
use pulse_data::orders::{
    AskReturn, OrderDetail, OrderError, Outcome, Payment, PaymentKind, PaymentState, RequestQuery,
    ReturnRequest,
};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::{StatusTag, TextField, Time, money, status};
use super::super::visitor::Visitor;
use super::returns::Asked;
use super::{BUSY, Menu, said};
use crate::news::{News, Topic};

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Give the order up.
    Cancel,
    /// The form of a return as it is typed.
    Check(Params),
    /// Ask for the return.
    Ask(Params),
}

pub(crate) struct OrderPage {
    frame: Frame,
    visitor: Visitor,
    detail: OrderDetail,
    requests: Vec<ReturnRequest>,
    form: Form,
}

async fn read(visitor: &Visitor, id: OrderId) -> Result<(OrderDetail, Vec<ReturnRequest>), OrderError> {
    // Who can't be asked for is treated as who may not see it.
    let who = visitor.who().await.map_err(|_| OrderError::NotFound(id))?;
    let orders = &visitor.rooms().orders;
    let detail = orders.get(&who, id).await?;
    let query = RequestQuery { order: Some(id), limit: 20, ..RequestQuery::default() };
    Ok((detail, orders.requests(&who, &query).await?.items))
}

/// The name of a line's field.
fn field(line: i64) -> String {
    format!("line_{line}")
}

impl OrderPage {
    fn id(&self) -> OrderId {
        self.detail.order.id
    }

    async fn read_again(&mut self, page: &mut Page) {
        match read(&self.visitor, self.id()).await {
            Ok((detail, requests)) => (self.detail, self.requests) = (detail, requests),
            Err(error) => page.put_flash("error", said(&error)),
        }
    }

    /// What is to go back, or what is wrong with it beside the fields.
    fn wanted(&mut self) -> Option<AskReturn> {
        let mut lines = Vec::new();
        for line in &self.detail.lines {
            let name = field(line.line);
            let typed = self.form.values().at(&name).text().trim().to_owned();
            let left = line.quantity - line.returned;
            match typed.parse::<i64>() {
                _ if typed.is_empty() => {}
                Ok(0) => {}
                Ok(pieces) if pieces <= left => match Quantity::new(pieces) {
                    Ok(quantity) => lines.push((line.line, quantity)),
                    Err(_) => self.form.errors.add(name, "must not be negative"),
                },
                Ok(_) => self.form.errors.add(name, format!("must be {left} at most")),
                Err(_) => self.form.errors.add(name, "must be a whole number"),
            }
        }
        let reason = self.form.values().at("reason").text().trim().to_owned();
        if reason.is_empty() {
            self.form.errors.add("reason", "tell us why");
        } else if reason.chars().count() > pulse_data::orders::LONGEST_REASON {
            self.form.errors.add("reason", "must have 500 characters at most");
        }
        if lines.is_empty() {
            self.form.errors.add("reason", "choose at least one piece");
        }
        self.form.errors.is_empty().then(|| AskReturn { order: self.id(), lines, reason })
    }

    async fn ask(&mut self, page: &mut Page) {
        let Some(ask) = self.wanted() else { return };
        let Ok(who) = self.visitor.who().await else { return page.put_flash("error", BUSY) };
        match self.visitor.rooms().orders.ask_return(&who, ask).await {
            Ok(_) => {
                self.form = Form::new("return");
                page.put_flash("info", "We have your request, and will answer here.");
                self.read_again(page).await;
            }
            Err(error) => page.put_flash("error", said(&error)),
        }
    }
}

impl LiveView for OrderPage {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let id = OrderId(wanted.id.parse().map_err(|_| Halt::NOT_FOUND)?);
        let frame = Frame::open(Place::Account, cx, |news| news).await;
        let visitor = cx.scope().clone();
        cx.subscribe(visitor.bus().topics(), Topic::Order(id), |news| news);
        cx.set_title(format!("Order {id}"));
        let (detail, requests) = read(&visitor, id).await.map_err(|error| match error {
            OrderError::NotFound(_) => Halt::NOT_FOUND,
            error => {
                tracing::warn!(%error, "an order could not be read for its page");
                Halt::UNAVAILABLE
            }
        })?;
        Ok(Self { frame, visitor, detail, requests, form: Form::new("return") })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Cancel => {
                let Ok(who) = self.visitor.who().await else { return cx.put_flash("error", BUSY) };
                match self.visitor.rooms().orders.step(&who, self.id(), Step::Cancel).await {
                    Ok(_) => cx.put_flash("info", "The order is cancelled."),
                    Err(error) => cx.put_flash("error", said(&error)),
                }
                self.read_again(cx).await;
            }
            Event::Check(typed) => {
                self.form = self.form.clone().typed(&typed);
                self.wanted();
            }
            Event::Ask(typed) => {
                self.form = self.form.clone().submitted(&typed);
                self.ask(cx).await;
            }
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        if let News::Order(_) = *news {
            self.read_again(cx).await;
        } else {
            self.frame.heard(&news, &self.visitor).await;
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let order = &self.detail.order;
        let mine = self.visitor.account().is_some_and(|account| Some(account.user) == order.buyer);
        let cancellable = mine && matches!(order.status, Status::Placed | Status::Paid);
        let waits = self.requests.iter().any(|request| request.outcome == Outcome::Open);
        let returnable = mine && !waits && order.status.after(Step::Return).is_ok();
        let content = html! {
            <div class="columns side-main">
                <Menu here=""/>
                <section class="stack" aria-labelledby="title">
                    <div class="row"><h1 id="title">Order {order.id.0}</h1>{StatusTag(order.status).render()}</div>
                    <p class="sr" role="status">This order is: {status(order.status).0}</p>
                    <ol class="life" aria-label="What has happened">
                        {each(self.detail.events.iter().enumerate(), |(n, _)| *n, |(n, event)| html! {
                            <li class="done">{status(event.status).0}<div class="soft small"><Time id={format!("at-{n}").into()} at={event.at}/></div></li>
                        })}
                    </ol>
                    <div class="sheet table-wrap">
                        <table>
                            <thead><tr><th scope="col">Product</th><th scope="col" class="num">Pieces</th><th scope="col" class="num">Each</th><th scope="col" class="num">Back</th></tr></thead>
                            <tbody>
                                {each(&self.detail.lines, |line| line.line, |line| html! {
                                    <tr><td>{line.name.as_str()}</td><td class="num">{line.quantity}</td><td class="num">{money(line.unit)}</td><td class="num">{line.returned}</td></tr>
                                })}
                            </tbody>
                        </table>
                        <p>Total {money(order.total)}, with {money(order.vat)} of VAT in it and {money(order.discount)} taken off.</p>
                    </div>
                    <section class="sheet" aria-labelledby="money">
                        <h2 id="money">Payments</h2>
                        <ul>
                            {each(&self.detail.payments, |payment| payment.seq, |payment| html! { <li>{in_words(payment)}</li> })}
                            {each(&self.detail.notes, |note| note.id, |note| html! { <li>Credit note {note.id} over {money(note.refund)}</li> })}
                        </ul>
                    </section>
                    {cancellable.then(|| html! { <p><button class="btn quiet" type="button" phx-click="cancel" data-confirm="Cancel this order?">Cancel this order</button></p> })}
                    {returnable.then(|| self.return_form())}
                    {each(&self.requests, |request| request.id.0, |request| html! { <div><Asked request={request}/></div> })}
                </section>
            </div>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

impl OrderPage {
    fn return_form(&self) -> Rendered {
        let left = self.detail.lines.iter().filter(|line| line.quantity > line.returned);
        let lines: Vec<_> = left.map(|line| (field(line.line), format!("Pieces of {}", line.name))).collect();
        html! {
            <form id="return" class="sheet stack" phx-change="check" phx-submit="ask">
                <h2>Give something back</h2>
                {each(&lines, |(name, _)| name.clone(), |(name, label)| html! {
                    <div><TextField field={self.form.field(name)} label={label.as_str()} kind="number" autocomplete={None} hint={None} required=false/></div>
                })}
                <TextField field={self.form.field("reason")} label="Why" kind="text" autocomplete={None} hint={None} required=true/>
                <button class="btn" type="submit">Ask for the return</button>
            </form>
        }
    }
}

/// A movement of money, as one would say it.
fn in_words(payment: &Payment) -> String {
    let amount = money(payment.amount);
    match (payment.kind, payment.state) {
        (PaymentKind::Capture, PaymentState::Pending) => format!("{amount} is being taken"),
        (PaymentKind::Capture, PaymentState::Settled) => format!("{amount} was paid"),
        (PaymentKind::Capture, PaymentState::Declined) => format!("{amount} could not be taken"),
        (PaymentKind::Capture, PaymentState::Void) => format!("{amount} was not taken"),
        (PaymentKind::Refund, PaymentState::Pending) => format!("{amount} is on its way back to you"),
        (PaymentKind::Refund, PaymentState::Settled) => format!("{amount} was given back to you"),
        (PaymentKind::Refund, PaymentState::Declined) => {
            format!("{amount} could not be given back: write to us")
        }
        (PaymentKind::Refund, PaymentState::Void) => format!("{amount} was not given back"),
    }
}
