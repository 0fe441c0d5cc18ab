//! What belongs to one's account: details, orders, returns.
//!
//! **Invariant.** Nobody sees these without having signed in, and nobody another's.

mod details;
mod history;
mod order;
mod password;
mod returns;

use live::html::Component;
use live::{LiveSession, Rendered, each, html};
use pulse_data::orders::OrderError;

use super::visitor::Visitors;

/// The views of this group.
pub(crate) fn views(group: LiveSession<Visitors>) -> LiveSession<Visitors> {
    group
        .view::<details::Details>("/account")
        .view::<history::History>("/account/orders")
        .view::<order::OrderPage>("/account/orders/{id}")
        .view::<returns::Returns>("/account/returns")
}

const BUSY: &str = "The shop can't answer at the moment. Try again shortly.";

/// What became of a buyer's wish about an order, in words for people.
fn said(error: &OrderError) -> String {
    match error {
        OrderError::Db(error) => {
            tracing::warn!(%error, "a page's wish about an order was not fulfilled");
            BUSY.to_owned()
        }
        OrderError::Forbidden(_) => "You are no longer signed in.".to_owned(),
        OrderError::WrongStep(_) => "That is no longer possible: the order has moved on.".to_owned(),
        other => super::shop::sentence(&other.to_string()),
    }
}

/// The ways between the pages of an account.
struct Menu {
    /// The address of this page.
    here: &'static str,
}

impl Component for Menu {
    fn render(self) -> Rendered {
        const PAGES: [(&str, &str); 3] =
            [("/account", "Details"), ("/account/orders", "Orders"), ("/account/returns", "Returns")];
        html! {
            <nav aria-label="Your account">
                <ul class="menu">
                    {each(&PAGES, |(path, _)| path.to_string(), |(path, text)| html! {
                        <li><a href={*path} data-phx-link="redirect" data-phx-link-state="push" aria-current={(*path == self.here).then_some("page")}>{*text}</a></li>
                    })}
                </ul>
            </nav>
        }
    }
}
