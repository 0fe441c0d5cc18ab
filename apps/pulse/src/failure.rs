//! What ends a command: one line for people, one code for scripts.
//!
//! **Invariant.** Every failure has a code of this table (after `sysexits.h`), and its text is one line that says what
//! happened, to what, and what to do.

use std::fmt;

/// Why the process ends other than well. `2` is clap's: the command line could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed, or a check found something wrong.
    Failure,
    /// The database or another service can't be reached.
    Unavailable,
    /// A file or folder can't be made or written: no permission, no space.
    CantCreate,
    /// Something is in use now and may be free later: a port, a database.
    Temporary,
    /// The configuration is wrong.
    Config,
    /// Interrupted by ctrl-C.
    Interrupted,
}

/// The table that `pulse --help` shows.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed, or a check found something wrong
  2    the command line could not be read
  69   the database can't be reached
  73   a file or folder can't be made or written (permissions, disk full)
  75   in use now, may be free later (a port)
  78   the configuration is wrong
  130  interrupted";

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Unavailable => 69,
            Self::CantCreate => 73,
            Self::Temporary => 75,
            Self::Config => 78,
            Self::Interrupted => 130,
        }
    }
}

/// A command's end that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failure, message)
    }

    /// An I/O error while doing something to a file: the code follows from its kind.
    pub(crate) fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::QuotaExceeded
            | std::io::ErrorKind::FileTooLarge => Self::new(
                Exit::CantCreate,
                format!("can't {doing} {path}: no space is left; free some or choose another place"),
            ),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::new(
                Exit::CantCreate,
                format!(
                    "can't {doing} {path}: {}; allow it or choose another place",
                    first_line(&error.to_string())
                ),
            ),
            std::io::ErrorKind::NotFound => {
                Self::failed(format!("can't {doing} {path}: there is no such file or folder"))
            }
            _ => Self::failed(format!("can't {doing} {path}: {}", first_line(&error.to_string()))),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.message))
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Joins the lines of a library's message.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
