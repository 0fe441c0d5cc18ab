//! The bodies of tests.
//!
//! **Invariant.** A body that panics, or that leaves before its end in whatever way, gives no receipt.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::receipt::Receipt;

/// Longer than anything that a lab waits for. On the virtual clock it passes at once.
const FOR_EVER: Duration = Duration::from_hours(24 * 365);

/// A test of plain code.
pub fn check(body: impl FnOnce()) {
    let receipt = Receipt::take();
    body();
    receipt.give();
}

/// A test on tokio's virtual clock, on one thread: time passes only when everybody waits, and then at once.
///
/// ```
/// # use std::time::Duration;
/// gate::paused(async || {
///     let started = tokio::time::Instant::now();
///     tokio::time::sleep(Duration::from_secs(3600)).await;
///     assert_eq!(started.elapsed(), Duration::from_secs(3600));
/// });
/// ```
pub fn paused(body: impl AsyncFnOnce()) {
    check(|| virtually(body));
}

/// Runs something on a virtual clock of its own: for the body of a [`law`](crate::law()).
///
/// Panics if it waits for what never happens.
pub fn virtually<T>(body: impl AsyncFnOnce() -> T) -> T {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("the machine gives a runtime");
    let done = runtime.block_on(async { timeout(FOR_EVER, body()).await });
    done.unwrap_or_else(|_| panic!("it waits for something that never happens"))
}

/// A test with two real threads and real time. Wait for what must happen, never for a time.
pub fn running(body: impl AsyncFnOnce()) {
    check(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("the machine gives a runtime").block_on(body());
    });
}
