//! What is said of a lab's proof.
//!
//! **Invariant.** The lines about a lab stand together, also where two labs are proven at a time.

use anstream::println;

use super::Findings;
use crate::screen::{bad, good, wrapped};

/// What was said of a lab: at once if it is proven alone, and else when it is done, so that two don't talk at a time.
pub(super) struct Report {
    lines: String,
    at_once: bool,
}

impl Report {
    pub(super) fn new(at_once: bool) -> Self {
        Self { lines: String::new(), at_once }
    }

    /// One or more lines.
    pub(super) fn say(&mut self, line: &str) {
        if self.at_once {
            println!("{line}");
        } else {
            self.lines.push_str(line);
            self.lines.push('\n');
        }
    }

    /// A part, and what was not as it should be; that is also put to `all`.
    pub(super) fn tell(&mut self, part: &str, findings: Findings, all: &mut Findings) {
        let word = if findings.is_empty() { good("ok ").to_string() } else { bad("no ").to_string() };
        self.say(&format!("  {word} {part}"));
        for finding in findings {
            let (head, rest) = finding.split_once('\n').unwrap_or((&finding, ""));
            self.say(&wrapped(head, 6));
            if !rest.is_empty() {
                self.say(rest);
            }
            all.push(format!("{part}: {head}"));
        }
    }
    /// Prints what has not been printed.
    pub(super) fn end(self) {
        println!("{}", self.lines);
    }
}
