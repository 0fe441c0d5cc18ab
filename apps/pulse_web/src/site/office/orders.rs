//! The list of orders, newest first.
//!
//! **Invariant.** The address says what is shown. News is gathered, so that however much is sold the list is read at most
//! twice a second.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, html};
use pulse_core::OrderId;
use pulse_core::order::Status;
use pulse_core::ports::Notice;
use pulse_data::orders::{Order, OrderError, OrderQuery};
use pulse_data::page::{Cursor, Page as Found};
use serde::Deserialize;

use super::super::parts::{Choice, StatusTag, Time, filter, money, status};
use super::super::roll::Roll;
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, tell};
use crate::news::{News, Topic};

/// Orders that are read at a time.
const PAGE: u32 = 50;

/// How long news is gathered.
const GATHER: Duration = Duration::from_millis(500);

/// Moved orders that are read one by one; of more, the list is read from its beginning.
const MOVED: usize = 20;

/// What the address says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The end of the list comes into view.
    More,
    /// Another status.
    Look(Wanted),
}

pub(crate) enum Info {
    News(Arc<News>),
    /// What was gathered is to be shown.
    Gathered,
}

pub(crate) struct Orders {
    desk: Desk,
    wanted: Option<Status>,
    rows: Roll<Order>,
    /// The newest order of the list.
    top: OrderId,
    /// Orders that have moved since the list was read.
    moved: BTreeSet<OrderId>,
}

fn dom_id(id: OrderId) -> String {
    format!("order-{id}")
}

/// Where the office shows an order.
pub(super) fn order_path(id: OrderId) -> LocalPath {
    LocalPath::of("/office/orders").segment(id)
}

impl Orders {
    async fn read(&self, after: Option<Cursor>) -> Result<Found<Order>, OrderError> {
        let Ok(who) = self.desk.visitor().who().await else {
            return Ok(Found { items: Vec::new(), next: None });
        };
        let query = OrderQuery { everybody: true, status: self.wanted, after, limit: PAGE };
        self.desk.rooms().orders.list(&who, &query).await
    }

    async fn begin(&mut self) -> Result<(), OrderError> {
        self.moved.clear();
        let page = self.read(None).await?;
        self.top = page.items.first().map_or(OrderId(0), |order| order.id);
        self.rows.begin(page);
        Ok(())
    }

    /// Shows what has moved: new ones at the top, the others where they stand.
    async fn catch_up(&mut self) -> Result<(), OrderError> {
        if self.wanted.is_some() || self.moved.len() > MOVED || self.rows.is_empty() {
            return self.begin().await;
        }
        let mut moved = std::mem::take(&mut self.moved);
        let page = self.read(None).await?;
        if page.items.last().is_some_and(|last| last.id > self.top) {
            return self.begin().await;
        }
        let top = self.top;
        for order in page.items.into_iter().rev().filter(|order| moved.remove(&order.id)) {
            self.top = self.top.max(order.id);
            if order.id > top {
                self.rows.put_first(order);
            } else {
                self.rows.update(order);
            }
        }
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        for id in moved {
            self.rows.update(self.desk.rooms().orders.get(&who, id).await?.order);
        }
        Ok(())
    }
}

impl LiveView for Orders {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Info;

    async fn mount(_: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Orders, cx, Info::News).await?;
        cx.set_title("Orders");
        cx.subscribe(desk.rooms().bus.topics(), Topic::Orders, Info::News);
        let rows = Roll::new(cx.stream("orders", |order: &Order| dom_id(order.id)));
        Ok(Self { desk, wanted: None, rows, top: OrderId(0), moved: BTreeSet::new() })
    }

    async fn handle_params(&mut self, wanted: Wanted, _: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        self.wanted = match wanted.status.as_str() {
            "" => None,
            name => Some(Status::from_name(name).ok_or(Halt::NOT_FOUND)?),
        };
        self.begin().await.map_err(halt)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::More => {
                let Some(next) = self.rows.next() else { return };
                if let Some(page) = tell(self.read(Some(next)).await, cx) {
                    self.rows.go_on(page);
                }
            }
            Event::Look(Wanted { status }) if status.is_empty() => {
                cx.push_patch(LocalPath::of("/office/orders"));
            }
            Event::Look(Wanted { status }) => {
                cx.push_patch(LocalPath::of("/office/orders").query("status", status));
            }
        }
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => match &*news {
                News::Order(Notice::Order { id, .. }) => {
                    if self.moved.is_empty() {
                        let _ = cx.send_after(GATHER, Info::Gathered);
                    }
                    if self.moved.len() <= MOVED {
                        self.moved.insert(*id);
                    }
                }
                other => self.desk.heard(other).await,
            },
            Info::Gathered => {
                if self.desk.who(cx).await.is_some() {
                    tell(self.catch_up().await, cx);
                }
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let chosen = self.wanted.map_or("", Status::name);
        let mut options = vec![("", "All")];
        options.extend(Status::ALL.map(|one| (one.name(), status(one).0)));
        let content = html! {
            <div class="row apart">
                <h1>Orders</h1>
                <form id="look" phx-change="look" aria-label="Which orders">
                    <Choice field={filter("status", chosen)} label="State" options={&options}/>
                </form>
            </div>
            {self.rows.is_empty().then(|| html! { <p class="soft">There is no such order.</p> })}
            <table class="cards sheet" hidden={self.rows.is_empty()}>
                <thead><tr><th scope="col">Order</th><th scope="col">Placed</th><th scope="col">Buyer</th><th scope="col">Country</th><th scope="col">State</th><th scope="col" class="num">Total</th></tr></thead>
                <tbody id="orders" phx-update="stream" phx-viewport-bottom={self.rows.more()}>
                    {self.rows.render(row)}
                </tbody>
            </table>
        };
        self.desk.around(page, content)
    }
}

fn row(id: &str, order: &Order) -> Rendered {
    html! {
        <tr id={id}>
            <td data-label="Order"><Go to={order_path(order.id)} text={&order.id.to_string()} class=""/></td>
            <td data-label="Placed"><Time id={format!("{id}-at").into()} at={order.placed_at}/></td>
            <td data-label="Buyer">{order.email.as_deref().unwrap_or("unknown")}</td>
            <td data-label="Country">{order.country.as_str()}</td>
            <td data-label="State">{StatusTag(order.status).render()}</td>
            <td data-label="Total" class="num">{money(order.total)}</td>
        </tr>
    }
}
