//! The cart: lines to change or take out, and what it all costs.
//!
//! **Invariant.** What is shown is the stored cart, so all tabs of a buyer agree; a change is shown once it is stored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use live::html::Component;
use live::{Ctx, Halt, LiveView, Page, Rendered, each, html};
use pulse_core::CommandId;
use pulse_core::cart::{Line, LineKey};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::{Tile, money};
use super::super::visitor::Visitor;
use super::basket::{Basket, Sums};
use super::catalogue::product_path;
use super::product::quantity_of;
use super::{acting, said};
use crate::news::{News, Topic};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Makes a line so many pieces: typed, or by a step.
    Set { line: String, quantity: String },
    /// Takes a line out.
    Remove { line: String },
}

/// What the cart is told.
pub(crate) enum Told {
    News(Arc<News>),
    /// The lease of a checkout is over.
    Lease,
}

pub(crate) struct Cart {
    frame: Frame,
    visitor: Visitor,
    basket: Basket,
    /// What is wrong with a quantity that was typed, with the text.
    wrong: BTreeMap<String, (String, &'static str)>,
}

impl Cart {
    fn is_frozen(&self) -> bool {
        self.basket.view.cart.cart.is_frozen(self.visitor.rooms().clock.now())
    }

    /// Nobody tells when a lease runs out: the page looks for itself.
    fn await_lease(&self, cx: &Ctx<'_, Self>) {
        if let Some(freeze) = &self.basket.view.cart.cart.freeze {
            let left =
                freeze.until.0.saturating_sub(self.visitor.rooms().clock.now().0).max(0).unsigned_abs();
            cx.send_after(Duration::from_millis(left + 1), Told::Lease);
        }
    }

    async fn change(&mut self, line: &str, pieces: Option<&str>, cx: &mut Ctx<'_, Self>) {
        let Ok(key) = line.parse::<LineKey>() else { return };
        self.wrong.remove(line);
        let quantity = match pieces.map(quantity_of).transpose() {
            Ok(quantity) => quantity,
            Err(message) => {
                self.wrong.insert(line.to_owned(), (pieces.unwrap_or_default().to_owned(), message));
                return;
            }
        };
        let Some(who) = acting(&self.visitor, cx).await else { return };
        // A click comes once: the socket neither repeats nor loses it without the page being told.
        let (id, front) = (CommandId(rand::random()), &self.visitor.rooms().front);
        let changed = match quantity {
            Some(quantity) => front.set_quantity(&who, self.visitor.cart(), id, key, quantity).await,
            None => front.remove(&who, self.visitor.cart(), id, key).await,
        };
        match changed {
            Ok(view) => self.basket.view = view,
            Err(error) => cx.put_flash("error", said(&error)),
        }
    }
}

impl LiveView for Cart {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Told;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let frame = Frame::open(Place::Cart, cx, Told::News).await;
        let visitor = cx.scope().clone();
        cx.subscribe(visitor.bus().topics(), Topic::Products, Told::News);
        cx.subscribe(visitor.bus().topics(), Topic::Promotions, Told::News);
        cx.set_title("Cart");
        let basket = Basket::read(&visitor).await.map_err(|error| {
            tracing::warn!(%error, "a cart could not be read for its page");
            Halt::UNAVAILABLE
        })?;
        let cart = Self { frame, visitor, basket, wrong: BTreeMap::new() };
        cart.await_lease(cx);
        Ok(cart)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Set { line, quantity } => self.change(&line, Some(&quantity), cx).await,
            Event::Remove { line } => self.change(&line, None, cx).await,
        }
    }

    async fn handle_info(&mut self, told: Told, cx: &mut Ctx<'_, Self>) {
        let Told::News(news) = told else { return };
        self.frame.heard(&news, &self.visitor).await;
        self.basket.heard(&news, &self.visitor).await;
        if matches!(*news, News::Cart(_)) {
            self.await_lease(cx);
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let frozen = self.is_frozen();
        let lines: Vec<(usize, &Line)> = self.basket.lines().iter().enumerate().collect();
        let content = if lines.is_empty() {
            html! {
                <section class="stack" aria-labelledby="title">
                    <h1 id="title">Your cart</h1>
                    <p class="soft">There is nothing in it yet.</p>
                    <p><a class="btn" href="/" data-phx-link="redirect" data-phx-link-state="push">Look around</a></p>
                </section>
            }
        } else {
            html! {
                <section class="stack" aria-labelledby="title">
                    <h1 id="title">Your cart</h1>
                    {frozen.then(|| html! { <p class="notice" role="status">A checkout of this cart is under way. It can be changed once that is over, in a minute at most.</p> })}
                    <div class="columns main-side">
                        <ul class="plain stack">
                            {each(&lines, |(_, line)| line.key().to_string(), |(at, line)| html! { <li class="sheet"><Row cart={self} line={line} at={*at} frozen={frozen}/></li> })}
                        </ul>
                        <aside class="sheet stack" aria-label="What it costs">
                            <div aria-live="polite"><Sums basket={&self.basket}/></div>
                            <a class="btn wide" href="/checkout" data-phx-link="redirect" data-phx-link-state="push">To the checkout</a>
                        </aside>
                    </div>
                </section>
            }
        };
        self.frame.around(page, &self.visitor, content)
    }
}

