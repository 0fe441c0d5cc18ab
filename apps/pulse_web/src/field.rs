//! The kinds of value that a request may carry, each with its bounds in its type.
//!
//! **Invariant.** What a kind accepts and what the OpenAPI document says of it come from the same constants. No kind
//! lets a character through that a database can't store (NUL) or that could forge a line of a log.

use std::borrow::Cow;
use std::marker::PhantomData;

use pulse_core::cart::LineKey;
use pulse_core::{Quantity, Sku, Timestamp};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// What a value fails with: the code goes before the text, and [`split`] takes them apart again.
fn fault(code: &'static str, detail: impl std::fmt::Display) -> String {
    format!("{code}\u{1f}{detail}")
}

/// The code and the text of a fault; `None` for messages of serde's own.
pub(crate) fn split(message: &str) -> Option<(&str, &str)> {
    message.split_once('\u{1f}')
}

/// Implements [`Deserialize`] by reading a text and checking it.
macro_rules! from_text {
    ([$($generics:tt)*] $kind:ty, $check:expr) => {
        impl<'de, $($generics)*> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let check: fn(String) -> Result<Self, String> = $check;
                check(text).map_err(D::Error::custom)
            }
        }
    };
}

fn text_schema(min: usize, max: usize, pattern: Option<&str>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .min_length((min > 0).then_some(min))
        .max_length(Some(max))
        .pattern(pattern)
        .into()
}

fn check_length(text: &str, min: usize, max: usize) -> Result<(), String> {
    let length = text.chars().count();
    if (min..=max).contains(&length) {
        Ok(())
    } else if min == max {
        Err(fault("length", format_args!("must have {max} characters")))
    } else {
        Err(fault("length", format_args!("must have {min} to {max} characters")))
    }
}

/// One line of text that begins with a visible character, of `MIN` to `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

from_text!([const MIN: usize, const MAX: usize] Text<MIN, MAX>, |text| {
    check_length(&text, MIN, MAX)?;
    if text.chars().any(|c| c.is_ascii_control()) {
        return Err(fault("format", "must not have control characters"));
    }
    if MIN > 0 && text.starts_with(' ') {
        return Err(fault("format", "must not begin with a space"));
    }
    Ok(Self(text))
});

impl<const MIN: usize, const MAX: usize> PartialSchema for Text<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let pattern = if MIN > 0 { r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$" } else { r"^[^\x00-\x1f\x7f]*$" };
        text_schema(MIN, MAX, Some(pattern))
    }
}

impl<const MIN: usize, const MAX: usize> ToSchema for Text<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        format!("Text{MIN}To{MAX}").into()
    }
}

/// Lines of text, at most `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct LongText<const MAX: usize>(pub String);

from_text!([const MAX: usize] LongText<MAX>, |text| {
    check_length(&text, 0, MAX)?;
    if text.chars().any(|c| c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(fault("format", "must not have control characters other than line breaks and tabs"));
    }
    Ok(Self(text))
});

impl<const MAX: usize> PartialSchema for LongText<MAX> {
    fn schema() -> RefOr<Schema> {
        text_schema(0, MAX, Some(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"))
    }
}

impl<const MAX: usize> ToSchema for LongText<MAX> {
    fn name() -> Cow<'static, str> {
        format!("LongTextTo{MAX}").into()
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// The number, if it is in the range.
    pub const fn new(number: i64) -> Option<Self> {
        if MIN <= number && number <= MAX { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Int<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        Self::new(number)
            .ok_or_else(|| D::Error::custom(fault("range", format_args!("must be between {MIN} and {MAX}"))))
    }
}

impl<const MIN: i64, const MAX: i64> PartialSchema for Int<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Integer))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(MIN))
            .maximum(Some(MAX))
            .into()
    }
}

impl<const MIN: i64, const MAX: i64> ToSchema for Int<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        format!("Int{MIN}To{MAX}").replace('-', "Minus").into()
    }
}

