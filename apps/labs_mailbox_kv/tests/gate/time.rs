//! Virtual time, measured.

use std::time::Duration;

use tokio::time::Instant;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// How much time a future takes.
pub(crate) async fn timed<T>(future: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let output = future.await;
    (start.elapsed(), output)
}

/// Lets everybody run who can, without any time passing.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
