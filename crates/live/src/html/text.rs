//! Values that are text.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::rc::Rc;
use std::sync::Arc;

use super::escape::{escape, escape_into};

/// A value that is shown as text: it stands between tags and in attributes.
///
/// A type that is text by nature implements it with its own words; for any other that has a
/// [`Display`], write `{text(value)}`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shown as text",
    note = "for a type with `Display`, write `{{live::html::text(value)}}`"
)]
pub trait Text {
    /// Appends the text, escaped.
    fn escape_into(&self, out: &mut String);

    /// The text, escaped, as a value of its own.
    fn into_markup(self) -> Cow<'static, str>
    where
        Self: Sized,
    {
        let mut out = String::new();
        self.escape_into(&mut out);
        Cow::Owned(out)
    }
}

impl Text for str {
    fn escape_into(&self, out: &mut String) {
        escape_into(self, out);
    }
}

impl Text for String {
    fn escape_into(&self, out: &mut String) {
        escape_into(self, out);
    }

    fn into_markup(self) -> Cow<'static, str> {
        match escape(&self) {
            Cow::Borrowed(_) => Cow::Owned(self),
            Cow::Owned(escaped) => Cow::Owned(escaped),
        }
    }
}

impl Text for char {
    fn escape_into(&self, out: &mut String) {
        escape_into(self.encode_utf8(&mut [0; 4]), out);
    }
}

macro_rules! through {
    ($($ty:ty),*) => {$(
        impl<T: Text + ?Sized> Text for $ty {
            fn escape_into(&self, out: &mut String) {
                (**self).escape_into(out);
            }
        }
    )*};
}
through!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: Text + ToOwned + ?Sized> Text for Cow<'_, T> {
    fn escape_into(&self, out: &mut String) {
        (**self).escape_into(out);
    }
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl Text for $ty {
            fn escape_into(&self, out: &mut String) {
                // Digits, a sign, a point: nothing to escape. Writing to a string cannot fail.
                let _ = write!(out, "{self}");
            }
        }
    )*};
}
numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);

/// A command for the client, as the value of `phx-click` and its like.
impl Text for crate::js::Js {
    fn escape_into(&self, out: &mut String) {
        Shown(self).escape_into(out);
    }
}

/// A value by its [`Display`]; [`text`] makes it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<T>(T);

/// Shows a value by its [`Display`], escaped.
///
/// ```
/// use live::{html, html::text};
///
/// let page = html! { <p>{text(format_args!("{} & {}", 1, 2))}</p> };
/// assert_eq!(page.to_html(), "<p>1 &amp; 2</p>");
/// ```
pub fn text<T: Display>(value: T) -> Shown<T> {
    Shown(value)
}

impl<T: Display> Text for Shown<T> {
    fn escape_into(&self, out: &mut String) {
        // Writing to this sink cannot fail; a `Display` that fails on its own shows what it wrote until then.
        let _ = write!(Escaping(out), "{}", self.0);
    }
}

struct Escaping<'a>(&'a mut String);

impl std::fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        escape_into(text, self.0);
        Ok(())
    }
}
