//! The dashboard: how the shop does now.
//!
//! **Invariant.** It shows the node's last reading of the figures and asks the database nothing of its own.

use std::sync::Arc;

use live::html::{Component, text};
use live::js::{Js, To};
use live::{At, Ctx, Halt, LiveView, LocalPath, Page, Rendered, Stream, each, html};
use pulse_core::{Money, OrderId, Permission};
use pulse_data::orders::Order;

use super::super::parts::{StatusTag, Time, grouped, money};
use super::super::visitor::Visitor;
use super::chart::Chart;
use super::desk::{Desk, Go, Tab, halt};
use super::figures::{Import, LOW, NEWEST, Reading, Snapshot};
use super::trade::Trade;
use crate::news::News;

pub(crate) enum Info {
    News(Arc<News>),
    Read(Arc<Reading>),
}

pub(crate) struct Dashboard {
    desk: Desk,
    now: Arc<Snapshot>,
    /// The figures could not be read again.
    old: bool,
    newest: Stream<Order>,
    /// The orders of the list and how far in their lives they are.
    shown: Vec<(OrderId, i64)>,
}

impl Dashboard {
    fn take(&mut self, now: Arc<Snapshot>) {
        let newest_shown = self.shown.iter().map(|(id, _)| *id).max();
        let known = |order: &Order| self.shown.iter().find(|(id, _)| *id == order.id);
        let late =
            |order: &Order| known(order).is_none() && newest_shown.is_some_and(|shown| order.id < shown);
        if now.newest.iter().any(late) {
            // One was committed after others with higher numbers.
            self.newest.reset(now.newest.iter().cloned());
        } else {
            for order in now.newest.iter().rev() {
                match known(order) {
                    None => self.newest.insert_at(At::Start, order.clone()),
                    Some((_, version)) if *version != order.version => self.newest.update(order.clone()),
                    Some(_) => {}
                }
            }
        }
        self.shown = now.newest.iter().map(|order| (order.id, order.version)).collect();
        self.now = now;
    }
}

impl LiveView for Dashboard {
    type Scope = Visitor;
    type Params = ();
    type Event = ();
    type Info = Info;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Dashboard, cx, Info::News).await?;
        cx.set_title("Dashboard");
        let figures = cx.scope().state().figures().clone();
        cx.subscribe(figures.told(), (), Info::Read);
        if cx.is_connected() {
            figures.watch();
        }
        let now = figures.now().await.map_err(halt)?;
        let mut newest = cx.stream("newest", |order: &Order| format!("newest-{}", order.id));
        newest.keep_first(NEWEST);
        let mut view = Self { desk, now: now.clone(), old: false, newest, shown: Vec::new() };
        view.take(now);
        Ok(view)
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => self.desk.heard(&news).await,
            Info::Read(reading) => {
                if self.desk.who(cx).await.is_none() {
                    return;
                }
                match &*reading {
                    Reading::Fresh(now) => {
                        self.old = false;
                        self.take(now.clone());
                    }
                    Reading::Failed => self.old = true,
                }
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let now = &*self.now;
        let content = html! {
            <h1>Dashboard</h1>
            {self.old.then(|| html! { <p class="tag warn" role="status">"These figures are old: the shop can't be asked at the moment."</p> })}
            {self.desk.shows(Permission::RunFeeds).then(|| Replays { imports: &now.imports }.render())}
            <Sums now={now}/>
            <Charts trade={&now.trade}/>
            <div class="columns half">
                <section class="sheet" aria-labelledby="newest-title">
                    <h2 id="newest-title">Newest orders</h2>
                    {now.newest.is_empty().then(|| html! { <p class="soft">Nothing has been ordered yet.</p> })}
                    <table class="cards" hidden={now.newest.is_empty()}>
                        <thead><tr><th scope="col">Order</th><th scope="col">Placed</th><th scope="col">State</th><th scope="col" class="num">Total</th></tr></thead>
                        <tbody id="newest" phx-update="stream">
                            {self.newest.render(|id, order| html! {
                                <tr id={id}>
                                    <td data-label="Order"><Go to={LocalPath::of("/office/orders").segment(order.id)} text={&order.id.to_string()} class=""/></td>
                                    <td data-label="Placed"><Time id={format!("{id}-at").into()} at={order.placed_at}/></td>
                                    <td data-label="State">{StatusTag(order.status).render()}</td>
                                    <td data-label="Total" class="num">{money(order.total)}</td>
                                </tr>
                            })}
                        </tbody>
                    </table>
                </section>
                <Low now={now}/>
            </div>
        };
        self.desk.around(page, content)
    }
}

fn pounds(pence: i64) -> String {
    money(Money::gbp(pence))
}

fn count(number: i64) -> String {
    grouped(number.unsigned_abs())
}

/// The sums of the hour, and who is here.
struct Sums<'a> {
    now: &'a Snapshot,
}

impl Component for Sums<'_> {
    fn render(self) -> Rendered {
        let Snapshot { trade, present, .. } = self.now;
        let (hour, minute) = (trade.hour(), trade.this_minute());
        html! {
            <dl class="figures">
                <div class="sheet figure"><dt>Shoppers now</dt><dd id="shoppers">{present.visitors}</dd><dd class="note">{present.pages} " open pages"</dd></div>
                <div class="sheet figure"><dt>Orders in an hour</dt><dd id="orders-hour">{count(hour.orders)}</dd><dd class="note">{count(minute.orders)} " in this minute"</dd></div>
                <div class="sheet figure"><dt>Revenue in an hour</dt><dd id="revenue-hour">{pounds(hour.pence)}</dd><dd class="note">{pounds(minute.pence)} " in this minute"</dd></div>
                <div class="sheet figure"><dt>Running low</dt><dd id="running-low">{self.now.low}</dd><dd class="note">"products below " {LOW} " pieces"</dd></div>
            </dl>
        }
    }
}

