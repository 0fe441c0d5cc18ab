//! Text as markup.

use std::borrow::Cow;

/// The text with `<`, `>`, `&`, `"` and `'` as entities: safe between tags and within quoted attributes.
///
/// ```
/// assert_eq!(live::html::escape("a < b"), "a &lt; b");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| entity(byte).is_some()) {
        let mut out = String::with_capacity(text.len() + 16);
        escape_into(text, &mut out);
        Cow::Owned(out)
    } else {
        Cow::Borrowed(text)
    }
}

/// Appends the text, escaped.
pub fn escape_into(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(entity) = entity(byte) {
            out.push_str(&text[from..at]);
            out.push_str(entity);
            from = at + 1;
        }
    }
    out.push_str(&text[from..]);
}

fn entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    }
}
