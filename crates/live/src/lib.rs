//! Live views on Phoenix's wire: the server holds a page's state and sends what changed.
//!
//! A view renders its state to a [`Rendered`]: the constant strings of a [`Template`] and the values
//! between them. A [`Shadow`] remembers what the browser has, as hashes, and writes the difference as the
//! JSON that the npm client `phoenix_live_view` merges.

#![expect(dead_code, reason = "the diff is not written yet")]

pub mod diff;
pub mod html;
pub mod tree;

pub use diff::{Extras, Frame, Shadow};
pub use tree::{Cid, Dyn, List, Rendered, Template, each};