/// Orders and revenue a minute, as pictures and as a table.
struct Charts<'a> {
    trade: &'a Trade,
}

impl Component for Charts<'_> {
    fn render(self) -> Rendered {
        let minutes = self.trade.minutes();
        let hour = self.trade.hour();
        let orders: Vec<i64> = minutes.iter().map(|one| one.orders).collect();
        let pence: Vec<i64> = minutes.iter().map(|one| one.pence).collect();
        let when = ["1 hour ago", "30 minutes ago", "now"];
        let described = |what: &str, most: String| {
            format!(
                "{what} in each of the last 60 minutes, and the average over five. At most {most} in a minute."
            )
        };
        let most = |values: &[i64]| values.iter().copied().max().unwrap_or(0);
        html! {
            <section class="stack" aria-label="The last hour">
                <div class="columns half">
                    <div class="sheet">
                        <h2>Orders a minute</h2>
                        <Chart id="orders-chart" title="Orders a minute" description={described("Orders", count(most(&orders)))} values={&orders} label={count} least={4} when={when}/>
                    </div>
                    <div class="sheet">
                        <h2>Revenue a minute</h2>
                        <Chart id="revenue-chart" title="Revenue a minute" description={described("Revenue", pounds(most(&pence)))} values={&pence} label={|pence| format!("£{}", count(pence / 100))} least={1_000} when={when}/>
                    </div>
                </div>
                <details id="hour-table" class="sheet" phx-mounted={text(Js::new().ignore_attributes(&["open"], To::This))}>
                    <summary>The last hour as a table</summary>
                    <div class="table-wrap">
                        <table>
                            <thead><tr><th scope="col">Minutes ago</th><th scope="col" class="num">Orders</th><th scope="col" class="num">Revenue</th></tr></thead>
                            <tbody>
                                {each(self.trade.twelfths(), |(ago, _)| *ago, |(ago, sold)| html! {
                                    <tr><th scope="row">{ago} " to " {ago + 5}</th><td class="num">{count(sold.orders)}</td><td class="num">{pounds(sold.pence)}</td></tr>
                                })}
                            </tbody>
                            <tfoot><tr><th scope="row">Together</th><td class="num">{count(hour.orders)}</td><td class="num">{pounds(hour.pence)}</td></tr></tfoot>
                        </table>
                    </div>
                </details>
            </section>
        }
    }
}

/// What should be ordered again.
struct Low<'a> {
    now: &'a Snapshot,
}

impl Component for Low<'_> {
    fn render(self) -> Rendered {
        let scarcest = &self.now.scarcest;
        html! {
            <section class="sheet" aria-labelledby="low-title">
                <h2 id="low-title">Running low</h2>
                {scarcest.is_empty().then(|| html! { <p class="soft">There is enough of everything.</p> })}
                <ul id="low" class="plain stack-small">
                    {each(scarcest, |product| product.sku, |product| html! {
                        <li class="row apart">
                            <Go to={LocalPath::of("/office/products").segment(product.sku)} text={&product.name} class=""/>
                            <span class={("tag", if product.stock > 0 { "warn" } else { "bad" })}>{product.stock} " left"</span>
                        </li>
                    })}
                </ul>
            </section>
        }
    }
}

/// How far a file is. One that is not done and does not grow was broken off, or waits for its time.
fn state(done: bool, rows_a_second: u64) -> Rendered {
    match (done, rows_a_second) {
        (true, _) => html! { <span class="tag good">Done</span> },
        (false, 0) => html! { <span class="tag warn">Not done</span> },
        (false, _) => html! { <span class="tag">Running</span> },
    }
}

/// How far the replays are, where there were any.
struct Replays<'a> {
    imports: &'a [Import],
}

impl Component for Replays<'_> {
    fn render(self) -> Rendered {
        html! {
            <section id="replays" class="sheet" aria-labelledby="replays-title" hidden={self.imports.is_empty()}>
                <h2 id="replays-title">Replays</h2>
                <table class="cards">
                    <thead><tr><th scope="col">File</th><th scope="col">State</th><th scope="col" class="num">Rows</th><th scope="col" class="num">Sales</th><th scope="col" class="num">Returns</th><th scope="col" class="num">Rows a second</th></tr></thead>
                    <tbody>
                        {each(self.imports, |import| import.file.id, |Import { file, rows_a_second }| html! {
                            <tr>
                                <td data-label="File">{&file.name}</td>
                                <td data-label="State">{state(file.done, *rows_a_second)}</td>
                                <td data-label="Rows" class="num">{grouped(file.counts.rows)}</td>
                                <td data-label="Sales" class="num">{grouped(file.counts.sale_lines)}</td>
                                <td data-label="Returns" class="num">{grouped(file.counts.return_lines)}</td>
                                <td data-label="Rows a second" class="num">{grouped(*rows_a_second)}</td>
                            </tr>
                        })}
                    </tbody>
                </table>
            </section>
        }
    }
}
