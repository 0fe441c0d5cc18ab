//! Class lists.

use super::text::Text;
use crate::tree::Dyn;

/// The classes of an element while they are gathered.
#[derive(Debug, Default)]
pub struct Classes(String);

impl Classes {
    /// Adds one class, or several with spaces between them.
    pub fn add(&mut self, class: impl Text) {
        let before = self.0.len();
        if before > 0 {
            self.0.push(' ');
        }
        let start = self.0.len();
        class.escape_into(&mut self.0);
        if self.0.len() == start {
            self.0.truncate(before);
        }
    }
}

/// What `class={…}` takes: a text, an `Option`, an array, a tuple of up to six of these.
///
/// ```
/// use live::html;
///
/// let active = true;
/// let tab = html! { <a class={("tab", active.then_some("active"))}></a> };
/// assert_eq!(tab.to_html(), "<a class=\"tab active\"></a>");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of classes",
    note = "a text, an `Option`, an array or a tuple of these is; for a `bool`, write `flag.then_some(\"class\")`"
)]
pub trait ClassList {
    /// Adds its classes.
    fn add_to(&self, classes: &mut Classes);
}

impl<T: Text> ClassList for T {
    fn add_to(&self, classes: &mut Classes) {
        classes.add(self);
    }
}

impl<T: ClassList> ClassList for Option<T> {
    fn add_to(&self, classes: &mut Classes) {
        if let Some(list) = self {
            list.add_to(classes);
        }
    }
}

impl<T: ClassList, const N: usize> ClassList for [T; N] {
    fn add_to(&self, classes: &mut Classes) {
        for list in self {
            list.add_to(classes);
        }
    }
}

impl<T: ClassList> ClassList for Vec<T> {
    fn add_to(&self, classes: &mut Classes) {
        for list in self {
            list.add_to(classes);
        }
    }
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: ClassList),*> ClassList for ($($name,)*) {
            fn add_to(&self, classes: &mut Classes) {
                #[expect(non_snake_case, reason = "each value is named as its type is")]
                let ($($name,)*) = self;
                $($name.add_to(classes);)*
            }
        }
    )*};
}
tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F));

/// What `html!` makes of `class={list}`: what stands between the quotes.
#[doc(hidden)]
#[expect(clippy::needless_pass_by_value, reason = "a template gives its values away, temporary or not")]
pub fn classes(list: impl ClassList) -> Dyn {
    let mut classes = Classes::default();
    list.add_to(&mut classes);
    Dyn::text(classes.0)
}
