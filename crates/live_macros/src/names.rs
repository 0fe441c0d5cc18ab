//! What the names of elements and attributes say.

use rstml::Infallible;
use rstml::node::{Node, NodeElement, NodeName};

/// Elements that have no end.
pub(crate) const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Attributes whose value is an address.
pub(crate) const URL: [&str; 11] = [
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

/// A component is named as a type is: by a capital letter, where it has a path in its last part.
pub(crate) fn is_component(element: &NodeElement<Infallible>) -> bool {
    let NodeName::Path(path) = element.name() else { return false };
    let last = path.path.segments.last().map(|part| part.ident.to_string());
    last.is_some_and(|name| name.starts_with(|c: char| c.is_uppercase()))
}

/// The name of the slot that a child of a component fills: `<slot:header>`.
pub(crate) fn slot(element: &NodeElement<Infallible>) -> Option<String> {
    element.name().to_string().strip_prefix("slot:").map(str::to_owned)
}

/// Whether this is an element and nothing else.
pub(crate) fn is_one_element(nodes: &[Node]) -> bool {
    let mut shown = nodes.iter().filter(|node| !matches!(node, Node::Comment(_)));
    match (shown.next(), shown.next()) {
        (Some(Node::Element(element)), None) => !is_component(element),
        (Some(Node::Fragment(fragment)), None) => is_one_element(&fragment.children),
        _ => false,
    }
}
