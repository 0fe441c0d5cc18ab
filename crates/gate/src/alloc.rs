//! How often and how much a piece of code allocates.
//!
//! **Invariant.** Counts are of the calling thread alone, and exact: the same work gives the same figures on any
//! machine, however busy. What C code allocates (SQLite) is not seen.
//!
//! A budget's test file starts with
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;
//!
//! let (text, cost) = gate::alloc::here(|| "x".repeat(1000));
//! assert_eq!((cost.times, cost.bytes, cost.peak), (1, 1000, 1000));
//! # drop(text);
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<Now> = const { Cell::new(Now { times: 0, bytes: 0, held: 0, most: 0 }) };
}

#[derive(Clone, Copy)]
struct Now {
    times: u64,
    bytes: u64,
    /// Below zero where a thread frees what another one has allocated.
    held: i64,
    most: i64,
}

/// The system's allocator, which counts.
#[derive(Clone, Copy, Debug)]
pub struct Counting;

/// What a piece of code has allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Allocations, and each growth of one.
    pub times: u64,
    /// All bytes, also those that were freed meanwhile.
    pub bytes: u64,
    /// The most bytes that were held at one time, beyond what was held before.
    pub peak: u64,
}

/// Runs it, and says what it allocated on this thread. Async code: run it on a runtime of this thread.
///
/// Panics where [`Counting`] is not the global allocator: zero would look like a success.
pub fn here<T>(act: impl FnOnce() -> T) -> (T, Cost) {
    let probe = NOW.get().times;
    drop(std::hint::black_box(Box::new(0_u8)));
    assert!(NOW.get().times > probe, "nothing counts: make gate::alloc::Counting the #[global_allocator]");
    let before = NOW.get();
    NOW.set(Now { most: before.held, ..before });
    let done = act();
    let after = NOW.get();
    let peak = u64::try_from(after.most - before.held).unwrap_or(0);
    // Whoever measures around us goes on with the greatest of both.
    NOW.set(Now { most: after.most.max(before.most), ..after });
    (done, Cost { times: after.times - before.times, bytes: after.bytes - before.bytes, peak })
}

fn count(more: usize, less: usize) {
    // A thread that ends may free after its counter is gone.
    _ = NOW.try_with(|cell| {
        let mut now = cell.get();
        if more > 0 {
            now.times += 1;
            now.bytes += more as u64;
        }
        now.held += i64::try_from(more).unwrap_or(i64::MAX) - i64::try_from(less).unwrap_or(i64::MAX);
        now.most = now.most.max(now.held);
        cell.set(now);
    });
}

#[expect(
    unsafe_code,
    reason = "an allocator can't be written otherwise; each call goes to the system's as it came"
)]
// SAFETY: every method hands its arguments to `System` unchanged and returns what that returns; counting touches a
// thread-local cell that needs no allocation and has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps `alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: `ptr` came from `System` with this layout, as all that is allocated here does.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}
