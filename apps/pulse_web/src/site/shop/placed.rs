//! An order that a guest has placed, for whoever holds its key.
//!
//! **Invariant.** The address is the capability: it holds the key that the checkout has drawn at random, and a key that
//! could be guessed opens nothing, even where it names an order. By it the order is shown, and given up until it is packed.
//! An account's order is shown to its account alone.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, each, html};
use pulse_core::order::Status;
use pulse_core::{CheckoutKey, Money, Principal};
use pulse_data::orders::{OrderDetail, OrderError};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::{StatusTag, Time, money, status};
use super::super::visitor::Visitor;
use super::catalogue::product_path;
use super::checkout::is_drawn;
use crate::news::{News, Topic};

/// Reads one order, which its key has opened.
const READER: Principal = Principal::System("order page");

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Gives the order up.
    Cancel,
}

pub(crate) struct Placed {
    frame: Frame,
    visitor: Visitor,
    key: CheckoutKey,
    detail: OrderDetail,
}

impl Placed {
    async fn cancel(&mut self, page: &mut Page) {
        let orders = &self.visitor.rooms().orders;
        match orders.cancel_by_key(&self.key).await {
            Ok(_) => page.put_flash("info", "The order is cancelled."),
            Err(OrderError::WrongStep(_)) => {
                page.put_flash("error", "It is too late: the order is packed, or over.");
            }
            Err(error) => {
                tracing::warn!(%error, "an order could not be cancelled for its page");
                page.put_flash("error", "The shop can't answer at the moment. Try again shortly.");
            }
        }
        self.read_again().await;
    }

    async fn read_again(&mut self) {
        match self.visitor.rooms().orders.get(&READER, self.detail.order.id).await {
            Ok(detail) => self.detail = detail,
            Err(error) => tracing::warn!(%error, "an order could not be read for its page"),
        }
    }
}

fn unavailable(error: impl std::fmt::Display) -> Halt {
    tracing::warn!(%error, "an order could not be read for its page");
    Halt::UNAVAILABLE
}

impl LiveView for Placed {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let drawn = wanted.key.rsplit_once(':').is_some_and(|(_, key)| is_drawn(key));
        let key = CheckoutKey::new(&wanted.key).ok().filter(|_| drawn).ok_or(Halt::NOT_FOUND)?;
        let frame = Frame::open(Place::Shop, cx, |news| news).await;
        let visitor = cx.scope().clone();
        let orders = &visitor.rooms().orders;
        let order = orders.find(&key).await.map_err(unavailable)?.ok_or(Halt::NOT_FOUND)?;
        if order.buyer.is_some() {
            return Err(Halt::redirect(LocalPath::of("/account/orders").segment(order.id)));
        }
        cx.subscribe(visitor.bus().topics(), Topic::Order(order.id), |news| news);
        cx.set_title(format!("Order {}", order.id));
        let detail = orders.get(&READER, order.id).await.map_err(unavailable)?;
        Ok(Self { frame, visitor, key, detail })
    }

    async fn handle_event(&mut self, Event::Cancel: Event, cx: &mut Ctx<'_, Self>) {
        self.cancel(cx).await;
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        if let News::Order(_) = *news {
            self.read_again().await;
        } else {
            self.frame.heard(&news, &self.visitor).await;
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let order = &self.detail.order;
        // So long nothing of it is packed.
        let loose = matches!(order.status, Status::Placed | Status::Paid);
        let row = |name, amount: Money| html! { <div><dt>{name}</dt><dd>{money(amount)}</dd></div> };
        let content = html! {
            <section class="stack" aria-labelledby="title">
                <div class="row"><h1 id="title">Order {order.id.0}</h1>{StatusTag(order.status).render()}</div>
                <p class="sr" role="status">This order is: {status(order.status).0}</p>
                <Life detail={&self.detail}/>
                <div class="columns main-side">
                    <div class="sheet">
                        <h2>What you ordered</h2>
                        <table class="cards">
                            <thead><tr><th scope="col">Product</th><th scope="col" class="num">Pieces</th><th scope="col" class="num">Each</th></tr></thead>
                            <tbody>
                                {each(&self.detail.lines, |line| line.line, |line| html! {
                                    <tr>
                                        <td class="bare"><a href={product_path(line.sku).to_string()} data-phx-link="redirect" data-phx-link-state="push">{line.name.as_str()}</a></td>
                                        <td class="num" data-label="Pieces">{line.quantity}</td>
                                        <td class="num" data-label="Each">{money(line.unit)}</td>
                                    </tr>
                                })}
                            </tbody>
                        </table>
                    </div>
                    <aside class="sheet stack" aria-label="Totals and address">
                        <dl class="sums">
                            {row("Subtotal", order.subtotal)}
                            {(order.discount.pence > 0).then(|| html! { <div class="off"><dt>Taken off</dt><dd>"−"{money(order.discount)}</dd></div> })}
                            <div class="total"><dt>Total</dt><dd>{money(order.total)}</dd></div>
                            <div class="soft small"><dt>VAT in it</dt><dd>{money(order.vat)}</dd></div>
                        </dl>
                        <p>To {order.country.as_str()}. {order.email.as_deref().map(|email| html! { <span>We write to {email}.</span> })}</p>
                        <p class="soft small">Keep the address of this page: it is how you come back to your order.</p>
                        {loose.then(|| html! { <p><button class="btn quiet" type="button" phx-click="cancel" data-confirm="Cancel this order?">Cancel this order</button></p> })}
                    </aside>
                </div>
            </section>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

/// The steps of an order's life, with those that it has taken.
struct Life<'a> {
    detail: &'a OrderDetail,
}

impl Component for Life<'_> {
    fn render(self) -> Rendered {
        let now = self.detail.order.status;
        let at =
            |step: Status| self.detail.events.iter().find(|event| event.status == step).map(|event| event.at);
        let goes_well = [Status::Placed, Status::Paid, Status::Packed, Status::Shipped, Status::Delivered];
        // A life that ended otherwise has the steps that it took, and its end.
        let ended = matches!(now, Status::Cancelled | Status::Returned);
        let mut steps: Vec<Status> =
            goes_well.into_iter().filter(|step| !ended || at(*step).is_some()).collect();
        steps.extend(ended.then_some(now));
        html! {
            <ol class="life" aria-label="How far it is">
                {each(&steps, |step| step.name().to_owned(), |step| {
                    let (word, _) = status(*step);
                    let (done, here) = (at(*step).is_some(), *step == now);
                    html! {
                        <li class={(done.then_some("done"), here.then_some("now"), (here && ended).then_some("bad"))} aria-current={here.then_some("step")}>
                            {word}
                            {at(*step).map(|at| html! { <div class="soft small"><Time id={format!("at-{}", step.name()).into()} at={at}/></div> })}
                        </li>
                    }
                })}
            </ol>
        }
    }
}
