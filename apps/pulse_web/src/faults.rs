//! Every fault of a body at once, so that a client mends it in one go.
//!
//! **Invariant.** Whatever is told was said by the types that also read good bodies: in each faulty place something is put
//! that fits, and the body is read again. The search is bounded in bytes, faults and readings. Where nothing is known
//! to fit it ends, and what was found by then is told; the first fault, at which the body's own reading stopped, always.
//! Names that stand twice are only found by that reading.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::extract::{Unreadable, object};
use crate::problem::FieldFault;

/// Larger bodies are told their first fault only: reading them again and again would cost too much.
const MOST_BYTES: usize = 16 * 1024;
/// Who sends more is told so many.
const MOST_FAULTS: usize = 32;
const MOST_READINGS: usize = 128;

/// What is put in a faulty place, one after the other: a value for each kind of field.
fn samples() -> [Value; 10] {
    [
        json!(1),
        json!("ann@shop.example"),
        json!("85123A"),
        json!(true),
        json!("2026-01-01T00:00:00Z"),
        json!(0),
        json!({}),
        json!([{}]),
        json!([]),
        json!(["A"]),
    ]
}

/// The faults of a body that could not be read as a `T`; `first` is why, and comes first.
pub(crate) fn all<T: DeserializeOwned>(body: &[u8], first: FieldFault) -> Vec<FieldFault> {
    let mut faults = vec![first];
    let read_again = body.len() <= MOST_BYTES;
    if let Some(mut body) = read_again.then(|| serde_json::from_slice::<Value>(body).ok()).flatten() {
        search::<T>(&mut body, &mut faults);
    }
    faults
}

fn search<T: DeserializeOwned>(body: &mut Value, faults: &mut Vec<FieldFault>) {
    let mut mending = Mending::default();
    for _ in 0..MOST_READINGS {
        let Err(Unreadable::Faulty { told, message }) = object::<T, _>(&*body) else { return };
        let is_known = faults.iter().any(|known| is_in(&told.field, &known.field));
        if !is_known {
            // What is wrong around a mended place may be the fault of the mending.
            if faults.len() == MOST_FAULTS || faults.iter().any(|known| is_in(&known.field, &told.field)) {
                return;
            }
            faults.push(told.clone());
        }
        if !mending.next(body, &told.field, &message) {
            return;
        }
    }
}

/// Whether a place is the other one or a part of it.
fn is_in(place: &str, other: &str) -> bool {
    place.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What was tried in the place that is being mended.
#[derive(Default)]
struct Mending {
    place: String,
    left: std::vec::IntoIter<Option<Value>>,
}

impl Mending {
    /// Puts the next thing into a place; `false` where there is nothing left to try.
    fn next(&mut self, body: &mut Value, place: &str, message: &str) -> bool {
        // Choices come up again when one of the samples was no choice either.
        let choices = choices(message);
        if self.place != place || !choices.is_empty() {
            // First nothing at all: it may be a field that need not be there, or one that there is not.
            let samples = std::iter::once(None).chain(choices.into_iter().chain(samples()).map(Some));
            let skip = usize::from(self.place == place);
            self.left = samples.skip(skip).collect::<Vec<_>>().into_iter();
            place.clone_into(&mut self.place);
        }
        self.left.next().is_some_and(|value| put(body, place, value))
    }
}

/// What serde says that it would take: the names in the second half of its message.
fn choices(message: &str) -> Vec<Value> {
    let named = message.strip_prefix("unknown variant").and_then(|rest| rest.split_once("expected "));
    named.map_or_else(Vec::new, |(_, names)| {
        names.split('`').skip(1).step_by(2).map(|name| Value::from(name.to_owned())).collect()
    })
}

/// Sets or removes what a JSON pointer names; the body itself is neither.
fn put(body: &mut Value, place: &str, value: Option<Value>) -> bool {
    let Some((parent, name)) = place.rsplit_once('/') else { return false };
    match (body.pointer_mut(parent), value) {
        (Some(Value::Object(fields)), value) => {
            let name = name.replace("~1", "/").replace("~0", "~");
            match value {
                Some(value) => fields.insert(name, value),
                None => fields.remove(&name),
            };
            true
        }
        (Some(Value::Array(items)), value) => {
            let item = name.parse().ok().and_then(|index: usize| items.get_mut(index));
            item.map(|item| *item = value.unwrap_or_default()).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::field::{
        CursorText, Email, Instant, Items, LongText, Password, Pence, Pieces, RowId, SkuText, Text,
        TriedPassword,
    };

    fn fits<T: DeserializeOwned>() -> bool {
        samples().into_iter().any(|sample| serde_json::from_value::<T>(sample).is_ok())
    }

    #[test]
    fn there_is_a_sample_for_each_kind_of_field() {
        assert!(fits::<Text<1, 60>>() && fits::<LongText<100>>() && fits::<CursorText>());
        assert!(fits::<Pieces>() && fits::<Pence>() && fits::<RowId>() && fits::<bool>());
        assert!(fits::<SkuText>() && fits::<Email>() && fits::<Password>() && fits::<TriedPassword>());
        assert!(fits::<Instant>() && fits::<Vec<String>>());
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Line {
        sku: SkuText,
        quantity: Pieces,
        colour: Colour,
        note: Option<Text<1, 3>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Basket {
        email: Email,
        lines: Items<Line, 1, 9>,
        since: Option<Instant>,
    }

    fn found(body: &Value) -> Vec<(String, String)> {
        let Err(Unreadable::Faulty { told, .. }) = object::<Basket, _>(body) else { panic!("it is fine") };
        let told = all::<Basket>(body.to_string().as_bytes(), told);
        told.into_iter().map(|fault| (fault.field, fault.code)).collect()
    }

    #[test]
    fn all_faults_are_found_each_once() {
        let body = json!({
            "email": "no",
            "lines": [
                { "sku": "a b", "quantity": 0, "colour": "blue", "note": "long", "x/y": 1 },
                { "sku": "A1", "quantity": 1, "colour": "red" },
                { "colour": 7 },
                []
            ],
            "since": "yesterday",
            "until": "tomorrow",
        });
        let mut found = found(&body);
        found.sort();
        let expected = [
            ("/email", "length"),
            ("/lines/0/colour", "choice"),
            ("/lines/0/note", "length"),
            ("/lines/0/quantity", "range"),
            ("/lines/0/sku", "format"),
            ("/lines/0/x~1y", "unknown"),
            ("/lines/2/colour", "type"),
            ("/lines/2/quantity", "required"),
            ("/lines/2/sku", "required"),
            ("/lines/3", "type"),
            ("/since", "format"),
            ("/until", "unknown"),
        ];
        assert_eq!(found, expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    }

    #[test]
    fn the_search_is_bounded() {
        let line = json!({ "sku": "a b", "quantity": 0, "colour": "blue" });
        let nine = json!({ "email": "no", "lines": vec![line.clone(); 9] });
        assert!((2..=MOST_FAULTS).contains(&found(&nine).len()), "{:?}", found(&nine));
        let large = json!({ "email": "no", "lines": [line], "since": "x".repeat(MOST_BYTES) });
        assert_eq!(found(&large).len(), 1, "only the first");
        assert_eq!(found(&json!([])), [(String::new(), "type".to_owned())]);
    }
}
