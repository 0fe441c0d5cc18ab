//! The visitor's cart as cart and checkout show it: lines, what is wrong with them, and what they cost.
//!
//! **Invariant.** Lines and totals are the stored cart's, priced by the front door; names and stock are the catalogue's.
//! Both are read again when news come of them.

use std::collections::BTreeMap;

use live::html::Component;
use live::{Rendered, each, html};
use pulse_core::cart::Line;
use pulse_core::pricing::Promotion;
use pulse_core::{Money, Principal, Sku};
use pulse_data::catalog::Product;
use pulse_fleet::{CartView, ShopError};

use super::super::parts::money;
use super::super::visitor::Visitor;
use super::deals;
use crate::news::News;

/// A cart with what the catalogue says of its products.
pub(super) struct Basket {
    pub(super) view: CartView,
    products: BTreeMap<Sku, Product>,
    promotions: std::sync::Arc<[Promotion]>,
}

impl Basket {
    pub(super) async fn read(visitor: &Visitor) -> Result<Self, ShopError> {
        let view = visitor.rooms().front.view(visitor.cart()).await?;
        let skus: Vec<Sku> = view.cart.cart.lines.iter().map(|line| line.sku).collect();
        // The cart is worth showing without the names: they are missing, then, and not the lines.
        let found = visitor.rooms().catalog.some(&Principal::Guest, &skus).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the products of a cart could not be read for a page");
            Vec::new()
        });
        let products = found.into_iter().map(|product| (product.sku, product)).collect();
        Ok(Self { view, products, promotions: deals::now(visitor).await })
    }

    /// Follows what has changed. What can't be read stays as it was.
    pub(super) async fn heard(&mut self, news: &News, visitor: &Visitor) {
        match news {
            News::Products(changed) => {
                for product in changed.iter() {
                    if self.lines().iter().any(|line| line.sku == product.sku) {
                        self.products.insert(product.sku, product.clone());
                    }
                }
            }
            News::Cart(id) if *id != visitor.cart() => {}
            News::Cart(_) | News::Catalogue | News::Promotions => match Self::read(visitor).await {
                Ok(read) => *self = read,
                Err(error) => tracing::warn!(%error, "a cart could not be read for its page"),
            },
            News::Order(_) => {}
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.view.cart.cart.lines
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines().is_empty()
    }

    pub(super) fn name(&self, sku: Sku) -> String {
        self.products.get(&sku).map_or_else(|| sku.to_string(), |product| product.name.clone())
    }

    /// What stands in the way of buying a line; `None` where nothing does.
    pub(super) fn trouble(&self, line: &Line) -> Option<String> {
        let of_it = self.lines().iter().filter(|other| other.sku == line.sku);
        let wanted: i64 = of_it.map(|line| line.quantity.get()).fold(0, i64::saturating_add);
        match self.products.get(&line.sku) {
            None => Some("No longer sold".to_owned()),
            Some(product) if !product.active => Some("No longer sold".to_owned()),
            Some(product) if product.stock <= 0 => Some("Sold out".to_owned()),
            Some(product) if product.stock < wanted => Some(format!("Only {} left", product.stock)),
            Some(_) => None,
        }
    }

    /// The catalogue's price, where it is no longer the line's.
    pub(super) fn price_now(&self, line: &Line) -> Option<Money> {
        self.products.get(&line.sku).map(|product| product.price).filter(|price| *price != line.price.unit)
    }

    /// What a line costs, and what promotions take off it.
    pub(super) fn cost(&self, at: usize, line: &Line) -> (Money, Money) {
        let zero = Money::zero(line.price.unit.currency);
        let off = self.view.priced.line_discounts().get(at).copied().unwrap_or(zero);
        let gross = line.price.unit.times(line.quantity).unwrap_or(zero);
        (Money { pence: gross.pence - off.pence, ..gross }, off)
    }
}

/// What a cart costs: what promotions take off, each by its name, and the VAT in it.
pub(super) struct Sums<'a> {
    pub(super) basket: &'a Basket,
}

impl Component for Sums<'_> {
    fn render(self) -> Rendered {
        let Self { basket } = self;
        let priced = &basket.view.priced;
        let named = |code: &str| {
            let rule = basket.promotions.iter().find(|promotion| promotion.code == code);
            rule.map_or_else(|| code.to_owned(), |promotion| deals::says(&promotion.rule))
        };
        html! {
            <dl class="sums">
                <div><dt>Subtotal</dt><dd>{money(priced.subtotal())}</dd></div>
                {each(priced.applied(), |applied| applied.code.clone(), |applied| html! {
                    <div class="off"><dt>{named(&applied.code)} <span class="soft small">{applied.code.as_str()}</span></dt><dd>"−"{money(applied.amount)}</dd></div>
                })}
                <div class="total"><dt>Total</dt><dd>{money(priced.total())}</dd></div>
                <div class="soft small"><dt>VAT in it</dt><dd>{money(priced.vat())}</dd></div>
            </dl>
        }
    }
}
