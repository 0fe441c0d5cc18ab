//! Laws.

use gate::proptest::collection::vec;
use labs_mini::Shelf;

/// Things come back in the reverse of the order in which they were put, each once.
///
/// Holes: `put`, `take`.
#[test]
fn things_come_back_in_reverse() {
    gate::law(50, vec("[a-z]{0,5}", 1..9), |things| {
        let mut shelf = Shelf::new(things.len());
        for thing in &things {
            assert!(shelf.put(thing).is_ok(), "there is room");
        }
        let back: Vec<_> = std::iter::from_fn(|| shelf.take()).take(20).collect();
        assert!(back.iter().eq(things.iter().rev()), "came back as {back:?}");
    });
}
