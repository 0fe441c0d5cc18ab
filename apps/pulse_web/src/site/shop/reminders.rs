//! The end of reminders, where the link in a letter leads.
//!
//! **Invariant.** Opening the page changes nothing: programs that look into letters open links too. The button posts what
//! the link says, and so may a mail program at one click (RFC 8058).

use std::sync::Arc;

use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, html};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::visitor::Visitor;
use crate::news::News;

/// Where it is.
pub(super) const PATH: &str = "/reminders/stop";

/// What the letter's link says.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    token: String,
}

pub(crate) struct Stop {
    frame: Frame,
    visitor: Visitor,
    token: String,
}

impl LiveView for Stop {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = ();
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.set_title("No more reminders");
        let frame = Frame::open(Place::Account, cx, |news| news).await;
        Ok(Self { frame, visitor: cx.scope().clone(), token: wanted.token.clone() })
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.frame.heard(&news, &self.visitor).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let to = LocalPath::of(PATH).query("token", &self.token);
        let content = html! {
            <section class="narrow stack" aria-labelledby="title">
                <h1 id="title">No more reminders?</h1>
                <p>We write when something has waited in your cart for a day, once for each cart.</p>
                <form id="stop" class="sheet fields" action={to.as_str()} method="post">
                    <button class="btn wide" type="submit">Write to me no more</button>
                </form>
                <p class="soft small">In your account you can have them back.</p>
            </section>
        };
        self.frame.around(page, &self.visitor, content)
    }
}