/// Pieces of a cart line, as the shop sells them to people.
pub type Pieces = Int<1, 10_000>;

impl From<Pieces> for Quantity {
    fn from(pieces: Pieces) -> Self {
        Self::new(pieces.get()).unwrap_or(Self::ONE)
    }
}

/// An amount in pence that is no debt. Its bound keeps a full cart's total far from 64 bits.
pub type Pence = Int<0, 100_000_000>;

/// The number of a row.
pub type RowId = Int<1, { i64::MAX }>;

/// A product code as a client writes it; letters of either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SkuText(pub Sku);

impl SkuText {
    fn parse(text: &str) -> Result<Self, String> {
        let sku = Sku::new(text).ok().filter(|sku| sku.as_str().len() == text.len());
        sku.map(Self).ok_or_else(|| fault("format", "must have 1 to 23 letters, digits, '-', '_' or '.'"))
    }
}

from_text!([] SkuText, |text| Self::parse(&text));

impl std::str::FromStr for SkuText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl PartialSchema for SkuText {
    fn schema() -> RefOr<Schema> {
        text_schema(1, 23, Some("^[A-Za-z0-9._-]+$"))
    }
}

impl ToSchema for SkuText {
    fn name() -> Cow<'static, str> {
        "Sku".into()
    }
}

/// The name of a cart line: product and price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineName(pub LineKey);

impl std::str::FromStr for LineName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| fault("format", "must look like 85123A@255s-GBP"))
    }
}

/// A shape that must be written as an object: serde would also take a list of its fields in their order.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

/// For `#[serde(deserialize_with)]`: a field that is an object.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Object::deserialize(from).map(|Object(value)| value)
}

/// For `#[serde(deserialize_with)]`: a field that is an object, null or absent.
pub(crate) fn optional_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(from)?.map(|Object(value)| value))
}

/// A list of `MIN` to `MAX` items. Generic shapes have no schema of their own: a field says the bounds once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items<T, const MIN: usize, const MAX: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MIN: usize, const MAX: usize> Deserialize<'de> for Items<T, MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items: Vec<Object<T>> = Vec::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&items.len()) {
            Ok(Self(items.into_iter().map(|Object(item)| item).collect()))
        } else {
            Err(D::Error::custom(fault("length", format_args!("must have {MIN} to {MAX} items"))))
        }
    }
}

/// From `MIN` to `MAX` choices of an enum; the same one twice is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices<T, const MIN: usize, const MAX: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MIN: usize, const MAX: usize> Deserialize<'de> for Choices<T, MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let choices: Vec<T> = Vec::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&choices.len()) {
            Ok(Self(choices))
        } else {
            Err(D::Error::custom(fault("length", format_args!("must have {MIN} to {MAX} items"))))
        }
    }
}

/// An address for letters. Checked for its form only; whether it can be reached, a letter tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(pub String);

from_text!([] Email, |text| {
    check_length(&text, 6, 254)?;
    if is_email(&text) { Ok(Self(text)) } else { Err(fault("format", "must be an address like ann@shop.example")) }
});

const EMAIL: &str = r"^[A-Za-z0-9_+.%'-]{1,64}@([A-Za-z0-9]+(-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,63}$";

/// What [`EMAIL`] says, without a regular expression.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_fits = (1..=64).contains(&local.len())
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+.%'-".contains(&b));
    let Some((hosts, top)) = domain.rsplit_once('.') else { return false };
    let host_fits = |host: &str| {
        host.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    let top_fits = (2..=63).contains(&top.len()) && top.bytes().all(|b| b.is_ascii_alphabetic());
    local_fits && hosts.split('.').all(host_fits) && top_fits
}

impl PartialSchema for Email {
    fn schema() -> RefOr<Schema> {
        text_schema(6, 254, Some(EMAIL))
    }
}

impl ToSchema for Email {}

/// A secret that a person types; never shown, not even to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl Password {
    /// Characters at least.
    pub const MIN: usize = 10;
    /// Characters at most: hashing takes time with the length.
    pub const MAX: usize = 256;
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

