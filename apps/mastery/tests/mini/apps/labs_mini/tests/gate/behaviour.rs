//! Behaviour.

use labs_mini::{Full, Shelf};

/// A shelf never holds more than it may, and says so.
///
/// Hole: `put`.
#[test]
fn a_full_shelf_takes_no_more() {
    gate::check(|| {
        let mut shelf = Shelf::new(1);
        assert_eq!(shelf.put("cup"), Ok(()));
        assert_eq!(shelf.put("pot"), Err(Full), "it holds one, and may hold one");
    });
}

/// What was refused is not on the shelf.
///
/// Holes: `put`, `take`.
#[test]
fn what_was_refused_is_not_there() {
    gate::check(|| {
        let mut shelf = Shelf::new(1);
        assert_eq!((shelf.put("cup"), shelf.put("pot")), (Ok(()), Err(Full)));
        assert_eq!(shelf.take().as_deref(), Some("cup"), "the pot was refused");
    });
}