struct Row<'a> {
    cart: &'a Cart,
    line: &'a Line,
    at: usize,
    frozen: bool,
}

impl Component for Row<'_> {
    fn render(self) -> Rendered {
        let Self { cart, line, at, frozen } = self;
        let (basket, key) = (&cart.basket, line.key().to_string());
        let (name, pieces) = (basket.name(line.sku), line.quantity.get());
        let (cost, off) = basket.cost(at, line);
        let wrong = cart.wrong.get(&key);
        let shown = wrong.map_or_else(|| pieces.to_string(), |(typed, _)| typed.clone());
        let (input, error) = (format!("pieces-{key}"), format!("error-{key}"));
        html! {
            <div class="line">
                <Tile sku={line.sku} name={name.as_str()} big=false/>
                <div class="what">
                    <a href={product_path(line.sku).to_string()} data-phx-link="redirect" data-phx-link-state="push">{name.as_str()}</a>
                    <span class="soft small">{money(line.price.unit)} " each" {basket.price_now(line).map(|now| format!(", {} now", money(now)))}</span>
                    {basket.trouble(line).map(|trouble| html! { <span><span class="tag bad">{trouble}</span></span> })}
                </div>
                <div class="cost"><span class="price">{money(cost)}</span>{(off.pence > 0).then(|| html! { <span class="soft small">{money(off)} " off"</span> })}</div>
                <form id={format!("line-{key}")} class="row steps" phx-change="set" phx-submit="set">
                    <input type="hidden" name="line" value={key.as_str()}/>
                    <button class="btn small quiet" type="button" phx-click="set" phx-value-line={key.as_str()} phx-value-quantity={pieces - 1} disabled={frozen || pieces <= 1}>"−"<span class="sr">" one " {name.as_str()} " less"</span></button>
                    <label class="sr" for={input.as_str()}>Pieces of {name.as_str()}</label>
                    <input id={input.as_str()} class="qty" name="quantity" type="number" inputmode="numeric" min="1" value={shown} phx-debounce="400" disabled={frozen}
                        aria-invalid={wrong.is_some().then_some("true")} aria-describedby={wrong.is_some().then_some(error.as_str())}/>
                    <button class="btn small quiet" type="button" phx-click="set" phx-value-line={key.as_str()} phx-value-quantity={pieces + 1} disabled={frozen}>"+"<span class="sr">" one " {name.as_str()} " more"</span></button>
                    <button class="btn small danger" type="button" phx-click="remove" phx-value-line={key.as_str()} disabled={frozen}>Remove<span class="sr">" " {name.as_str()}</span></button>
                    {wrong.map(|(_, message)| html! { <p class="error" id={error.as_str()}>{*message}</p> })}
                </form>
            </div>
        }
    }
}
