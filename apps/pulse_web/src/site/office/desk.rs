//! What all pages of the office have: their menu, their visitor, and how a room's refusal is told.
//!
//! **Invariant.** A page opens for those whom its entry in the menu is for. One that was left open by somebody who no longer works
//! here is loaded again, and then refused.

use std::sync::Arc;

use live::html::{Component, Render};
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, TaskCrashed, each, html};
use pulse_core::{Permission, Principal};

use super::super::frame::{Frame, Place};
use super::super::shop::sentence;
use super::super::visitor::Visitor;
use crate::error::ApiError;
use crate::news::News;
use crate::problem::{Kind, Problem};
use crate::state::Rooms;

/// The pages that the office's menu names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Dashboard,
    Orders,
    Returns,
    Products,
    Promotions,
    Jobs,
    Webhooks,
    Feeds,
    Audit,
}

/// The menu, with what one must be trusted with to see an entry.
const MENU: [(Tab, &str, &str, Permission); 9] = [
    (Tab::Dashboard, "/office", "Dashboard", Permission::SeeOrders),
    (Tab::Orders, "/office/orders", "Orders", Permission::SeeOrders),
    (Tab::Returns, "/office/returns", "Returns", Permission::SeeOrders),
    (Tab::Products, "/office/products", "Products", Permission::BrowseCatalog),
    (Tab::Promotions, "/office/promotions", "Promotions", Permission::EditCatalog),
    (Tab::Jobs, "/office/jobs", "Jobs", Permission::ManageJobs),
    (Tab::Webhooks, "/office/webhooks", "Webhooks", Permission::ManageWebhooks),
    (Tab::Feeds, "/office/feeds", "Feeds", Permission::RunFeeds),
    (Tab::Audit, "/office/audit", "Audit trail", Permission::ReadAudit),
];

/// What stands around each page of the office.
pub(crate) struct Desk {
    frame: Frame,
    visitor: Visitor,
    here: Tab,
}

impl Desk {
    /// For a page below this entry of the menu: whom the entry is not for is refused.
    pub(crate) async fn open<V>(
        here: Tab,
        cx: &mut Ctx<'_, V>,
        told: fn(Arc<News>) -> V::Info,
    ) -> Result<Self, Halt>
    where
        V: LiveView<Scope = Visitor>,
    {
        let who = cx.scope().who().await?;
        if MENU.iter().any(|(tab, .., needed)| *tab == here && !who.may(*needed)) {
            return Err(Halt::FORBIDDEN);
        }
        let frame = Frame::open(Place::Office, cx, told).await;
        Ok(Self { frame, visitor: cx.scope().clone(), here })
    }

    pub(crate) fn rooms(&self) -> &Rooms {
        self.visitor.rooms()
    }

    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// Whether to show what needs that permission; the contexts decide what is done.
    pub(crate) fn shows(&self, permission: Permission) -> bool {
        self.visitor.seems_to_have(permission)
    }

    /// In whose name to act now. Who no longer works here is sent to the door, where it is said why.
    pub(crate) async fn who(&self, page: &mut Page) -> Option<Principal> {
        match self.visitor.who().await {
            Ok(who) if who.may(Permission::SeeOrders) => return Some(who),
            Ok(_) => page.redirect(LocalPath::of("/office")),
            Err(_) => page.put_flash("error", "The shop can't answer at the moment. Try again shortly."),
        }
        None
    }

    /// Follows the news of the visitor's own cart, which the frame counts.
    pub(crate) async fn heard(&mut self, news: &News) {
        self.frame.heard(news, &self.visitor).await;
    }

    /// A page's content in its frame, below the office's menu.
    pub(crate) fn around(&self, page: &Page, content: impl Render) -> Rendered {
        let shown: Vec<_> = MENU.iter().filter(|(.., needed)| self.shows(*needed)).collect();
        let content = html! {
            <div class="stack">
                <nav class="tabs" aria-label="Office">
                    <ul>
                        {each(shown, |(_, path, ..)| *path, |(tab, path, name, _)| html! {
                            <li><a href={*path} data-phx-link="redirect" data-phx-link-state="push" aria-current={(*tab == self.here).then_some("page")}>{*name}</a></li>
                        })}
                    </ul>
                </nav>
                {content}
            </div>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

/// A room's refusal to show something, as the status of a page.
pub(crate) fn halt(error: impl Into<ApiError>) -> Halt {
    Halt::Status(Problem::from(error.into()).kind.status())
}

/// A room's refusal to do something, in words for people.
pub(crate) fn said(error: impl Into<ApiError>) -> String {
    let problem = Problem::from(error.into());
    match problem.kind {
        Kind::Forbidden => "Your account may not do that.".to_owned(),
        Kind::Internal | Kind::Unavailable => {
            "The shop can't answer at the moment. Look whether it was done, and try again shortly.".to_owned()
        }
        _ if problem.detail.is_empty() => sentence(problem.kind.title()),
        _ => sentence(&problem.detail),
    }
}

/// What was shown or done; where it was not, the visitor is told why.
pub(crate) fn tell<T>(result: Result<T, impl Into<ApiError>>, page: &mut Page) -> Option<T> {
    result.map_err(|error| page.put_flash("error", said(error))).ok()
}

/// What work beside the page has come to; where it failed or broke off, the visitor is told.
pub(crate) fn ended<T>(
    work: Result<Result<T, impl Into<ApiError>>, TaskCrashed>,
    page: &mut Page,
) -> Option<T> {
    match work {
        Ok(result) => tell(result, page),
        Err(error) => {
            tracing::error!(%error, "work beside a page of the office ended without an answer");
            page.put_flash("error", "It ended without an answer. Look what is left, and try again.");
            None
        }
    }
}

/// A live link to another page of the office.
pub(crate) struct Go<'a> {
    pub(crate) to: LocalPath,
    pub(crate) text: &'a str,
    pub(crate) class: &'static str,
}

impl Component for Go<'_> {
    fn render(self) -> Rendered {
        let class = (!self.class.is_empty()).then_some(self.class);
        html! { <a class={class} href={self.to.as_str()} data-phx-link="redirect" data-phx-link-state="push">{self.text}</a> }
    }
}
