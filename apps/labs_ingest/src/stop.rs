//! How to ask a pipeline to drain.
//!
//! **Invariant.** Asking twice is asking once, and who waits only afterwards still hears of it.

use tokio::sync::watch;

/// Clones are the same switch.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Asks: take nothing more, finish what was taken, then end.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Waits until somebody has asked.
    pub async fn asked(&self) {
        let mut told = self.0.subscribe();
        // `self` holds the sender, so that there is no other end to wait for.
        _ = told.wait_for(|asked| *asked).await;
    }
}