from_text!([] Password, |text| {
    check_length(&text, Self::MIN, Self::MAX)?;
    if text.contains('\0') {
        return Err(fault("format", "must not have the character NUL"));
    }
    Ok(Self(text))
});

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        text_schema(Self::MIN, Self::MAX, Some(r"^[^\x00]*$"))
    }
}

impl ToSchema for Password {}

/// A password that somebody tries: anything, of bounded length.
#[derive(Clone, PartialEq, Eq)]
pub struct TriedPassword(pub String);

impl std::fmt::Debug for TriedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TriedPassword(..)")
    }
}

from_text!([] TriedPassword, |text| check_length(&text, 1, Password::MAX).map(|()| Self(text)));

impl PartialSchema for TriedPassword {
    fn schema() -> RefOr<Schema> {
        text_schema(1, Password::MAX, None)
    }
}

impl ToSchema for TriedPassword {}

/// A promotion's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Code(pub String);

impl std::str::FromStr for Code {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        check_length(text, 1, 40)?;
        if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(fault("format", "must have letters, digits, '-' and '_' only"))
        }
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        text_schema(1, 40, Some("^[A-Za-z0-9_-]+$"))
    }
}

impl ToSchema for Code {}

/// A point in time, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instant(pub Timestamp);

from_text!([] Instant, |text| {
    let at: Option<Timestamp> = text.parse().ok().filter(|at: &Timestamp| at.0 >= 0);
    at.map(Self).ok_or_else(|| fault("format", "must be an instant like 2026-12-01T08:26:00Z, not before 1970"))
});

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            // Years that every calendar agrees on, days that every month has.
            .pattern(Some(r"^(19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"))
            .into()
    }
}

impl ToSchema for Instant {}

/// Where the last page ended; comes from an answer's `next` and means nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CursorText(pub String);

from_text!([] CursorText, |text| {
    check_length(&text, 1, 2_000)?;
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        Ok(Self(text))
    } else {
        Err(fault("format", "must be the `next` of an earlier page"))
    }
});

impl PartialSchema for CursorText {
    fn schema() -> RefOr<Schema> {
        text_schema(1, 2_000, Some("^[A-Za-z0-9_-]+$"))
    }
}

impl ToSchema for CursorText {
    fn name() -> Cow<'static, str> {
        "Cursor".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_are_bounded_in_characters_and_free_of_control_characters() {
        assert!(read::<Text<1, 3>>("\"äöü\"").is_ok());
        assert!(read::<Text<1, 3>>("\"four\"").unwrap_err().starts_with("length\u{1f}"));
        assert!(read::<Text<1, 3>>("\"\"").is_err());
        assert!(read::<Text<1, 3>>("\"a\\u0000\"").unwrap_err().starts_with("format\u{1f}"));
        assert!(read::<Text<1, 3>>("\" a\"").is_err());
        assert!(read::<LongText<9>>("\"a\\nb\"").is_ok());
        assert!(read::<LongText<9>>("\"a\\u0000b\"").is_err());
    }

    #[test]
    fn numbers_stay_in_their_range() {
        assert_eq!(read::<Pieces>("10000").map(Int::get), Ok(10_000));
        for outside in ["0", "-1", "10001", "1.5", "\"1\"", "99999999999999999999"] {
            assert!(read::<Pieces>(outside).is_err(), "{outside}");
        }
    }

    #[test]
    fn addresses_have_a_name_and_a_domain() {
        for good in ["a@b.uk", "ann.b+shop@mail.shop-1.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["a@b", "@b.uk", "a@", "a b@c.uk", "a@b..uk", "a@-b.uk", "a@b.u", "a@b@c.uk", "\u{e9}@b.uk"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn a_code_is_taken_without_repairs() {
        assert_eq!(read::<SkuText>("\"85123a\"").unwrap().0.as_str(), "85123A");
        assert!(read::<SkuText>("\" 85123a\"").is_err());
    }
}
