//! Parts of a view's markup that are rendered when what they show has changed, and not with each render of the view.
//!
//! Invariant: a part is left out only if its key is among those that the client was last sent; and a part whose place has
//! changed meanwhile is rendered after all, because the diff finds it missing.

use std::hash::Hash;

use parking_lot::Mutex;

use crate::page::Page;
use crate::tree::{Dyn, Part, Rendered};

/// Which parts of a page the client holds.
#[derive(Default)]
pub(crate) struct Parts {
    /// The keys of the render that was last sent, sorted.
    held: Vec<u64>,
    /// The keys of the render at hand.
    shown: Mutex<Vec<u64>>,
}

impl Parts {
    fn holds(&self, key: u64) -> bool {
        self.held.binary_search(&key).is_ok()
    }

    /// The render at hand has been sent.
    pub(crate) fn sent(&mut self) {
        self.held = std::mem::take(self.shown.get_mut());
        self.held.sort_unstable();
    }

    /// From now on all parts are rendered, until they are sent.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Page {
    /// Markup that is rendered only when what it is made of has changed since the last diff. Where it has not, neither is it
    /// compared: it costs the hash of `of`.
    ///
    /// `render` is a plain function of `of`: it can look at nothing else, so what it shows can't be forgotten to be told. What
    /// `of` hashes must be all of it that `render` shows. For what stands around a list that changes often; not within the
    /// entries of a stream, of which the server remembers nothing: there it is rendered twice.
    ///
    /// ```
    /// use live::{Ctx, Halt, LiveView, Page, Rendered, html};
    ///
    /// struct Clock { zone: String, seconds: u64 }
    ///
    /// impl LiveView for Clock {
    ///     type Scope = ();
    ///     type Params = ();
    ///     type Event = ();
    ///     type Info = u64;
    ///     async fn mount(_: &(), _: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
    ///         Ok(Self { zone: "UTC".to_owned(), seconds: 0 })
    ///     }
    ///     async fn handle_info(&mut self, seconds: u64, _: &mut Ctx<'_, Self>) {
    ///         self.seconds = seconds;
    ///     }
    ///     fn render(&self, page: &Page) -> Rendered {
    ///         html! {
    ///             <main>
    ///                 {page.part(&self.zone, |zone| html! { <h1>"The time in "{zone}</h1> })}
    ///                 <p>{self.seconds}</p>
    ///             </main>
    ///         }
    ///     }
    /// }
    /// ```
    pub fn part<K: Hash>(&self, of: K, render: fn(K) -> Rendered) -> Dyn {
        if !self.connected {
            return Dyn::Nested(render(of));
        }
        let key = Part::key_of(&of, render);
        self.parts.shown.lock().push(key);
        Dyn::Part(if self.parts.holds(key) { Part::held(key) } else { Part::rendered(key, render(of)) })
    }
}
