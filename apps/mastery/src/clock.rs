//! A line that says what is waited for, and for how long.
//!
//! **Invariant.** It is on a terminal alone, on the stream of errors, and gone before anything else is said there.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

/// What takes no longer than this is not worth a line.
const PATIENCE: Duration = Duration::from_secs(2);

/// The line; it goes when this is dropped. Needs a tokio runtime.
pub(crate) struct Clock {
    shown: Arc<Mutex<Shown>>,
    ticking: Option<JoinHandle<()>>,
}

struct Shown {
    what: String,
    since: Instant,
    is_there: bool,
}

impl Shown {
    fn clear(&mut self) {
        if std::mem::take(&mut self.is_there) {
            eprint!("\r\x1b[2K");
            _ = std::io::stderr().flush();
        }
    }

    fn draw(&mut self) {
        eprint!("\r\x1b[2K  {}, {} s", self.what, self.since.elapsed().as_secs());
        _ = std::io::stderr().flush();
        self.is_there = true;
    }
}

impl Clock {
    /// Waits for this; nothing is shown where nobody looks.
    pub(crate) fn of(what: &str) -> Self {
        let shown = Shown { what: what.to_owned(), since: Instant::now(), is_there: false };
        let shown = Arc::new(Mutex::new(shown));
        let drawn = Arc::clone(&shown);
        let ticking = std::io::stderr().is_terminal().then(|| {
            tokio::spawn(async move {
                tokio::time::sleep(PATIENCE).await;
                loop {
                    drawn.lock().unwrap_or_else(PoisonError::into_inner).draw();
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            })
        });
        Self { shown, ticking }
    }

    /// Waits for this from now on.
    pub(crate) fn turn_to(&self, what: String) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).what = what;
    }

    /// Says something between.
    pub(crate) fn aside(&self, say: impl FnOnce()) {
        // Held while it is said, so that no tick comes between.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.clear();
        say();
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        if let Some(ticking) = &self.ticking {
            ticking.abort();
        }
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
