//! Listens for the wish to end: SIGTERM, ctrl-C.
//!
//! **Invariant.** The first wish is a request, the second an order: after it the process ends at once.

use tokio_util::sync::CancellationToken;

use crate::failure::Exit;
use crate::output;

/// How a command was asked to end.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    token: CancellationToken,
}

impl Stop {
    /// Begins to listen. `first` is said when the first wish arrives.
    pub(crate) fn listen(first: &'static str) -> Self {
        let token = CancellationToken::new();
        let stop = Self { token: token.clone() };
        tokio::spawn(async move {
            wished().await;
            output::note(first);
            token.cancel();
            wished().await;
            output::note("pulse: ended at once; nothing that was acknowledged is lost");
            std::process::exit(i32::from(Exit::Interrupted.code()));
        });
        stop
    }

    /// Cancelled once the end is wished.
    pub(crate) fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Whether the end is wished.
    pub(crate) fn is_wished(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits for the wish.
    pub(crate) async fn wished(&self) {
        self.token.cancelled().await;
    }
}

#[cfg(unix)]
async fn wished() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the signals end the process as they do by default.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wished() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
