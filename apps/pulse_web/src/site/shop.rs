//! What everybody sees: the catalogue, a product, the cart, the checkout, signing in.
//!
//! **Invariant.** Catalogue, product and signing in work without a script.

mod basket;
mod cart;
mod catalogue;
mod checkout;
pub(super) mod deals;
mod login;
mod password;
mod placed;
pub(crate) mod posts;
mod product;
mod reminders;
pub(super) mod typed;

use live::{Form, LiveSession, Page};
use pulse_core::{CommandId, Principal, Quantity, Sku};
use pulse_fleet::ShopError;

use super::visitor::{Visitor, Visitors};

/// The views of this group.
pub(crate) fn views(group: LiveSession<Visitors>) -> LiveSession<Visitors> {
    group
        .view::<catalogue::Catalogue>("/")
        .view::<product::Product>("/products/{sku}")
        .view::<cart::Cart>("/cart")
        .view::<checkout::Checkout>("/checkout")
        .view::<placed::Placed>("/orders/{key}")
        .view::<login::Login>("/login")
        .view::<login::Register>("/register")
        .view::<password::Forgot>("/password/forgot")
        .view::<password::Reset>("/password/reset")
        .view::<reminders::Stop>(reminders::PATH)
}

const IN_CART: &str = "It is in your cart.";

/// In whose name a page acts now. A page of an account that is signed out meanwhile acts for nobody, and says so: it
/// still shows that account's cart.
async fn acting(visitor: &Visitor, page: &mut Page) -> Option<Principal> {
    match visitor.who().await {
        Ok(Principal::Guest) if visitor.account().is_some() => {
            page.put_flash("error", "You are no longer signed in.");
            None
        }
        Ok(who) => Some(who),
        Err(_) => {
            page.put_flash("error", "The shop can't answer at the moment. Try again shortly.");
            None
        }
    }
}

/// The field `quantity` of a form, or what is wrong with it beside the field.
fn pieces(form: &mut Form) -> Option<Quantity> {
    match product::quantity_of(form.values().at("quantity").text()) {
        Ok(quantity) => Some(quantity),
        Err(message) => {
            form.errors.add("quantity", message);
            None
        }
    }
}

/// Puts pieces into the visitor's cart, and says what became of it.
async fn add(visitor: &Visitor, sku: &str, quantity: Quantity, page: &mut Page) {
    let Ok(sku) = Sku::new(sku) else { return };
    let Some(who) = acting(visitor, page).await else { return };
    // A click comes once: the socket neither repeats nor loses it without the page being told.
    let id = CommandId(rand::random());
    match visitor.rooms().front.add(&who, visitor.cart(), id, sku, quantity).await {
        Ok(_) => page.put_flash("info", IN_CART),
        Err(error) => page.put_flash("error", said(&error)),
    }
}

/// What became of a visitor's wish, in words for people.
fn said(error: &ShopError) -> String {
    match error {
        ShopError::Store(_) | ShopError::Crashed => {
            tracing::warn!(%error, "a page's wish was not fulfilled");
            "The shop can't answer at the moment. Look at your cart, and try again shortly.".to_owned()
        }
        ShopError::Overloaded { .. } => "The shop is very busy. Try again in a moment.".to_owned(),
        ShopError::Forbidden(_) => "You are no longer signed in.".to_owned(),
        ShopError::Cart(_) | ShopError::UnknownProduct(_) | ShopError::Place(_) => {
            sentence(&error.to_string())
        }
    }
}

/// With a capital at its beginning and a full stop at its end.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    format!("{}{}.", first.to_uppercase(), letters.as_str().trim_end_matches('.'))
}
