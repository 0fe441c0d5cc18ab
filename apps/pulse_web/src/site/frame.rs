//! What stands around every view: the way to other pages, the cart's count, messages.
//!
//! **Invariant.** The cart's count is the stored cart's, whichever tab or program has changed it.

use std::sync::Arc;

use live::html::{Component, Render};
use live::{Ctx, LiveView, Page, Rendered, each, html};
use pulse_core::Permission;

use super::shoppers::Here;
use super::visitor::Visitor;
use crate::assets::ASSETS;
use crate::news::{News, Topic};

/// The pages that the menu names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The catalogue and its products.
    Shop,
    /// Cart and checkout.
    Cart,
    /// One's account and orders; signing in.
    Account,
    /// The back office.
    Office,
}

/// The frame of one open page.
#[derive(Debug)]
pub(crate) struct Frame {
    here: Place,
    /// Pieces in the visitor's cart.
    pieces: i64,
    /// Counts the visitor among the shoppers as long as the page is open; not in the office.
    _here: Option<Here>,
}

impl Frame {
    /// Reads the cart, and has the view told of its changes as long as it is open.
    pub(crate) async fn open<V>(here: Place, cx: &mut Ctx<'_, V>, told: fn(Arc<News>) -> V::Info) -> Self
    where
        V: LiveView<Scope = Visitor>,
    {
        let visitor = cx.scope().clone();
        // First listen, then look: what changes in between is told.
        cx.subscribe(visitor.bus().topics(), Topic::Cart(visitor.cart()), told);
        let counts = cx.is_connected() && here != Place::Office;
        let open = counts.then(|| visitor.state().shoppers().enter(visitor.cart()));
        let mut frame = Self { here, pieces: 0, _here: open };
        frame.count(&visitor).await;
        frame
    }

    /// Follows the news of the visitor's cart. Says whether it was about it.
    pub(crate) async fn heard(&mut self, news: &News, visitor: &Visitor) -> bool {
        let mine = *news == News::Cart(visitor.cart());
        if mine {
            self.count(visitor).await;
        }
        mine
    }

    /// A cart that can't be read keeps its last count: the page that needs the cart itself says what is wrong.
    async fn count(&mut self, visitor: &Visitor) {
        if visitor.cart_is_new() {
            return;
        }
        if let Ok(cart) = visitor.rooms().front.fleet().view(visitor.cart()).await {
            self.pieces = cart.cart.pieces();
        }
    }

    /// A page's content in its frame.
    pub(crate) fn around(&self, page: &Page, visitor: &Visitor, content: impl Render) -> Rendered {
        let menu = Menu {
            here: self.here,
            pieces: self.pieces,
            signed_in: visitor.account().is_some(),
            works_here: visitor.seems_to_have(Permission::SeeOrders),
        };
        html! {
            <div>
                <a class="skip" href="#content">Skip to content</a>
                {page.part(menu, Menu::render)}
                <p class="offline" role="status">The connection is gone. What you see may be old; we try again.</p>
                <main id="content" tabindex="-1">{content}</main>
                <Messages page={page}/>
                <footer class="foot">
                    <div>
                        <span>Pulse, a shop in one binary.</span>
                        <a href="/api/docs">"The shop's API"</a>
                    </div>
                </footer>
            </div>
        }
    }
}

/// The way to other pages, above each of them.
#[derive(Hash)]
struct Menu {
    here: Place,
    pieces: i64,
    signed_in: bool,
    works_here: bool,
}

impl Menu {
    fn render(self) -> Rendered {
        let current = |place: Place| (self.here == place).then_some("page");
        let icon = ASSETS.icon.path.as_str();
        html! {
            <header class="top">
                <div>
                    <a class="brand" href="/" data-phx-link="redirect" data-phx-link-state="push">
                        <img src={icon} alt="" width="28" height="28"/>Pulse
                    </a>
                    <form class="search" action="/" method="get" role="search">
                        <label class="sr" for="find">Search the shop</label>
                        <input id="find" type="search" name="q" placeholder="Search" maxlength="100" autocomplete="off"/>
                        <button class="btn quiet" type="submit">Search</button>
                    </form>
                    <nav aria-label="Pages">
                        <ul>
                            <li><a href="/cart" aria-current={current(Place::Cart)} data-phx-link="redirect" data-phx-link-state="push">Cart {(self.pieces > 0).then(|| html! { <span class="count">{self.pieces} <span class="sr">" pieces"</span></span> })}</a></li>
                            {if self.signed_in {
                                html! { <li><a href="/account" aria-current={current(Place::Account)}>Account</a></li> }
                            } else {
                                html! { <li><a href="/login" aria-current={current(Place::Account)}>Sign in</a></li> }
                            }}
                            {self.works_here.then(|| html! {
                                <li><a href="/office" aria-current={current(Place::Office)}>Office</a></li>
                            })}
                        </ul>
                    </nav>
                </div>
            </header>
        }
    }
}

/// The messages that a page shows once, in a live region.
struct Messages<'a> {
    page: &'a Page,
}

impl Component for Messages<'_> {
    fn render(self) -> Rendered {
        // What else a flash brings is for the view: an e-mail address that a form has refused.
        let shown = |kind: &str| matches!(kind, "info" | "error");
        let messages: Vec<(&str, &str)> = self.page.flash().iter().filter(|(kind, _)| shown(kind)).collect();
        html! {
            <div class="messages" role="status" aria-live="polite">
                {each(&messages, |(kind, _)| kind.to_string(), |(kind, text)| html! {
                    <div class={("message", *kind)}>
                        <span>{*text}</span>
                        <button type="button" phx-click="lv:clear-flash" phx-value-key={*kind} aria-label="Close this message">"×"</button>
                    </div>
                })}
            </div>
        }
    }
}
