//! Values that stand between tags.

use std::borrow::Cow;

use super::text::Text;
use crate::tree::{Cid, Dyn, List, Rendered};

/// A value that may stand between tags, as `{value}`.
///
/// Text is escaped. `None` and `()` are nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand between tags",
    label = "neither text nor markup",
    note = "text, numbers, `Option`, what `html!`, `each` and `stream` return, and `Raw` can",
    note = "for a type with `Display`, write `{{live::html::text(value)}}`; for a `bool`, write an `if`"
)]
pub trait Render {
    /// The value as markup.
    fn render(self) -> Dyn;
}

impl<T: Text> Render for T {
    fn render(self) -> Dyn {
        Dyn::Text(self.into_markup())
    }
}

impl<T: Render> Render for Option<T> {
    fn render(self) -> Dyn {
        self.map_or_else(Dyn::empty, Render::render)
    }
}

impl<'a, T> Render for &'a Option<T>
where
    &'a T: Render,
{
    fn render(self) -> Dyn {
        self.as_ref().map_or_else(Dyn::empty, Render::render)
    }
}

impl Render for () {
    fn render(self) -> Dyn {
        Dyn::empty()
    }
}

impl Render for Dyn {
    fn render(self) -> Dyn {
        self
    }
}

impl Render for Rendered {
    fn render(self) -> Dyn {
        Dyn::Nested(self)
    }
}

impl Render for &Rendered {
    fn render(self) -> Dyn {
        Dyn::Nested(self.clone())
    }
}

impl Render for List {
    fn render(self) -> Dyn {
        Dyn::List(self)
    }
}

impl Render for Cid {
    fn render(self) -> Dyn {
        Dyn::Component(self)
    }
}

/// Entries known by their places: one that is inserted changes all after it. [`each`](crate::each) knows them by keys.
impl Render for Vec<Rendered> {
    fn render(self) -> Dyn {
        Dyn::List(List::keyed((0..).zip(self)))
    }
}

/// Markup that is shown as it stands, unescaped.
///
/// Never of what a user wrote. Each use is a place to look at in a review.
///
/// ```
/// use live::{html, html::Raw};
///
/// let page = html! { <p>{Raw::new("<b>bold</b>")}</p> };
/// assert_eq!(page.to_html(), "<p><b>bold</b></p>");
/// ```
#[derive(Debug, Clone)]
pub struct Raw(Cow<'static, str>);

impl Raw {
    /// Markup that the caller vouches for: its tags are closed, and no part of it comes from a user.
    pub fn new(markup: impl Into<Cow<'static, str>>) -> Self {
        Self(markup.into())
    }
}

impl Render for Raw {
    fn render(self) -> Dyn {
        Dyn::Text(self.0)
    }
}
