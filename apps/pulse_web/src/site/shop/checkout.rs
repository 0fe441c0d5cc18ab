//! The checkout: where the order goes, what it costs, and the button that places it.
//!
//! **Invariant.** One visit places one order: the checkout's key is drawn when the page is opened and lies in its form, so
//! a second click, and a click after the server was killed and the form has come back, repeat the same checkout. What was
//! typed is kept whatever the answer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, LocalPath, Page, Params, Rendered, each, html};
use pulse_core::CheckoutKey;
use pulse_core::order::{Channel, PaymentMethod, PlacedOrder};
use pulse_core::ports::PlaceError;
use pulse_fleet::{Checkout as Demand, ShopError};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::TextField;
use super::super::visitor::Visitor;
use super::basket::{Basket, Sums};
use super::{acting, said, typed};
use crate::field::{Email, Text};
use crate::identity::checkout_key;
use crate::news::{News, Topic};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The form as it is typed; also how it comes back after a lost connection.
    Check(Params),
    /// Place the order.
    Pay(Params),
}

pub(crate) struct Checkout {
    frame: Frame,
    visitor: Visitor,
    basket: Basket,
    form: Form,
    key: String,
    /// What there is too little of, since the last try: name and how many are left.
    short: Vec<(String, i64)>,
}

/// Where an order goes.
struct Address {
    email: String,
    country: String,
}

/// Random bytes of a key; what the form brings back has as many characters as they have in base 64.
const KEY_BYTES: usize = 32;
const KEY_CHARS: usize = (KEY_BYTES * 4).div_ceil(3);

fn draw_key() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; KEY_BYTES]>())
}

