//! What a buyer has asked to give back, and what the shop has answered.
//!
//! **Invariant.** The list is read anew whenever one of the buyer's orders has moved, so an answer shows at once.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, each, html};
use pulse_data::orders::{Outcome, RequestQuery, ReturnRequest};

use super::super::frame::{Frame, Place};
use super::super::parts::{Time, money};
use super::super::visitor::Visitor;
use super::{BUSY, Menu, said};
use crate::news::{News, Topic};

/// The newest that are shown.
const SHOWN: u32 = 100;

pub(crate) struct Returns {
    frame: Frame,
    visitor: Visitor,
    requests: Vec<ReturnRequest>,
}

impl Returns {
    async fn read(&mut self, page: &mut Page) {
        let Ok(who) = self.visitor.who().await else { return page.put_flash("error", BUSY) };
        let query = RequestQuery { limit: SHOWN, ..RequestQuery::default() };
        match self.visitor.rooms().orders.requests(&who, &query).await {
            Ok(found) => self.requests = found.items,
            Err(error) => page.put_flash("error", said(&error)),
        }
    }
}

impl LiveView for Returns {
    type Scope = Visitor;
    type Params = ();
    type Event = ();
    type Info = Arc<News>;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let frame = Frame::open(Place::Account, cx, |news| news).await;
        let visitor = cx.scope().clone();
        if let Some(account) = visitor.account() {
            cx.subscribe(visitor.bus().topics(), Topic::OrdersOf(account.user), |news| news);
        }
        cx.set_title("Your returns");
        let mut view = Self { frame, visitor, requests: Vec::new() };
        view.read(cx).await;
        Ok(view)
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        if let News::Order(_) = *news {
            self.read(cx).await;
        } else {
            self.frame.heard(&news, &self.visitor).await;
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let content = html! {
            <div class="columns side-main">
                <Menu here="/account/returns"/>
                <section class="stack" aria-labelledby="title">
                    <h1 id="title">Your returns</h1>
                    {self.requests.is_empty().then(|| html! { <p class="soft">You have not asked to give anything back. You can do so on the page of an order that is on its way or delivered.</p> })}
                    <div id="requests" class="stack">
                        {each(&self.requests, |request| request.id.0, |request| html! { <div><Asked request={request}/></div> })}
                    </div>
                </section>
            </div>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

/// One request with its answer.
pub(super) struct Asked<'a> {
    pub(super) request: &'a ReturnRequest,
}

impl Component for Asked<'_> {
    fn render(self) -> Rendered {
        let request = self.request;
        let (kind, word) = match &request.outcome {
            Outcome::Open => ("warn", "Waits for an answer"),
            Outcome::Accepted { .. } => ("good", "Accepted"),
            Outcome::Declined { .. } => ("bad", "Declined"),
        };
        html! {
            <article class="sheet stack" id={format!("request-{}", request.id)}>
                <div class="row apart">
                    <a href={LocalPath::of("/account/orders").segment(request.order).to_string()} data-phx-link="redirect" data-phx-link-state="push">Order {request.order.0}</a>
                    <Time id={format!("asked-{}", request.id).into()} at={request.asked_at}/>
                    <span class={("tag", kind)}>{word}</span>
                </div>
                <ul>
                    {each(&request.lines, |line| line.line, |line| html! { <li>{line.pieces} "× " {line.name.as_str()}</li> })}
                </ul>
                <p class="soft">{request.reason.as_str()}</p>
                {match &request.outcome {
                    Outcome::Open => None::<Rendered>,
                    Outcome::Accepted { refund, .. } => Some(html! { <p>We give you back {money(*refund)}.</p> }),
                    Outcome::Declined { answer, .. } => Some(html! { <p>{answer.as_str()}</p> }),
                }}
            </article>
        }
    }
}
