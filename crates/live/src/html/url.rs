//! Addresses in attributes.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::attribute::Attribute;
use super::text::Text;
use crate::tree::Dyn;

/// Attributes whose value is an address.
pub(crate) const ATTRIBUTES: [&str; 11] = [
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "data",
    "cite",
    "background",
    "ping",
    "manifest",
    "xlink:href",
];

/// What stands in the place of an address that was refused: it leads nowhere.
const REFUSED: &str = "about:invalid";

static REFUSALS: AtomicU64 = AtomicU64::new(0);

/// How many addresses this process has refused to show because of their scheme.
pub fn refused_urls() -> u64 {
    REFUSALS.load(Ordering::Relaxed)
}

/// A value for `href`, `src`, `action` and the like.
///
/// A relative address, or one with `http`, `https`, `mailto`, `tel` or an image's `data:`, stands as it is. Any other is
/// refused: `about:invalid` stands in its place, a warning is logged, and [`refused_urls`] counts it.
///
/// ```
/// use live::html;
///
/// let page = html! { <a href={"javascript:alert(1)"}></a> };
/// assert_eq!(page.to_html(), "<a href=\"about:invalid\"></a>");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an address",
    note = "text and `Option` of it can; what a user never chose may be a `live::html::TrustedUrl`"
)]
pub trait UrlAttribute {
    /// Appends ` name="address"`, or nothing.
    fn write_url(&self, name: &str, out: &mut String);
}

impl<T: Text> UrlAttribute for T {
    fn write_url(&self, name: &str, out: &mut String) {
        let start = out.len();
        self.write(name, out);
        let value = start + name.len() + 3;
        // Judged as it will stand in the page: escaping changes no letter and no colon of a scheme.
        if !is_harmless(&out[value..out.len() - 1]) {
            tracing::warn!(attribute = name, "an address was refused because of its scheme");
            REFUSALS.fetch_add(1, Ordering::Relaxed);
            out.truncate(value);
            out.push_str(REFUSED);
            out.push('"');
        }
    }
}

impl<T: UrlAttribute> UrlAttribute for Option<T> {
    fn write_url(&self, name: &str, out: &mut String) {
        if let Some(url) = self {
            url.write_url(name, out);
        }
    }
}

impl<T: UrlAttribute> UrlAttribute for &Option<T> {
    fn write_url(&self, name: &str, out: &mut String) {
        (*self).write_url(name, out);
    }
}

/// An address whose scheme is not looked at: the caller vouches that no user chose it.
#[derive(Debug, Clone)]
pub struct TrustedUrl(Cow<'static, str>);

impl TrustedUrl {
    /// The address as it is.
    pub fn new(url: impl Into<Cow<'static, str>>) -> Self {
        Self(url.into())
    }
}

impl UrlAttribute for TrustedUrl {
    fn write_url(&self, name: &str, out: &mut String) {
        (&*self.0).write(name, out);
    }
}

/// What `html!` makes of `href={value}`.
#[doc(hidden)]
#[expect(clippy::needless_pass_by_value, reason = "a template gives its values away, temporary or not")]
pub fn url(name: &str, value: impl UrlAttribute) -> Dyn {
    let mut out = String::new();
    value.write_url(name, &mut out);
    Dyn::text(out)
}

/// Whether a browser runs nothing when the address is followed.
///
/// As in the URL standard: control characters and spaces before the scheme do not count, nor do tabs and line breaks
/// anywhere. A scheme ends at the first colon that stands before any `/`, `?` or `#`.
fn is_harmless(url: &str) -> bool {
    let trimmed = url.trim_start_matches(|c: char| c <= ' ');
    let mut scheme = String::new();
    let mut end = None;
    for (at, c) in trimmed.char_indices() {
        match c {
            '\t' | '\n' | '\r' => {}
            ':' => {
                end = Some(at + 1);
                break;
            }
            // An entity is a character that no scheme has.
            '/' | '?' | '#' | '&' => break,
            _ => scheme.extend(c.to_lowercase()),
        }
    }
    match (end, &*scheme) {
        (None, _) | (Some(_), "http" | "https" | "mailto" | "tel") => true,
        (Some(end), "data") => {
            let rest = trimmed[end..].to_ascii_lowercase();
            // Not SVG: it has scripts.
            ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]
                .iter()
                .any(|kind| rest.starts_with(kind))
        }
        _ => false,
    }
}
