//! The page as a tree, for the kit's questions.

use scraper::{ElementRef, Html, Selector};

/// What a selector finds.
pub(super) fn select<'h>(html: &'h Html, selector: &str) -> Vec<ElementRef<'h>> {
    let parsed =
        Selector::parse(selector).unwrap_or_else(|error| panic!("{selector:?} is no CSS selector: {error}"));
    html.select(&parsed).collect()
}

/// The one element that a selector must find.
pub(super) fn one<'h>(html: &'h Html, selector: &str, page: &str) -> ElementRef<'h> {
    match select(html, selector).as_slice() {
        [element] => *element,
        [] => panic!("nothing on the page matches {selector:?}. The page:\n{page}"),
        many => panic!("{} elements match {selector:?}: name one of them. The page:\n{page}", many.len()),
    }
}

/// An element's text, with white space folded as a browser shows it.
pub(super) fn text(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The number of the nearest component around an element.
pub(super) fn component_around(element: ElementRef<'_>) -> Option<i64> {
    std::iter::once(element)
        .chain(element.ancestors().filter_map(ElementRef::wrap))
        .find_map(|around| around.attr("data-phx-component")?.parse().ok())
}

/// The markup without what is inside of streams, which the server does not keep.
pub(super) fn without_streams(markup: &str) -> String {
    if !markup.contains("phx-update=\"stream\"") {
        return markup.to_owned();
    }
    let mut html = Html::parse_fragment(markup);
    let streams: Vec<_> = select(&html, "[phx-update=stream]").iter().map(|element| element.id()).collect();
    for stream in streams {
        while let Some(child) =
            html.tree.get(stream).and_then(|node| node.first_child()).map(|child| child.id())
        {
            if let Some(mut child) = html.tree.get_mut(child) {
                child.detach();
            }
        }
    }
    html.html()
}
