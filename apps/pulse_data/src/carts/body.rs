//! A cart as text: `{"l":[["85123A",6,255,"s"]],"f":{"k":"key","u":1291191960000}}`: lines of product, pieces,
//! pence and basis, and the freeze if there is one. The currency has a column of its own.
//!
//! **Invariant.** Decoding what was encoded gives the same cart; a text that breaks a cart's rules is refused.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_core::cart::{Basis, Cart, Freeze, Line, Price, Recent};
use pulse_core::{CheckoutKey, CommandId, Currency, Money, Quantity, Sku, Timestamp, Version};
use serde::Deserialize;

/// The body of a cart without lines, as a checkout leaves it.
pub const EMPTY_BODY: &str = r#"{"l":[]}"#;

pub(super) fn encode(cart: &Cart) -> String {
    let mut text = String::with_capacity(16 + cart.lines.len() * 24);
    text.push_str(r#"{"l":["#);
    for (n, line) in cart.lines.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let Price { unit, basis } = line.price;
        // A product code holds nothing that JSON would escape. Writing to a String can't fail.
        let _ =
            write!(text, r#"{comma}["{}",{},{},"{}"]"#, line.sku, line.quantity, unit.pence, basis.letter());
    }
    text.push(']');
    if let Some(freeze) = &cart.freeze {
        let key = serde_json::Value::from(freeze.key.as_str());
        let _ = write!(text, r#","f":{{"k":{key},"u":{}}}"#, freeze.until.0);
    }
    text.push('}');
    text
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    l: Vec<(&'a str, i64, i64, char)>,
    f: Option<Frozen>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Frozen {
    k: CheckoutKey,
    u: i64,
}

pub(super) fn decode(text: &str, currency: Currency) -> Option<Cart> {
    let body: Body<'_> = serde_json::from_str(text).ok()?;
    let line = |(sku, quantity, pence, letter): (&str, i64, i64, char)| {
        let price = Price { unit: Money { pence, currency }, basis: Basis::from_letter(letter)? };
        Some(Line { sku: Sku::new(sku).ok()?, quantity: Quantity::new(quantity).ok()?, price })
    };
    Some(Cart {
        lines: body.l.into_iter().map(line).collect::<Option<_>>()?,
        freeze: body.f.map(|frozen| Freeze { key: frozen.k, until: Timestamp(frozen.u) }),
    })
}

/// The last commands as text, oldest first: 11 characters for the id, then `@version` where the version is not one
/// more than the one before.
pub fn encode_recent(recent: &Recent) -> String {
    let mut text = String::with_capacity(recent.iter().len() * 12 + 8);
    let mut expected = None;
    for (id, version) in recent.iter() {
        if !text.is_empty() {
            text.push(',');
        }
        URL_SAFE_NO_PAD.encode_string(id.0.to_be_bytes(), &mut text);
        if expected != Some(version) {
            let _ = write!(text, "@{}", version.0);
        }
        expected = Some(version.next());
    }
    text
}

/// What [`encode_recent`] wrote; `None` for any other text.
pub fn decode_recent(text: &str) -> Option<Recent> {
    let mut expected = None;
    let mut entries = Vec::new();
    for entry in text.split(',').filter(|entry| !entry.is_empty()) {
        let (id, version) = match entry.split_once('@') {
            Some((id, version)) => (id, Version(version.parse().ok()?)),
            None => (entry, expected?),
        };
        let mut bytes = [0; 8];
        let length = URL_SAFE_NO_PAD.decode_slice(id, &mut bytes).ok()?;
        if length != bytes.len() {
            return None;
        }
        entries.push((CommandId(u64::from_be_bytes(bytes)), version));
        expected = Some(version.next());
    }
    Some(entries.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line() -> impl Strategy<Value = (String, i64, i64, usize)> {
        ("[A-Z0-9._-]{1,23}", 1..i64::MAX, 0..i64::MAX, 0..4_usize)
    }

    proptest! {
        #[test]
        fn a_cart_survives_its_text(
            lines in prop::collection::vec(line(), 0..20),
            freeze in prop::option::of(("[!-~]{1,128}", any::<i64>())),
        ) {
            let cart = Cart {
                lines: lines
                    .iter()
                    .map(|(sku, quantity, pence, basis)| Line {
                        sku: Sku::new(sku).unwrap(),
                        quantity: Quantity::new(*quantity).unwrap(),
                        price: Price {
                            unit: Money { pence: *pence, currency: Currency::Eur },
                            basis: ['s', 'r', 'z', 'q'].map(Basis::from_letter)[*basis].unwrap(),
                        },
                    })
                    .collect(),
                freeze: freeze.map(|(key, until)| Freeze {
                    key: CheckoutKey::new(&key).unwrap(),
                    until: Timestamp(until),
                }),
            };
            prop_assert_eq!(decode(&encode(&cart), Currency::Eur), Some(cart));
        }

        #[test]
        fn recent_commands_survive_their_text(entries in prop::collection::vec((any::<u64>(), any::<u64>()), 0..40)) {
            let recent: Recent = entries.iter().map(|(id, v)| (CommandId(*id), Version(*v >> 1))).collect();
            prop_assert_eq!(decode_recent(&encode_recent(&recent)), Some(recent));
        }

        #[test]
        fn no_text_makes_the_decoders_panic(text in ".*") {
            let _ = (decode(&text, Currency::Gbp), decode_recent(&text));
        }
    }

    #[test]
    fn the_empty_body_is_what_an_empty_cart_is_written_as() {
        assert_eq!(encode(&Cart::default()), EMPTY_BODY);
    }

    #[test]
    fn consecutive_versions_cost_twelve_bytes_each() {
        let recent: Recent = (1..=32).map(|n| (CommandId(n), Version(n + 1000))).collect();
        assert_eq!(encode_recent(&recent).len(), 32 * 12 - 1 + "@1001".len());
    }
}
