//! Everything that has a text form reads back what it wrote, and refuses what is not its own.

use std::str::FromStr;

use proptest::prelude::*;
use pulse_core::cart::LineKey;
use pulse_core::order::Status;
use pulse_core::{CartId, CheckoutKey, Currency, Role, Sku, Timestamp};

use crate::strategies::line_key;

fn reads_back<T: FromStr + ToString + PartialEq>(value: &T) -> bool {
    T::from_str(&value.to_string()).is_ok_and(|read| read == *value)
}

proptest! {
    #[test]
    fn skus(text in "[a-zA-Z0-9._-]{1,23}") {
        let sku = Sku::new(&text)?;
        prop_assert_eq!(sku.as_str(), text.to_ascii_uppercase());
        prop_assert!(reads_back(&sku));
        prop_assert_eq!(serde_json::from_str::<Sku>(&serde_json::to_string(&sku)?)?, sku);
    }

    #[test]
    fn skus_ignore_case_and_spaces_around(text in "[a-z0-9]{1,20}") {
        let padded = format!("  {text}\t");
        prop_assert_eq!(Sku::new(&text)?, Sku::new(&padded.to_uppercase())?);
    }

    #[test]
    fn a_sku_of_any_text_is_made_of_allowed_characters_or_refused(text in ".{0,30}") {
        let code = text.trim();
        let allowed = (1..=23).contains(&code.len())
            && code.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        prop_assert_eq!(Sku::new(&text).is_ok(), allowed);
    }

    #[test]
    fn line_keys(key in line_key()) {
        prop_assert!(reads_back(&key));
    }

    #[test]
    fn a_text_that_reads_as_a_line_key_names_one_line_only(text in "[0-9A-C]{1,4}@[0-9+-]{1,4}[srzqx]-(GBP|EUR|gbp|XYZ)") {
        if let Ok(key) = text.parse::<LineKey>() {
            prop_assert!(key.price.unit.pence >= 0);
            prop_assert!(reads_back(&key));
        }
    }

    #[test]
    fn cart_ids(id in any::<u128>()) {
        prop_assert!(reads_back(&CartId(id)));
        prop_assert_eq!(CartId(id).to_string().len(), 32);
    }

    #[test]
    fn checkout_keys(text in "[!-~]{1,128}") {
        let key = CheckoutKey::new(&text)?;
        prop_assert_eq!(key.as_str(), &text);
        prop_assert_eq!(serde_json::from_str::<CheckoutKey>(&serde_json::to_string(&key)?)?, key);
    }

    #[test]
    fn timestamps(ms in -62_000_000_000_000..250_000_000_000_000_i64) {
        prop_assert!(reads_back(&Timestamp(ms)));
    }
}

#[test]
fn what_is_no_id_is_refused() {
    for text in ["", "ab", "+0000000000000000000000000000001", "g0000000000000000000000000000000"] {
        assert!(text.parse::<CartId>().is_err(), "{text}");
    }
    for text in ["", "with space", "tab\t", "ümlaut", &"k".repeat(129)] {
        assert!(CheckoutKey::new(text).is_err(), "{text}");
    }
    for text in ["", "85123A", "85123A@255", "85123A@-1s-GBP", "@1s-GBP", "85123A@ß-GBP", "85123A@s-GBP"] {
        assert!(text.parse::<LineKey>().is_err(), "{text}");
    }
    for text in ["", "2010-12-01", "2010-13-01T00:00:00Z", "yesterday"] {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
}

#[test]
fn names_of_enumerations_read_back() {
    for status in Status::ALL {
        assert_eq!(Status::from_name(status.name()), Some(status));
    }
    for role in Role::ALL {
        assert!(reads_back(&role));
    }
    for currency in [Currency::Gbp, Currency::Eur, Currency::Usd] {
        assert_eq!(Currency::from_code(currency.code()), Some(currency));
    }
    assert_eq!(Status::from_name("lost"), None);
    assert!("root".parse::<Role>().is_err());
    assert_eq!(Currency::from_code("gbp"), None);
}
