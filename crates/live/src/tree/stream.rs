//! A repetition that the server forgets once it is sent.

/// What the client does to a stream: the orders that travel with its new entries.
///
/// The element around the list needs an `id` and `phx-update="stream"`; each entry is one element with the
/// `id` that its [`Insert`] names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOps {
    /// The stream's name within the view.
    pub name: String,
    /// Where each entry of the list goes, in the order of the list.
    pub inserts: Vec<Insert>,
    /// The ids of elements to take away.
    pub deletes: Vec<String>,
    /// Take away everything that was there before the inserts.
    pub reset: bool,
}

/// Where an entry of a stream goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// The `id` of the entry's element.
    pub dom_id: String,
    /// The place among its siblings; -1 is the end.
    pub at: i64,
    /// How many entries the client keeps: of the last ones when negative.
    pub limit: Option<i64>,
    /// Only change an element that is there; insert none.
    pub update_only: bool,
}

impl StreamOps {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.inserts.is_empty() && self.deletes.is_empty() && !self.reset
    }
}
