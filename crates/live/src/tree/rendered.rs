//! A template with its values.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Cid, List, Part, Shared, Template};

/// A piece of markup: a template and the values in its gaps.
///
/// `html!` makes one; a test may make one by hand.
///
/// ```
/// use live::{Dyn, Rendered, Template};
///
/// static COUNT: Template = Template::new(&["<p>", "</p>"], true);
/// let page = Rendered::new(&COUNT, vec![Dyn::text("3")]);
/// assert_eq!(page.to_html(), "<p>3</p>");
/// ```
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The constant strings, known by their address.
    pub(crate) template: &'static Template,
    /// One value for each gap, in order.
    pub(crate) dynamics: Vec<Dyn>,
}

/// A value in a gap of a template.
#[derive(Debug, Clone)]
pub enum Dyn {
    /// Markup as text: what must be escaped is escaped.
    Text(Cow<'static, str>),
    /// Markup with gaps of its own.
    Nested(Rendered),
    /// A repetition.
    List(List),
    /// The place of a live component, whose markup travels apart.
    Component(Cid),
    /// Markup that is left out where the client holds it.
    Part(Part),
    /// Markup that other pages show too.
    Shared(Arc<Shared>),
}

impl Rendered {
    /// The template with these values.
    ///
    /// # Panics
    ///
    /// When the values do not fit the gaps. `html!` always fits.
    pub fn new(template: &'static Template, dynamics: Vec<Dyn>) -> Self {
        assert_eq!(template.gaps(), dynamics.len(), "a template takes one value for each of its gaps");
        Self { template, dynamics }
    }

    /// The constant strings.
    pub fn template(&self) -> &'static Template {
        self.template
    }

    /// Calls `found` for each live component whose place is in this markup, entries of streams included. Not for those of
    /// parts that the client holds: it holds them as well.
    pub(crate) fn components(&self, found: &mut impl FnMut(Cid)) {
        self.dynamics.iter().for_each(|value| value.components(found));
    }

    /// The values in the gaps, in order.
    pub fn dynamics(&self) -> &[Dyn] {
        &self.dynamics
    }
}

impl Dyn {
    /// Text that is escaped already, or has nothing to escape.
    pub fn text(markup: impl Into<Cow<'static, str>>) -> Self {
        Self::Text(markup.into())
    }

    fn components(&self, found: &mut impl FnMut(Cid)) {
        match self {
            Self::Text(_) => {}
            Self::Nested(nested) => nested.components(found),
            Self::List(list) => {
                let values = list.entries.iter().flat_map(|entry| &entry.dynamics);
                values.for_each(|value| value.components(found));
            }
            Self::Component(cid) => found(*cid),
            Self::Shared(shared) => shared.markup.components(found),
            Self::Part(part) => part.markup.iter().for_each(|markup| markup.components(found)),
        }
    }

    /// No markup at all.
    pub const fn empty() -> Self {
        Self::Text(Cow::Borrowed(""))
    }
}

static ELEMENT: Template = Template::new(&["<div>", "</div>"], true);

impl Rendered {
    /// The markup as one element, as a live component's must be: within a `<div>` if it is not one already.
    pub fn into_element(self) -> Self {
        if self.template.root { self } else { Self { template: &ELEMENT, dynamics: vec![Dyn::Nested(self)] } }
    }
}
