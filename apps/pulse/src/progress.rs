//! Shows how far long work is: a bar on a terminal, a plain line now and then elsewhere.
//!
//! **Invariant.** Progress goes to standard error only, and at most ten plain lines a task are written.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// The progress of one task.
pub(crate) struct Progress {
    label: String,
    total: u64,
    bar: Option<ProgressBar>,
    told: AtomicU64,
}

impl Progress {
    /// Begins a task of so many steps.
    pub(crate) fn begin(label: impl Into<String>, total: u64) -> Self {
        let label = label.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total);
            let style =
                ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.set_message(label.clone());
            bar
        });
        Self { label, total, bar, told: AtomicU64::new(0) }
    }

    /// So many steps are done.
    pub(crate) fn reached(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let tenth = done.saturating_mul(10).checked_div(self.total).unwrap_or(0);
        if tenth > self.told.fetch_max(tenth, Ordering::Relaxed) {
            output::note(format!("{}: {done} of {} ({} %)", self.label, self.total, tenth * 10));
        }
    }
}

/// The task is over: nothing stays on the terminal.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
