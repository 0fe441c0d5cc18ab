//! A list of a page that is read bit by bit, as the end of what is there comes into view.
//!
//! **Invariant.** The rows on the page, their number and the place where the next ones begin are of one reading: a page of
//! rows moves all three, and a reading that fails moves none.

use live::{At, Rendered, Stream};
use pulse_data::page::{Cursor, Page};

/// The rows that are on the page, and where the next ones begin.
pub(crate) struct Roll<T> {
    rows: Stream<T>,
    next: Option<Cursor>,
    shown: usize,
}

impl<T: Send + 'static> Roll<T> {
    /// A list without rows so far.
    pub(crate) const fn new(rows: Stream<T>) -> Self {
        Self { rows, next: None, shown: 0 }
    }

    /// Shows the first rows in place of all that were there.
    pub(crate) fn begin(&mut self, page: Page<T>) {
        (self.next, self.shown) = (page.next, page.items.len());
        self.rows.reset(page.items);
    }

    /// Shows the rows that follow: those that were read after [`next`](Self::next).
    pub(crate) fn go_on(&mut self, page: Page<T>) {
        (self.next, self.shown) = (page.next, self.shown + page.items.len());
        page.items.into_iter().for_each(|row| self.rows.insert_at(At::End, row));
    }

    /// Shows a row that is new above all others.
    pub(crate) fn put_first(&mut self, row: T) {
        self.shown += 1;
        self.rows.insert_at(At::Start, row);
    }

    /// Shows a row as it is now, where it is on the page.
    pub(crate) fn update(&mut self, row: T) {
        self.rows.update(row);
    }

    /// Takes a row off the page, where it is there. Its place counts as read: the list does not become empty by it.
    pub(crate) fn delete(&mut self, row: &T) {
        self.rows.delete(row);
    }

    /// The same by the row's id in the document.
    pub(crate) fn delete_by_id(&mut self, dom_id: String) {
        self.rows.delete_by_id(dom_id);
    }

    /// Where the next rows begin; nothing where all are shown.
    pub(crate) fn next(&self) -> Option<Cursor> {
        self.next.clone()
    }

    /// Whether no row was found.
    pub(crate) const fn is_empty(&self) -> bool {
        self.shown == 0
    }

    /// The event at the end of the list, for `phx-viewport-bottom`: `more`, as long as more follows.
    pub(crate) fn more(&self) -> Option<&'static str> {
        self.next.is_some().then_some("more")
    }

    /// What is to be sent of the rows, for the body of an element with `phx-update="stream"`.
    pub(crate) fn render(&self, row: impl FnMut(&str, &T) -> Rendered) -> live::List {
        self.rows.render(row)
    }
}
