//! The live page: newest orders, a form for the next one, who is here.
//!
//! Invariant: the page shows the desk as of the last change it was told, those included that it was not told because its
//! mailbox was full; what was typed is never lost by a refusal.

mod form;
mod list;

use std::sync::Arc;

use channels::Presence;
use live::{At, Ctx, Form, Halt, LiveView, Page, Params, Rendered, Stream, each, html};
use serde::Deserialize;

use crate::book::{Change, Missed, Version};
use crate::desk::{Desk, Orders};
use crate::lobby;
use crate::order::{Order, OrderNo, Status, Typed, Wish};

/// Orders that a page shows.
pub const SHOWN: u32 = 50;

/// What every page is given.
#[derive(Clone, Debug)]
pub struct Services {
    /// The orders.
    pub desk: Desk,
    /// Who is here.
    pub here: Presence,
}

/// One open page.
#[derive(Debug)]
pub struct OrdersPage {
    /// Sent and forgotten: the browser keeps the rows, the server does not.
    orders: Stream<Order>,
    /// What the page shows: a change at or below it is known already.
    version: Version,
    form: Form,
    here: Vec<String>,
}

/// What a browser may ask for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody types.
    Check(Params),
    /// Place the order.
    Place(Params),
    /// Put it into its box.
    Pack {
        /// Which.
        no: OrderNo,
    },
    /// Send it.
    Ship {
        /// Which.
        no: OrderNo,
    },
}

/// What the server's side tells the page.
#[derive(Debug)]
pub enum Info {
    /// An order is new or has moved on.
    Changed(Arc<Change>),
    /// Somebody came or went.
    Here,
}

impl LiveView for OrdersPage {
    type Scope = Services;
    type Params = ();
    type Event = Event;
    type Info = Info;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("Orders");
        let Services { desk, here } = cx.scope().clone();
        //>> mount
        //? An order is placed between your reading and your listening. And between your listening and your reading?
        // First listen, then read: a change in between comes again and is known by its version.
        cx.subscribe(desk.bus(), Orders, Info::Changed);
        cx.subscribe(here.changes(), lobby::LOBBY.into(), |_| Info::Here);
        let now = desk.read(SHOWN as usize);
        let mut orders = cx.stream("orders", list::dom_id);
        orders.keep_first(SHOWN);
        orders.reset(now.orders);
        let form = form::empty();
        Ok(Self { orders, version: now.version, form, here: lobby::names(&here) })
        //<<
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Check(params) => _ = self.check(Form::typed, &params),
            Event::Place(params) => {
                let Some(wish) = self.check(Form::submitted, &params) else { return };
                match cx.scope().desk.place(wish) {
                    Ok(order) => {
                        self.form = form::empty();
                        cx.put_flash("info", format!("Order {} is placed.", order.no));
                    }
                    Err(refused) => cx.put_flash("error", refused.to_string()),
                }
            }
            Event::Pack { no } => advance(no, Status::Placed, cx),
            Event::Ship { no } => advance(no, Status::Packed, cx),
        }
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::Changed(change) => {
                //>> show
                //? How does the page know a change that it shows already? What is the least that the browser must be sent?
                //? An order that has scrolled out of the fifty moves on. Where does its row go?
                //? The page's mailbox was full, and three changes were not told. Who knows them?
                if change.version <= self.version {
                    return;
                }
                let missed = if change.version == self.version + 1 {
                    Missed::Changes(vec![Change::clone(&change)])
                } else {
                    cx.scope().desk.since(self.version)
                };
                let Missed::Changes(changes) = missed else {
                    let now = cx.scope().desk.read(SHOWN as usize);
                    self.version = now.version;
                    return self.orders.reset(now.orders);
                };
                for Change { version, order } in changes {
                    self.version = version;
                    if order.status == Status::Placed {
                        self.orders.insert_at(At::Start, order);
                    } else {
                        // One that has scrolled out of the page is not brought back.
                        self.orders.update(order);
                    }
                }
                //<<
            }
            Info::Here => self.here = lobby::names(&cx.scope().here),
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        html! {
            <main>
                <header>
                    <h1>Orders</h1>
                    <p id="here" aria-live="polite">{self.here.len()}" here: "{self.here.join(", ")}</p>
                </header>
                <div id="messages" role="status">
                    {each(["info", "error"], |kind| *kind, |kind| message(page, kind))}
                </div>
                {form::render(&self.form)}
                {list::render(&self.orders)}
            </main>
        }
    }
}

impl OrdersPage {
    fn check(&mut self, taken: impl FnOnce(Form, &Params) -> Form, params: &Params) -> Option<Wish> {
        self.form = taken(std::mem::replace(&mut self.form, form::empty()), params);
        let typed: Typed = self.form.read()?;
        Wish::check(&typed).map_err(|errors| self.form.errors = errors).ok()
    }
}

fn message(page: &Page, kind: &'static str) -> Rendered {
    html! { {page.flash().get(kind).map(|text| html! { <p class={kind}>{text}</p> })} }
}

fn advance(no: OrderNo, from: Status, cx: &mut Ctx<'_, OrdersPage>) {
    if let Err(refused) = cx.scope().desk.advance(no, from) {
        cx.put_flash("error", refused.to_string());
    }
}
