//! Budgets.

use labs_mini::Shelf;

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;

/// A look allocates nothing.
///
/// Hole: `longest`.
#[test]
fn a_look_allocates_nothing() {
    gate::check(|| {
        let mut shelf = Shelf::new(9);
        for thing in ["cup", "teapot", "tin"] {
            _ = shelf.put(thing);
        }
        let (longest, cost) = gate::alloc::here(|| shelf.longest());
        assert_eq!(longest, 6);
        let limit = gate::limit(include_str!("../lab.toml"), "allocations_a_look");
        assert!(f64::from(u32::try_from(cost.times).unwrap_or(9)) <= limit, "{} allocations", cost.times);
    });
}
