//! Writes what a command prints.
//!
//! **Invariant.** A reader that closes the pipe early (`pulse report | head -1`) ends the output, not in an error.

use std::io::{self, Write as _};

use crate::failure::Failure;

/// Prints a text and a line break to standard output.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::io("write", "standard output".as_ref(), &error)),
    }
}

/// Prints a line for people to standard error.
pub(crate) fn note(text: impl AsRef<str>) {
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// Prints the one line that a failed command ends with.
pub(crate) fn complain(failure: &Failure) {
    note(format!("pulse: {failure}"));
}
