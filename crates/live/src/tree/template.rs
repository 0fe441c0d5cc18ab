//! The constant part of a piece of markup.

/// The constant strings of one `html!` call site.
///
/// A template is known by its address: two renders of one call site share it, and the diff compares
/// nothing else. It is therefore a `static`, never a `const`, whose address would differ between uses.
#[derive(Debug)]
pub struct Template {
    /// The strings around the values: one more than there are values. Markup, sent as it stands.
    pub statics: &'static [&'static str],
    /// Whether the markup is one element and nothing else. The client then skips what did not change, and
    /// only such a template can be a live component.
    pub root: bool,
}

impl Template {
    /// A template of these strings.
    ///
    /// # Panics
    ///
    /// When there is no string at all: at compile time, where the template is a `static`.
    pub const fn new(statics: &'static [&'static str], root: bool) -> Self {
        assert!(!statics.is_empty(), "a template has one string more than it has values");
        Self { statics, root }
    }

    /// How many values stand between the strings.
    pub const fn gaps(&self) -> usize {
        self.statics.len() - 1
    }

    /// What the diff knows the template by: its address.
    pub(crate) fn fingerprint(&'static self) -> u64 {
        std::ptr::from_ref(self).addr() as u64
    }
}
