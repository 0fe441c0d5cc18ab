//! What buyers ask to send back and nobody has answered yet, newest first.
//!
//! **Invariant.** A request that has its answer leaves every page that shows it, whoever gave the answer. News is gathered,
//! so that however much happens the store is asked at most twice a second.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use live::html::Component;
use live::js::Js;
use live::{Ctx, Form, Halt, LiveView, Page, Params, Rendered, each, html};
use pulse_core::ports::Notice;
use pulse_core::{OrderId, Permission};
use pulse_data::orders::{OrderError, RequestId, RequestQuery, ReturnRequest};
use pulse_data::page::{Cursor, Page as Found};
use serde::Deserialize;

use super::super::parts::{TextField, Time};
use super::super::roll::Roll;
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, tell};
use super::order::empty_answer;
use super::orders::order_path;
use crate::news::{News, Topic};

/// Requests that are read at a time.
const PAGE: u32 = 50;

/// How long news is gathered.
const GATHER: Duration = Duration::from_millis(500);

/// Orders that are looked at one by one; of more, the list is read from its beginning.
const MOVED: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The end of the list comes into view.
    More,
    /// The goods of this order are back.
    Accept { order: i64 },
    /// This order's request is to be declined: open the form for the reason.
    Decline { order: i64 },
    /// Or not.
    Leave,
    /// A reason is typed.
    Answering(Params),
    /// Decline for that reason.
    Answer(Params),
}

pub(crate) enum Info {
    News(Arc<News>),
    /// What was gathered is to be shown.
    Gathered,
}

pub(crate) struct Returns {
    desk: Desk,
    rows: Roll<ReturnRequest>,
    /// Whether any request is open.
    any: bool,
    /// The newest request of the list.
    top: RequestId,
    /// Orders of which something was told since the list was read.
    moved: BTreeSet<OrderId>,
    /// The request whose answer is being written.
    declining: Option<(ReturnRequest, Form)>,
}

/// An order has one open request at most, so the order names it.
fn dom_id(order: OrderId) -> String {
    format!("return-{order}")
}

impl Returns {
    async fn read(
        &self,
        order: Option<OrderId>,
        after: Option<Cursor>,
    ) -> Result<Found<ReturnRequest>, OrderError> {
        let Ok(who) = self.desk.visitor().who().await else {
            return Ok(Found { items: Vec::new(), next: None });
        };
        let query = RequestQuery { everybody: true, order, open: true, after, limit: PAGE };
        self.desk.rooms().orders.requests(&who, &query).await
    }

    async fn begin(&mut self) -> Result<(), OrderError> {
        self.moved.clear();
        let page = self.read(None, None).await?;
        self.top = page.items.first().map_or(RequestId(0), |request| request.id);
        self.any = !page.items.is_empty();
        self.rows.begin(page);
        Ok(())
    }

    /// The open request of an order, where there is one.
    async fn of(&self, order: OrderId) -> Result<Option<ReturnRequest>, OrderError> {
        Ok(self.read(Some(order), None).await?.items.into_iter().next())
    }

    /// Shows what has happened: new requests at the top, and answered ones no more.
    async fn catch_up(&mut self) -> Result<(), OrderError> {
        if self.moved.len() > MOVED {
            return self.begin().await;
        }
        for order in std::mem::take(&mut self.moved) {
            match self.of(order).await? {
                Some(request) if request.id > self.top => {
                    (self.top, self.any) = (request.id, true);
                    self.rows.put_first(request);
                }
                Some(request) => self.rows.update(request),
                None => self.gone(order).await?,
            }
        }
        Ok(())
    }

    /// An order's request is answered.
    async fn gone(&mut self, order: OrderId) -> Result<(), OrderError> {
        self.rows.delete_by_id(dom_id(order));
        self.declining.take_if(|(request, _)| request.order == order);
        self.any = !self.read(None, None).await?.items.is_empty();
        Ok(())
    }

    /// Takes the goods back, or declines for a reason; either way the request is answered.
    async fn answer(
        &mut self,
        order: OrderId,
        no: Option<&str>,
        cx: &mut Ctx<'_, Self>,
    ) -> Result<(), OrderError> {
        let Some(who) = self.desk.who(cx).await else { return Ok(()) };
        let Some(request) = self.of(order).await? else {
            cx.put_flash("error", "Somebody else has answered that request already.");
            return self.gone(order).await;
        };
        let orders = &self.desk.rooms().orders;
        match no {
            Some(why) => orders.decline_return(&who, request.id, why).await?,
            None => orders.accept_return(&who, request.id).await?,
        };
        cx.put_flash("info", "The buyer is told.");
        self.gone(order).await
    }

    /// Opens the form for the reason, in the request's own row.
    async fn open(&mut self, order: OrderId) -> Result<(), OrderError> {
        self.close();
        match self.of(order).await? {
            Some(request) => {
                self.rows.update(request.clone());
                self.declining = Some((request, empty_answer()));
                Ok(())
            }
            None => self.gone(order).await,
        }
    }

