//! What everybody sees: the catalogue, a product, the cart, the checkout, signing in.
//!
//! **Invariant.** Catalogue, product and signing in work without a script.

mod catalogue;

use live::{LiveSession, Page};
use pulse_core::{CommandId, Quantity, Sku};
use pulse_fleet::ShopError;

use super::visitor::{Visitor, Visitors};

/// The views of this group.
pub(crate) fn views(group: LiveSession<Visitors>) -> LiveSession<Visitors> {
    group.view::<catalogue::Catalogue>("/")
}

/// Puts pieces into the visitor's cart, and says what became of it.
async fn add(visitor: &Visitor, sku: &str, quantity: Quantity, page: &mut Page) {
    let Ok(sku) = Sku::new(sku) else { return };
    let who = match visitor.who().await {
        Ok(who) => who,
        Err(_) => return page.put_flash("error", "The shop can't answer at the moment. Try again shortly."),
    };
    // A click comes once: the socket neither repeats nor loses it without the page being told.
    let id = CommandId(rand::random());
    match visitor.rooms().front.add(&who, visitor.cart(), id, sku, quantity).await {
        Ok(_) => page.put_flash("info", "It is in your cart."),
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
