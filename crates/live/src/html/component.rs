//! Pieces of markup with parameters.

use crate::tree::Rendered;

/// A piece of markup as a struct: its fields are its parameters.
///
/// Without state and without events; a live component has both. A field that is forgotten is a compile
/// error, as for any struct.
///
/// ```
/// use live::{Rendered, html, html::Component};
///
/// struct Card { title: String, children: Rendered }
///
/// impl Component for Card {
///     fn render(self) -> Rendered {
///         html! { <section><h2>{self.title}</h2>{self.children}</section> }
///     }
/// }
///
/// let page = html! { <Card title="Tea"><p>Green</p></Card> };
/// assert_eq!(page.to_html(), "<section><h2>Tea</h2><p>Green</p></section>");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no component",
    note = "implement `live::html::Component`"
)]
pub trait Component {
    /// The markup.
    fn render(self) -> Rendered;
}
