//! The learner's progress: `work/log.jsonl`, one line an event, appended to and never changed.
//!
//! **Invariant.** All that is known of a learner is in this file. A line that can't be read (torn, or of a later version) is
//! skipped, and kept.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprints;

/// One event.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// When, as RFC 3339 has it.
    pub(crate) at: String,
    pub(crate) lab: String,
    #[serde(flatten)]
    pub(crate) did: Did,
}

/// What happened.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub(crate) enum Did {
    Started {
        reset: bool,
    },
    Checked {
        /// The stage that was red; `None` if none was.
        red: Option<String>,
        /// The first test that was red, and the hole that it is about.
        test: Option<String>,
        hole: Option<String>,
        seed: u64,
        #[serde(flatten)]
        of: Fingerprints,
    },
    Passed {
        #[serde(flatten)]
        of: Fingerprints,
    },
    Hinted {
        hole: String,
        /// The first hint is 1.
        number: usize,
    },
    Hunted {
        caught: usize,
        of: usize,
    },
    GaveUp,
}

/// All events, in their order.
#[derive(Debug, Default)]
pub(crate) struct Log(Vec<Entry>);

/// Where a learner is with a lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    New,
    /// With the stage that was red last, if it was checked.
    Started(Option<String>),
    Passed(Fingerprints),
    GaveUp,
}

impl Log {
    /// Reads it; it is empty where there is none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
        Ok(Self(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()))
    }

    /// Adds an event, now.
    pub(crate) fn append(path: &Path, lab: &str, did: Did) -> Result<()> {
        let entry = Entry { at: Timestamp::now().to_string(), lab: lab.to_owned(), did };
        let line = serde_json::to_string(&entry)? + "\n";
        let log = OpenOptions::new().append(true).create(true).open(path);
        // One write, so that two commands at a time don't mix their lines.
        log.and_then(|mut log| log.write_all(line.as_bytes()))
            .with_context(|| format!("{} can't be written", path.display()))
    }

    /// The lab that something was done with last.
    pub(crate) fn latest(&self) -> Option<&str> {
        self.0.last().map(|entry| entry.lab.as_str())
    }

    /// The events of a lab, the newest first.
    pub(crate) fn of<'l>(&'l self, lab: &'l str) -> impl Iterator<Item = &'l Entry> {
        self.0.iter().rev().filter(move |entry| entry.lab == lab)
    }

    /// The lab of the newest event.
    pub(crate) fn latest_lab(&self) -> Option<&str> {
        self.0.last().map(|entry| entry.lab.as_str())
    }

    /// The newest event that says where the learner is. A pass outlives red checks: it may be stale, and is not lost.
    pub(crate) fn standing(&self, lab: &str) -> Standing {
        let mut red = None;
        for Entry { did, .. } in self.of(lab) {
            match did {
                Did::Passed { of } => return Standing::Passed(of.clone()),
                Did::GaveUp => return Standing::GaveUp,
                Did::Started { .. } => return Standing::Started(red),
                Did::Checked { red: Some(stage), .. } if red.is_none() => red = Some(stage.clone()),
                _ => {}
            }
        }
        if red.is_some() { Standing::Started(red) } else { Standing::New }
    }

    /// How many hints were given for a hole since the lab was started last.
    pub(crate) fn hints(&self, lab: &str, hole: &str) -> usize {
        let since = self.of(lab).take_while(|entry| !matches!(entry.did, Did::Started { .. }));
        since.filter(|entry| matches!(&entry.did, Did::Hinted { hole: of, .. } if of == hole)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::{Did, Log, Standing};
    use crate::fingerprint::Fingerprints;

    fn of(code: &str) -> Fingerprints {
        Fingerprints { code: code.to_owned(), gate: "g".to_owned() }
    }

    #[test]
    fn standing_is_that_of_the_newest_event_and_a_torn_line_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let standing = || Log::read(&path).unwrap().standing("a");
        let red = |stage: &str| Did::Checked {
            red: Some(stage.to_owned()),
            test: None,
            hole: None,
            seed: 1,
            of: of("x"),
        };
        assert_eq!(standing(), Standing::New);
        Log::append(&path, "a", Did::Started { reset: false }).unwrap();
        assert_eq!(standing(), Standing::Started(None));
        Log::append(&path, "a", red("laws")).unwrap();
        Log::append(&path, "b", red("budget")).unwrap();
        assert_eq!(standing(), Standing::Started(Some("laws".to_owned())));
        Log::append(&path, "a", Did::Passed { of: of("y") }).unwrap();
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "{\"at\":\"20\n").unwrap();
        Log::append(&path, "a", red("laws")).unwrap();
        assert_eq!(standing(), Standing::Passed(of("y")), "stale perhaps, and not lost");
        Log::append(&path, "a", Did::Started { reset: true }).unwrap();
        assert_eq!(standing(), Standing::Started(None));
    }

    #[test]
    fn hints_count_from_the_last_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let hinted = |number| Did::Hinted { hole: "push".to_owned(), number };
        for did in [hinted(1), Did::Started { reset: true }, hinted(1), hinted(2)] {
            Log::append(&path, "a", did).unwrap();
        }
        let log = Log::read(&path).unwrap();
        assert_eq!((log.hints("a", "push"), log.hints("a", "tick"), log.hints("b", "push")), (2, 0, 0));
    }
}
