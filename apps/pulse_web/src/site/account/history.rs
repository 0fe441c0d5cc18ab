//! All orders of a buyer, newest first, as far back as one scrolls.
//!
//! **Invariant.** The server keeps no order of the list; a change reaches those that are on the page by their id.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, html};
use pulse_core::OrderId;
use pulse_core::ports::Notice;
use pulse_data::orders::{Order, OrderQuery};
use pulse_data::page::Cursor;
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::{StatusTag, Time, money};
use super::super::roll::Roll;
use super::super::visitor::Visitor;
use super::{BUSY, Menu, said};
use crate::news::{News, Topic};

/// Orders that are read at a time.
const PAGE: u32 = 20;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The end of the list comes into view.
    More,
}

pub(crate) struct History {
    frame: Frame,
    visitor: Visitor,
    orders: Roll<Order>,
}

fn dom_id(order: &Order) -> String {
    format!("order-{}", order.id)
}

impl History {
    async fn read_on(&mut self, after: Option<Cursor>, page: &mut Page) {
        let Ok(who) = self.visitor.who().await else { return page.put_flash("error", BUSY) };
        let first = after.is_none();
        let query = OrderQuery { after, limit: PAGE, ..OrderQuery::default() };
        match self.visitor.rooms().orders.list(&who, &query).await {
            Ok(found) if first => self.orders.begin(found),
            Ok(found) => self.orders.go_on(found),
            Err(error) => page.put_flash("error", said(&error)),
        }
    }
}

impl History {
    /// Shows an order as it is now: a new one on top, another where it is.
    async fn show(&mut self, id: OrderId, page: &mut Page) {
        let Ok(who) = self.visitor.who().await else { return page.put_flash("error", BUSY) };
        match self.visitor.rooms().orders.get(&who, id).await {
            Ok(detail) if detail.order.version == 1 => self.orders.put_first(detail.order),
            Ok(detail) => self.orders.update(detail.order),
            Err(error) => page.put_flash("error", said(&error)),
        }
    }
}

impl LiveView for History {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Arc<News>;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let frame = Frame::open(Place::Account, cx, |news| news).await;
        let visitor = cx.scope().clone();
        if let Some(account) = visitor.account() {
            cx.subscribe(visitor.bus().topics(), Topic::OrdersOf(account.user), |news| news);
        }
        cx.set_title("Your orders");
        let orders = Roll::new(cx.stream("orders", dom_id));
        let mut view = Self { frame, visitor, orders };
        view.read_on(None, cx).await;
        Ok(view)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        let Event::More = event;
        if let Some(next) = self.orders.next() {
            self.read_on(Some(next), cx).await;
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        if let News::Order(Notice::Order { id, .. }) = *news {
            self.show(id, cx).await;
        } else {
            self.frame.heard(&news, &self.visitor).await;
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let content = html! {
            <div class="columns side-main">
                <Menu here="/account/orders"/>
                <section class="stack" aria-labelledby="title">
                    <h1 id="title">Your orders</h1>
                    {self.orders.is_empty().then(|| html! { <p class="soft">You have not ordered anything yet.</p> })}
                    <ul id="orders" class="stack plain" phx-update="stream" phx-viewport-bottom={self.orders.more()}>
                        {self.orders.render(|id, order| html! {
                            <li id={id}>
                                <article class="sheet row apart">
                                    <a href={LocalPath::of("/account/orders").segment(order.id).to_string()} data-phx-link="redirect" data-phx-link-state="push">Order {order.id.0}</a>
                                    <Time id={format!("placed-{}", order.id).into()} at={order.placed_at}/>
                                    <span class="price">{money(order.total)}</span>
                                    {StatusTag(order.status).render()}
                                </article>
                            </li>
                        })}
                    </ul>
                </section>
            </div>
        };
        self.frame.around(page, &self.visitor, content)
    }
}
