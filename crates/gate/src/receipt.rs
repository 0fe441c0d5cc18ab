//! Proof that a test came to its end: its ticket, given back.
//!
//! **Invariant.** The code under test can't write a receipt: the ticket comes through the standard input, which is read
//! before the test's body starts, and lives nowhere else. It is given back once, after the last assertion.
//!
//! Without `cargo mastery` (`cargo test`, an editor) there is no ticket, and a test is an ordinary test.

use std::io::{BufRead as _, Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// The variable that says that a ticket waits on the standard input.
pub const TICKET: &str = "GATE_TICKET";
/// The variable with the run's seed.
pub const SEED: &str = "GATE_SEED";

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The seed of this run: what is random in a test comes from here, so that it can be replayed.
pub fn seed() -> u64 {
    std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// A test's ticket, to be given back.
pub(crate) struct Receipt(Option<String>);

impl Receipt {
    /// Takes the ticket. Panics if this process has taken one before: a test is one call of the kit.
    pub(crate) fn take() -> Self {
        if std::env::var_os(TICKET).is_none() {
            return Self(None);
        }
        assert!(
            !TAKEN.swap(true, Ordering::SeqCst),
            "a gate's test is one call of the kit: make two tests of it"
        );
        let mut ticket = String::new();
        let read = std::io::stdin().lock().read_line(&mut ticket);
        assert!(read.is_ok_and(|bytes| bytes > 0), "{TICKET} is set, but no ticket came");
        std::thread::spawn(end_with_who_started_us);
        Self(Some(ticket.trim().to_owned()))
    }

    /// Gives the ticket back: the test has passed.
    pub(crate) fn give(self) {
        if let Some(ticket) = self.0 {
            let mut out = std::io::stdout().lock();
            // A run that no longer listens has given its verdict already.
            _ = writeln!(out, "\nreceipt {ticket}").and_then(|()| out.flush());
        }
    }
}

/// The other end of the standard input is held as long as somebody waits for this test.
fn end_with_who_started_us() {
    let mut byte = [0];
    while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
    std::process::exit(3);
}
