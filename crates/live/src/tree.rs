//! What a view renders: constant strings with values between them.
//!
//! Invariant: a [`Rendered`] holds exactly one value for each gap of its [`Template`], and every text in it
//! is escaped already.

mod cid;
mod list;
mod page;
mod part;
mod rendered;
mod shared;
mod stream;
mod template;

pub use cid::Cid;
pub use list::{Entry, List, each, stream};
pub use page::Page;
pub(crate) use page::mark;
pub use part::Part;
pub use rendered::{Dyn, Rendered};
pub use shared::Shared;
pub use stream::{Insert, StreamOps};
pub use template::Template;