/// Whether a text has the form of a key that this page has drawn, so that nobody can guess it.
pub(super) fn is_drawn(key: &str) -> bool {
    key.len() == KEY_CHARS && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn check(form: &mut Form) -> Option<Address> {
    let email = typed::read_trimmed::<Email>(form, "email");
    let country = typed::read_trimmed::<Text<1, 60>>(form, "country");
    Some(Address { email: email?.0, country: country?.0 })
}

impl Checkout {
    /// Takes the key that the form has brought back. Whether it is another than this page has drawn: then the page was
    /// open before, perhaps with an order on its way.
    fn take_key(&mut self) -> bool {
        let brought = self.form.values().at("key").text();
        let other = is_drawn(brought) && *brought != *self.key;
        if other {
            brought.clone_into(&mut self.key);
        }
        other
    }

    fn checkout_key(&self) -> Option<CheckoutKey> {
        checkout_key(self.visitor.cart(), &self.key).ok()
    }

    /// Goes to the order that this key has made already, if it has.
    async fn go_on(&self, cx: &mut Ctx<'_, Self>) {
        let Some(key) = self.checkout_key() else { return };
        match self.visitor.rooms().orders.find(&key).await {
            Ok(Some(order)) if order.cart == self.visitor.cart() => cx.push_navigate(shown_at(&order)),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a checkout could not be looked up for its page"),
        }
    }

    async fn pay(&mut self, address: Address, cx: &mut Ctx<'_, Self>) {
        let (Some(who), Some(key)) = (acting(&self.visitor, cx).await, self.checkout_key()) else { return };
        let demand = Demand {
            key,
            buyer: who.user(),
            email: Some(address.email),
            country: address.country,
            payment: PaymentMethod::Card,
            channel: Channel::Web,
            placed_at: None,
        };
        match self.visitor.rooms().front.checkout(&who, self.visitor.cart(), demand).await {
            Ok(order) => {
                cx.put_flash("info", "Thank you. Your order is placed.");
                cx.push_navigate(shown_at(&order));
            }
            Err(error) => self.refused(error, cx),
        }
    }

    fn refused(&mut self, error: ShopError, cx: &mut Ctx<'_, Self>) {
        match error {
            ShopError::Place(PlaceError::OutOfStock(shortages)) => {
                let of = |short: &pulse_core::order::Shortage| (self.basket.name(short.sku), short.left);
                self.short = shortages.iter().map(of).collect();
            }
            ShopError::Place(PlaceError::Invalid { field, message }) => self.form.errors.add(field, message),
            ShopError::Place(PlaceError::KeyReused) => {
                self.key = draw_key();
                cx.put_flash("error", "This checkout was used already. Look at your cart, and order again.");
            }
            // The key stays: if the order was placed after all, the next try finds it.
            ShopError::Store(_) | ShopError::Crashed => {
                tracing::warn!(%error, "whether a page's checkout was done is unknown");
                cx.put_flash("error", "The shop did not answer. Order again: you won't get it twice.");
            }
            other => cx.put_flash("error", said(&other)),
        }
    }
}

/// Where a placed order is shown: to its account, or to whoever holds its key.
fn shown_at(order: &PlacedOrder) -> LocalPath {
    match order.buyer {
        Some(_) => LocalPath::of("/account/orders").segment(order.id),
        None => LocalPath::of("/orders").segment(&order.key),
    }
}

impl LiveView for Checkout {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Arc<News>;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let frame = Frame::open(Place::Cart, cx, |news| news).await;
        let visitor = cx.scope().clone();
        cx.subscribe(visitor.bus().topics(), Topic::Products, |news| news);
        cx.subscribe(visitor.bus().topics(), Topic::Promotions, |news| news);
        cx.set_title("Checkout");
        let basket = Basket::read(&visitor).await.map_err(|error| {
            tracing::warn!(%error, "a cart could not be read for its checkout");
            Halt::UNAVAILABLE
        })?;
        let known = visitor.account().and_then(|account| account.email.clone()).unwrap_or_default();
        let form = Form::new("order").with("email", known).with("country", "United Kingdom");
        Ok(Self { frame, visitor, basket, form, key: draw_key(), short: Vec::new() })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Check(typed) => {
                self.form = self.form.clone().typed(&typed);
                check(&mut self.form);
                if self.take_key() {
                    self.go_on(cx).await;
                }
            }
            Event::Pay(typed) => {
                self.form = self.form.clone().submitted(&typed);
                self.take_key();
                self.short.clear();
                let Some(address) = check(&mut self.form) else {
                    cx.push_event("first-error", serde_json::json!({ "form": "checkout" }));
                    return;
                };
                self.pay(address, cx).await;
            }
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.frame.heard(&news, &self.visitor).await;
        self.basket.heard(&news, &self.visitor).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let empty = self.basket.is_empty();
        let field = |name, label, kind, autocomplete, hint| TextField {
            field: self.form.field(name),
            label,
            kind,
            autocomplete: Some(autocomplete),
            hint,
            required: true,
        };
        // The form is there with an empty cart too: it may come back of a page whose order was placed unheard.
        let content = html! {
            <section class="stack" aria-labelledby="title">
                <h1 id="title">Checkout</h1>
                {empty.then(|| html! {
                    <p class="soft">Your cart is empty, so there is nothing to order. <a href="/" data-phx-link="redirect" data-phx-link-state="push">Look around</a></p>
                })}
                <Short products={&self.short}/>
                <div class="columns main-side" hidden={empty}>
                    <form id="checkout" class="sheet fields" phx-change="check" phx-submit="pay" phx-hook="FirstError">
                        <h2>Where it goes</h2>
                        <input type="hidden" name="order[key]" value={self.key.as_str()}/>
                        {field("email", "E-mail", "email", "email", Some("We write to you there when something happens.")).render()}
                        {field("country", "Country", "text", "country-name", None).render()}
                        <p class="soft small">You pay by card. The money is taken once the order is placed.</p>
                        <button class="btn wide" type="submit" phx-disable-with="One moment…" disabled={empty}>Pay and order</button>
                    </form>
                    <aside class="sheet stack" aria-label="What you order">
                        <h2>Your order</h2>
                        <ul class="plain stack-small">
                            {each(self.basket.lines(), |line| line.key().to_string(), |line| html! {
                                <li>{line.quantity.get()} " × " {self.basket.name(line.sku)} {self.basket.trouble(line).map(|trouble| html! { <span class="tag bad">{trouble}</span> })}</li>
                            })}
                        </ul>
                        <div aria-live="polite"><Sums basket={&self.basket}/></div>
                        <p><a href="/cart" data-phx-link="redirect" data-phx-link-state="push">Change the cart</a></p>
                    </aside>
                </div>
            </section>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

struct Short<'a> {
    products: &'a [(String, i64)],
}

impl Component for Short<'_> {
    fn render(self) -> Rendered {
        html! {
            <div role="alert">
                {(!self.products.is_empty()).then(|| html! {
                    <div class="notice bad">
                        <p>Nothing was ordered: there is not enough of this.</p>
                        <ul>{each(self.products, |(name, _)| name.clone(), |(name, left)| html! { <li>{name.as_str()}: {left_of(*left)}</li> })}</ul>
                        <p><a href="/cart" data-phx-link="redirect" data-phx-link-state="push">Change the cart</a>, then order again.</p>
                    </div>
                })}
            </div>
        }
    }
}

fn left_of(left: i64) -> String {
    if left <= 0 { "none left".to_owned() } else { format!("{left} left") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_could_be_guessed_is_not_taken_for_a_drawn_one() {
        assert!(is_drawn(&draw_key()));
        assert!(!is_drawn("1") && !is_drawn(&"é".repeat(KEY_CHARS)) && !is_drawn(&"a".repeat(KEY_CHARS + 1)));
    }
}
