//! Arbitrary values of the domain: few products and prices, so that lines meet.

use proptest::prelude::*;
use pulse_core::cart::{Basis, Command, Line, LineKey, Price};
use pulse_core::pricing::{Promotion, Rule, VatRate};
use pulse_core::{CheckoutKey, Currency, Money, Quantity, Sku};

pub(crate) fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![Just(Currency::Gbp), Just(Currency::Eur), Just(Currency::Usd)]
}

pub(crate) fn rate() -> impl Strategy<Value = VatRate> {
    prop_oneof![Just(VatRate::Standard), Just(VatRate::Reduced), Just(VatRate::Zero)]
}

pub(crate) fn sku() -> impl Strategy<Value = Sku> {
    (0..4_u8).prop_map(|n| Sku::new(&format!("8512{n}")).unwrap())
}

pub(crate) fn quantity(most: i64) -> impl Strategy<Value = Quantity> {
    (1..=most).prop_map(|n| Quantity::new(n).unwrap())
}

pub(crate) fn basis() -> impl Strategy<Value = Basis> {
    prop_oneof![3 => rate().prop_map(Basis::Listed), 1 => Just(Basis::Quoted)]
}

/// A price in pounds; mostly one of a few.
pub(crate) fn unit_price() -> impl Strategy<Value = Price> {
    (prop_oneof![4 => 0..6_i64, 1 => 0..100_000_i64], basis())
        .prop_map(|(pence, basis)| Price { unit: Money::gbp(pence), basis })
}

pub(crate) fn line_key() -> impl Strategy<Value = LineKey> {
    (sku(), unit_price()).prop_map(|(sku, price)| LineKey { sku, price })
}

/// Lines as a cart has them: no key twice.
pub(crate) fn lines() -> impl Strategy<Value = Vec<Line>> {
    proptest::collection::vec((line_key(), quantity(30)), 0..12).prop_map(|all| {
        let mut lines: Vec<Line> = Vec::new();
        for (key, quantity) in all {
            if lines.iter().all(|line| line.key() != key) {
                lines.push(Line { sku: key.sku, quantity, price: key.price });
            }
        }
        lines
    })
}

pub(crate) fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        (sku(), 0..4_u32, 0..4_u32).prop_map(|(sku, buy, free)| Rule::BuyNGetM { sku, buy, free }),
        (proptest::option::of(sku()), 0..=110_u8)
            .prop_map(|(sku, percent)| Rule::Percentage { sku, percent }),
        (-10..500_i64, -10..2_000_i64)
            .prop_map(|(at_least_pence, off_pence)| Rule::BasketThreshold { at_least_pence, off_pence }),
    ]
}

pub(crate) fn promotions() -> impl Strategy<Value = Vec<Promotion>> {
    let promotion = ("[A-C]", rule()).prop_map(|(code, rule)| Promotion { code, rule });
    proptest::collection::vec(promotion, 0..6)
}

pub(crate) fn checkout_key() -> impl Strategy<Value = CheckoutKey> {
    (0..3_u8).prop_map(|n| CheckoutKey::new(&format!("checkout-{n}")).unwrap())
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        8 => (line_key(), quantity(40))
            .prop_map(|(key, quantity)| Command::Add { sku: key.sku, quantity, price: key.price }),
        3 => (line_key(), quantity(40)).prop_map(|(line, quantity)| Command::SetQuantity { line, quantity }),
        2 => line_key().prop_map(|line| Command::Remove { line }),
        1 => Just(Command::Clear),
        1 => checkout_key().prop_map(|key| Command::Freeze { key }),
        1 => checkout_key().prop_map(|key| Command::Thaw { key }),
    ]
}
