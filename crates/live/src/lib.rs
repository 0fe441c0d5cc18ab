//! Live views on Phoenix's wire: the server holds a page's state and sends what changed.
//!
//! A view renders its state to a [`Rendered`]: the constant strings of a [`Template`] and the values
//! between them. A [`Shadow`] remembers what the browser has, as hashes, and writes the difference as the
//! JSON that the npm client `phoenix_live_view` merges.

mod channel;
mod component;
mod connected;
pub mod csrf;
mod ctx;
mod dead;
mod departure;
pub mod diff;
mod document;
mod event;
mod flash;
mod form;
mod frames;
pub mod guide;
pub mod html;
mod join;
pub mod js;
mod live;
pub mod merge;
mod mounted;
mod page;
mod params;
mod parts;
mod path;
mod route;
mod shared;
mod stats;
mod stream;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;
pub mod tree;
mod view;

pub use channel::{LiveSocket, Visitor};
pub use component::{Component, LiveComponent};
pub use ctx::{Ctx, SendError, ViewAddr};
pub use diff::{Extras, Frame, Shadow};
pub use document::Document;
pub use event::{ClientEvent, EventError};
pub use flash::{COOKIE as FLASH_COOKIE, Flash};
pub use form::{Field, FieldErrors, Form};
pub use live::{Builder, CLIENT_VERSION, Live, RouteError};
pub use live_macros::html;
pub use page::{History, Page};
pub use params::{MAX_DEPTH, MAX_FIELDS, Params, ParamsError};
pub use path::{LocalPath, MAX_PATH, NotLocal};
pub use route::{Guard, LiveSession, Public, Session, Visit};
pub use stats::Stats;
pub use stream::{At, Stream};
pub use task::{MAX_TASKS, TaskCrashed};
pub use tree::{Cid, Dyn, List, Rendered, Template, each, stream};
pub use view::{Halt, LiveView};
