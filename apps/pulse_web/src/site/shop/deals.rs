//! Promotions in words for people.
//!
//! **Invariant.** What is said here decides nothing: a cart is priced by `pulse_core` alone.

use std::sync::Arc;

use live::html::Component;
use live::{Rendered, each, html};
use pulse_core::ports::Catalogue;
use pulse_core::pricing::{Promotion, Rule};
use pulse_core::{Money, Sku};

use super::super::parts::money;
use super::super::visitor::Visitor;

/// The promotions that apply now; none where they can't be read, since a page is worth showing without them.
pub(super) async fn now(visitor: &Visitor) -> Arc<[Promotion]> {
    let rooms = visitor.rooms();
    let found = match &rooms.offers {
        Some(offers) => Catalogue::promotions(&**offers).await,
        None => Catalogue::promotions(&rooms.catalog).await,
    };
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "the promotions could not be read for a page");
        Arc::from([])
    })
}

/// What a promotion does.
pub(super) fn says(rule: &Rule) -> String {
    match rule {
        Rule::BuyNGetM { buy, free, .. } => format!("Buy {buy}, get {free} free"),
        Rule::Percentage { sku: Some(_), percent } => format!("{percent}% off"),
        Rule::Percentage { sku: None, percent } => format!("{percent}% off everything"),
        Rule::BasketThreshold { at_least_pence, off_pence } => {
            format!("{} off from {}", money(Money::gbp(*off_pence)), money(Money::gbp(*at_least_pence)))
        }
    }
}

/// What a promotion does, with the product that it does it to: for those who do not look at that product.
pub(in crate::site) fn says_of(rule: &Rule) -> String {
    match rule {
        Rule::BuyNGetM { sku, .. } | Rule::Percentage { sku: Some(sku), .. } => {
            format!("{}: {sku}", says(rule))
        }
        Rule::Percentage { sku: None, .. } | Rule::BasketThreshold { .. } => says(rule),
    }
}

/// Whether a promotion is of this product itself, and not of the cart as a whole.
fn is_of(rule: &Rule, sku: Sku) -> bool {
    match rule {
        Rule::BuyNGetM { sku: of, .. } | Rule::Percentage { sku: Some(of), .. } => *of == sku,
        Rule::Percentage { sku: None, .. } | Rule::BasketThreshold { .. } => false,
    }
}

/// The promotions of one product, as tags.
pub(super) struct Tags<'a> {
    pub(super) promotions: &'a [Promotion],
    pub(super) sku: Sku,
}

impl Component for Tags<'_> {
    fn render(self) -> Rendered {
        let of: Vec<&Promotion> =
            self.promotions.iter().filter(|promotion| is_of(&promotion.rule, self.sku)).collect();
        html! { <span class="tags">{each(&of, |promotion| promotion.code.clone(), |promotion| html! { <span class="tag">{says(&promotion.rule)}</span> })}</span> }
    }
}

/// The promotions of every cart, as a list; nothing where there are none.
pub(super) struct OfAnyCart<'a> {
    pub(super) promotions: &'a [Promotion],
}

impl Component for OfAnyCart<'_> {
    fn render(self) -> Rendered {
        let any: Vec<&Promotion> = self
            .promotions
            .iter()
            .filter(|promotion| {
                matches!(promotion.rule, Rule::Percentage { sku: None, .. } | Rule::BasketThreshold { .. })
            })
            .collect();
        html! {
            <ul class="plain row" aria-label="Offers">
                {each(&any, |promotion| promotion.code.clone(), |promotion| html! { <li class="tag">{says(&promotion.rule)}</li> })}
            </ul>
        }
    }
}
