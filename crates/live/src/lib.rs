//! Live views on Phoenix's wire: the server holds a page's state and sends what changed.
//!
//! A view renders its state to a [`Rendered`]: the constant strings of a [`Template`] and the values
//! between them. A [`Shadow`] remembers what the browser has, as hashes, and writes the difference as the
//! JSON that the npm client `phoenix_live_view` merges.

pub mod csrf;
pub mod diff;
mod event;
mod flash;
mod form;
pub mod html;
pub mod js;
pub mod merge;
mod params;
mod path;
mod stats;
pub mod token;
pub mod tree;

pub use diff::{Extras, Frame, Shadow};
pub use event::{ClientEvent, EventError};
pub use flash::{COOKIE as FLASH_COOKIE, Flash};
pub use form::{Field, FieldErrors, Form};
pub use params::{MAX_DEPTH, MAX_FIELDS, Params, ParamsError};
pub use path::{LocalPath, MAX_PATH, NotLocal};
pub use stats::Stats;
pub use tree::{Cid, Dyn, List, Rendered, Template, each, stream};
