//! Markup that many pages show alike, rendered for the first of them.
//!
//! Invariant: what is found is what would be rendered: a key stands for all that the markup is made of. There is room for a
//! fixed number of pieces; one that needs the room of another takes it.

use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::page::Page;
use crate::stats::Counters;
use crate::tree::{Dyn, Part, Rendered, Shared};

/// Pieces that are kept: some thousand characters each, so some MiB at most.
const ROOM: usize = 1_024;

/// The pieces of all pages of one `Live`.
pub(crate) struct SharedPieces {
    /// A piece lies at the place that its key gives, and nowhere else.
    places: Box<[Mutex<Place>]>,
}

/// A piece with its key.
type Place = Option<(u64, Arc<Shared>)>;

impl Default for SharedPieces {
    fn default() -> Self {
        Self { places: (0..ROOM).map(|_| Mutex::default()).collect() }
    }
}

impl SharedPieces {
    /// The piece of this key, counted as found or rendered. Two pages that look for it at once may both render it.
    fn get_or(&self, key: u64, counters: &Counters, render: impl FnOnce() -> Rendered) -> Arc<Shared> {
        let place = &self.places[usize::try_from(key % ROOM as u64).unwrap_or(0)];
        if let Some((known, piece)) = &*place.lock()
            && *known == key
        {
            counters.shared_hits.one();
            return piece.clone();
        }
        counters.shared_misses.one();
        let piece = Shared::new(render());
        // The piece that made room is dropped after the lock is released.
        let old = place.lock().replace((key, piece.clone()));
        if old.is_some_and(|(known, _)| known != key) {
            counters.shared_evictions.one();
        }
        piece
    }
}

impl Page {
    /// Markup that other pages show too: it is rendered, and written as JSON, for the first page that shows it. For the rows
    /// of a list that many look at, and that change on all their pages at once.
    ///
    /// As with [`part`](Self::part), `render` is a plain function of `of`, and what `of` hashes must be all of it that
    /// `render` shows.
    ///
    /// ```
    /// use live::{Page, Rendered, html};
    ///
    /// #[derive(Hash)]
    /// struct Row<'a> { name: &'a str, left: u32 }
    ///
    /// fn shelf(page: &Page, goods: &[(String, u32)]) -> Rendered {
    ///     html! {
    ///         <ul>
    ///             {live::each(goods, |(name, _)| name.clone(), |(name, left)| html! {
    ///                 <li>{page.shared(Row { name, left: *left }, |row| html! { <b>{row.name}</b> {row.left} left })}</li>
    ///             })}
    ///         </ul>
    ///     }
    /// }
    /// ```
    pub fn shared<K: Hash>(&self, of: K, render: fn(K) -> Rendered) -> Dyn {
        let key = Part::key_of(&of, render);
        Dyn::Shared(self.live.shared.get_or(key, &self.live.counters, || render(of)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Template;

    fn piece(text: &'static str) -> Rendered {
        static PIECE: Template = Template::new(&["<p>", "</p>"], true);
        Rendered::new(&PIECE, vec![Dyn::text(text)])
    }

    #[test]
    fn a_piece_is_rendered_once_and_one_that_needs_its_room_takes_it() {
        let (pieces, counters) = (SharedPieces::default(), Counters::default());
        let first = pieces.get_or(7, &counters, || piece("one"));
        let again = pieces.get_or(7, &counters, || panic!("it is there"));
        assert!(Arc::ptr_eq(&first, &again));
        let other = pieces.get_or(7 + ROOM as u64, &counters, || piece("two"));
        assert_eq!(other.markup.to_html(), "<p>two</p>");
        let anew = pieces.get_or(7, &counters, || piece("three"));
        assert_eq!(anew.markup.to_html(), "<p>three</p>");
    }

    #[test]
    fn pieces_that_take_each_others_room_are_seen_in_the_counters() {
        let (pieces, counters) = (SharedPieces::default(), Counters::default());
        let counted = || {
            let now = counters.read();
            (now.shared_hits, now.shared_misses, now.shared_evictions)
        };
        for key in 0..ROOM as u64 {
            pieces.get_or(key, &counters, || piece("a page"));
        }
        assert_eq!(counted(), (0, 1_024, 0), "each has a place of its own");
        for key in 0..ROOM as u64 {
            pieces.get_or(key, &counters, || panic!("it is there"));
        }
        assert_eq!(counted(), (1_024, 1_024, 0));
        // Two that share one place, in turns: each look is a render.
        for _ in 0..10 {
            pieces.get_or(5, &counters, || piece("one"));
            pieces.get_or(5 + ROOM as u64, &counters, || piece("other"));
        }
        assert_eq!(counted(), (1_025, 1_043, 19));
    }
}
