//! Markup from values: escaping, attributes, addresses, classes. See [`guide`] for how to write a template.
//!
//! Invariant: nothing becomes markup unescaped but by a type that says so ([`Raw`]), and no address with a scheme that
//! runs scripts but by a type that says so ([`TrustedUrl`]).

mod attribute;
mod class;
mod component;
mod escape;
pub mod guide;
mod render;
mod text;
mod url;

pub use attribute::{Attribute, AttributeNameError, Attributes};
pub use class::{ClassList, Classes};
pub use component::Component;
pub use escape::{escape, escape_into};
pub use render::{Raw, Render};
pub use text::{Shown, Text, text};
pub use url::{TrustedUrl, UrlAttribute, refused_urls};

/// What the code that `html!` writes calls.
#[doc(hidden)]
pub mod rt {
    pub use super::attribute::{dynamic, spread};
    pub use super::class::classes;
    pub use super::url::url;
    pub use std::vec;
}
