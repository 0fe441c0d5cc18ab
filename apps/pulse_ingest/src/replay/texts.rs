//! Texts of a row as the shop keeps them.
//!
//! **Invariant.** Whatever comes out can be stored: it is never empty where that is refused, and never too long.

/// The country as an order can keep it: the data set's own word for none, and no more than 60 characters.
pub(super) fn country(text: &str) -> &str {
    if text.is_empty() { "Unspecified" } else { cut(text, 60) }
}

/// A description as a product's name: at most 200 characters.
pub(super) fn name(text: &str) -> &str {
    cut(text, 200)
}

fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| text[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_made_to_fit() {
        assert_eq!((country(""), country("EIRE")), ("Unspecified", "EIRE"));
        assert_eq!(country(&"é".repeat(61)).chars().count(), 60);
        assert_eq!(name(&"é".repeat(201)).chars().count(), 200);
    }
}
