//! The fields of one JSON object, and the lines of an NDJSON file.
//!
//! **Invariant.** A number is taken as it is written, never through a float: 2.55 is 255 pence. Whatever the bytes, a line
//! costs at most [`MOST_ROW`] bytes of memory.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use pulse_data::feeds::Place;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::raw::{MOST_ROW, RawRow, fill};

const INPUT: usize = 64 * 1024;

/// A value of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A text, a number or a boolean, as text.
    Text(Cow<'a, str>),
    /// `null`.
    Absent,
    /// A list or an object, as it is written.
    Nested(&'a str),
}

/// The fields of an object, in order; a name may stand in it twice.
pub(super) fn fields(text: &str) -> Result<Vec<(Cow<'_, str>, Value<'_>)>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let fields = json.deserialize_map(Fields)?;
    json.end()?;
    Ok(fields)
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(Cow<'de, str>, Value<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<Name<'de>>()? {
            let raw: &'de RawValue = map.next_value()?;
            fields.push((key.0, value(raw.get()).map_err(serde::de::Error::custom)?));
        }
        Ok(fields)
    }
}

/// A name, borrowed where it holds no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn value(raw: &str) -> Result<Value<'_>, serde_json::Error> {
    Ok(match raw.as_bytes().first() {
        Some(b'"') => Value::Text(serde_json::from_str::<Name<'_>>(raw)?.0),
        Some(b'n') => Value::Absent,
        Some(b'{' | b'[') => Value::Nested(raw),
        _ => Value::Text(Cow::Borrowed(raw)),
    })
}

/// Reads the lines of a file one at a time; blank ones are no rows.
pub(super) struct Lines<R> {
    source: R,
    input: Box<[u8]>,
    unread: Range<usize>,
    text: Vec<u8>,
    rows: u64,
    /// Which line of the file was read last.
    at: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, input: vec![0; INPUT].into(), unread: 0..0, text: Vec::new(), rows: 0, at: 0 }
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<RawRow>> {
        loop {
            let Some(cut) = self.line()? else { return Ok(None) };
            self.at += 1;
            let mut text = &self.text[..];
            if self.at == 1 {
                text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
            }
            let text = if cut { text } else { text.trim_ascii() };
            if !text.is_empty() {
                self.rows += 1;
                let place = Place { row: self.rows, line: self.at };
                return Ok(Some(RawRow { place, text: text.into(), cut }));
            }
        }
    }

    /// Reads up to the next line break; answers whether the line was longer than is kept.
    fn line(&mut self) -> io::Result<Option<bool>> {
        self.text.clear();
        let (mut any, mut cut) = (false, false);
        loop {
            if self.unread.is_empty() {
                let read = fill(&mut self.source, &mut self.input, 1)?;
                if read == 0 {
                    return Ok(any.then_some(cut));
                }
                self.unread = 0..read;
            }
            any = true;
            let input = &self.input[self.unread.clone()];
            let end = input.iter().position(|byte| *byte == b'\n');
            let part = &input[..end.unwrap_or(input.len())];
            let room = MOST_ROW.saturating_sub(self.text.len());
            self.text.extend_from_slice(&part[..part.len().min(room)]);
            cut |= part.len() > room;
            self.unread.start += part.len() + usize::from(end.is_some());
            if end.is_some() {
                return Ok(Some(cut));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_as_they_are_written() {
        let all = fields(r#" {"sku":"a\u00e9","price":2.550,"n":null,"on":true,"sku":1e3,"l":[{"a":1}]} "#)
            .unwrap();
        let text = |text: &str| Value::Text(Cow::Owned(text.to_owned()));
        let values: Vec<_> = all.iter().map(|(_, value)| value.clone()).collect();
        let nested = Value::Nested(r#"[{"a":1}]"#);
        assert_eq!(values, [text("aé"), text("2.550"), Value::Absent, text("true"), text("1e3"), nested]);
        for bad in ["", "[]", "7", "{", r#"{"a":}"#, "{} {}", r#"{"a":01}"#, "{'a':1}"] {
            assert!(fields(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lines_are_rows_and_blank_ones_are_not() {
        let file = b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":2}";
        let mut lines = Lines::new(&file[..]);
        let mut next = || lines.next().unwrap().map(|row| (row.place.row, row.place.line, row.text.len()));
        assert_eq!([next(), next(), next()], [Some((1, 1, 7)), Some((2, 4, 7)), None]);
        let long = [b"{".repeat(MOST_ROW + 5).as_slice(), b"\n{}"].concat();
        let mut lines = Lines::new(&long[..]);
        let first = lines.next().unwrap().unwrap();
        assert!(first.cut && first.text.len() == MOST_ROW);
        assert_eq!(&*lines.next().unwrap().unwrap().text, b"{}");
    }
}