    fn close(&mut self) {
        if let Some((request, _)) = self.declining.take() {
            self.rows.update(request);
        }
    }

    fn typed(&mut self, form: impl FnOnce(Form) -> Form) {
        if let Some((request, answer)) = &mut self.declining {
            *answer = form(answer.clone());
            if answer.values().at("text").text().trim().is_empty() {
                answer.errors.add("text", "must say why, for the buyer to read");
            }
            self.rows.update(request.clone());
        }
    }

    async fn decline(&mut self, cx: &mut Ctx<'_, Self>) -> Result<(), OrderError> {
        let Some((request, answer)) = &self.declining else { return Ok(()) };
        if !answer.errors.is_empty() {
            return Ok(());
        }
        let (order, why) = (request.order, answer.values().at("text").text().to_owned());
        match self.answer(order, Some(&why), cx).await {
            Err(OrderError::Invalid { message, .. }) => {
                if let Some((request, answer)) = &mut self.declining {
                    answer.errors.add("text", message);
                    self.rows.update(request.clone());
                }
                Ok(())
            }
            other => other,
        }
    }

    fn row(&self, id: &str, request: &ReturnRequest) -> Rendered {
        let may = self.desk.shows(Permission::TakeReturns);
        let answer =
            self.declining.as_ref().filter(|(open, _)| open.id == request.id).map(|(_, answer)| answer);
        html! {
            <li id={id} class="sheet stack">
                <div class="row apart">
                    <h2>"Order " <Go to={order_path(request.order)} text={&request.order.to_string()} class=""/></h2>
                    <span class="soft small">"asked " <Time id={format!("{id}-at").into()} at={request.asked_at}/></span>
                </div>
                <p>"“"{&request.reason}"”"</p>
                <ul>{each(&request.lines, |line| line.line, |line| html! { <li>{line.pieces}" × "{&line.name}</li> })}</ul>
                {match answer {
                    Some(form) => html! { <Answer form={form}/> },
                    None if may => html! {
                        <div class="row">
                            <button class="btn" type="button" phx-click="accept" phx-value-order={request.order.0}>"The goods are back: refund them"<span class="sr">" for order " {request.order.0}</span></button>
                            <button class="btn quiet" type="button" phx-click="decline" phx-value-order={request.order.0}>"Decline…"<span class="sr">" the request of order " {request.order.0}</span></button>
                        </div>
                    },
                    None => html! { <p class="soft small">Answered by those who may take returns.</p> },
                }}
            </li>
        }
    }
}

/// The reason for a "no", in the row of its request.
struct Answer<'a> {
    form: &'a Form,
}

impl Component for Answer<'_> {
    fn render(self) -> Rendered {
        let focus = Js::new().focus("#answer_text");
        html! {
            <form id="answer" class="fields" phx-change="answering" phx-submit="answer" phx-mounted={&focus}>
                <TextField field={self.form.field("text")} label="Why not" kind="text" autocomplete={Some("off")} hint={Some("The buyer reads it.")} required=true/>
                <div class="row">
                    <button class="btn danger" type="submit">Decline</button>
                    <button class="btn quiet" type="button" phx-click="leave">Leave it open</button>
                </div>
            </form>
        }
    }
}

impl LiveView for Returns {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Info;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Returns, cx, Info::News).await?;
        cx.set_title("Returns");
        cx.subscribe(desk.rooms().bus.topics(), Topic::Orders, Info::News);
        let rows = Roll::new(cx.stream("returns", |request: &ReturnRequest| dom_id(request.order)));
        let (top, moved) = (RequestId(0), BTreeSet::new());
        let mut view = Self { desk, rows, any: false, top, moved, declining: None };
        view.begin().await.map_err(halt)?;
        Ok(view)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        let done = match event {
            Event::More => match self.rows.next() {
                None => Ok(()),
                Some(next) => self.read(None, Some(next)).await.map(|page| self.rows.go_on(page)),
            },
            Event::Accept { order } => self.answer(OrderId(order), None, cx).await,
            Event::Decline { order } => self.open(OrderId(order)).await,
            Event::Leave => {
                self.close();
                Ok(())
            }
            Event::Answering(typed) => {
                self.typed(|form| form.typed(&typed));
                Ok(())
            }
            Event::Answer(typed) => {
                self.typed(|form| form.submitted(&typed));
                self.decline(cx).await
            }
        };
        tell(done, cx);
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
        let content = html! {
            <h1>Returns</h1>
            <p id="none" class="soft" role="status">{(!self.any).then_some("No request waits for an answer.")}</p>
            <ul id="returns" class="plain stack" phx-update="stream" phx-viewport-bottom={self.rows.more()}>
                {self.rows.render(|id, request| self.row(id, request))}
            </ul>
        };
        self.desk.around(page, content)
    }
}
