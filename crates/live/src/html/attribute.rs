//! Values of attributes.

use super::text::Text;
use crate::tree::Dyn;

/// A value that an attribute may have, as `name={value}`.
///
/// `true` is the bare name, `false` and `None` are no attribute at all; text is escaped.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an attribute's value",
    label = "neither text nor `bool`",
    note = "text, numbers, `bool` and `Option` of these can; for a type with `Display`, write `{{live::html::text(value)}}`"
)]
pub trait Attribute {
    /// Appends ` name="value"`, or ` name`, or nothing.
    fn write(&self, name: &str, out: &mut String);
}

impl<T: Text> Attribute for T {
    fn write(&self, name: &str, out: &mut String) {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        self.escape_into(out);
        out.push('"');
    }
}

impl Attribute for bool {
    fn write(&self, name: &str, out: &mut String) {
        if *self {
            out.push(' ');
            out.push_str(name);
        }
    }
}

impl<T: Attribute> Attribute for Option<T> {
    fn write(&self, name: &str, out: &mut String) {
        if let Some(value) = self {
            value.write(name, out);
        }
    }
}

impl<T: Attribute> Attribute for &Option<T> {
    fn write(&self, name: &str, out: &mut String) {
        (*self).write(name, out);
    }
}

/// What `html!` makes of `name={value}`.
#[doc(hidden)]
#[expect(clippy::needless_pass_by_value, reason = "a template gives its values away, temporary or not")]
pub fn dynamic(name: &str, value: impl Attribute) -> Dyn {
    let mut out = String::new();
    value.write(name, &mut out);
    Dyn::text(out)
}

/// Attributes whose names are known at run time only: `<input {rest}/>`.
///
/// ```
/// use live::{html, html::Attributes};
///
/// let rest = Attributes::new().with("data-row", 3)?.with("hidden", true)?;
/// assert_eq!(html! { <p {rest}></p> }.to_html(), "<p data-row=\"3\" hidden></p>");
/// # Ok::<(), live::html::AttributeNameError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Attributes(String);

/// A name that cannot be an attribute's here, or not with a value that is known at run time only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeNameError(String);

impl std::fmt::Display for AttributeNameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` cannot be given at run time: scripts, addresses and odd names are written in the template",
            self.0
        )
    }
}

impl std::error::Error for AttributeNameError {}

impl Attributes {
    /// No attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this one too. Refused: handlers (`on…`), addresses, and names of anything but letters, digits, `-`, `_`, `:`.
    #[expect(clippy::needless_pass_by_value, reason = "a template gives its values away, temporary or not")]
    pub fn with(mut self, name: &str, value: impl Attribute) -> Result<Self, AttributeNameError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
        let lower = name.to_ascii_lowercase();
        let refused = name.is_empty()
            || !name.bytes().all(plain)
            || lower.starts_with("on")
            || lower == "srcdoc"
            || super::url::ATTRIBUTES.contains(&&*lower);
        if refused {
            return Err(AttributeNameError(name.to_owned()));
        }
        value.write(name, &mut self.0);
        Ok(self)
    }
}

/// What `html!` makes of `{attributes}` within a tag.
#[doc(hidden)]
pub fn spread(attributes: Attributes) -> Dyn {
    Dyn::text(attributes.0)
}
