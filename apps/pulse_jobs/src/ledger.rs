//! What the simulated gateway remembers: every key with its answer.
//!
//! **Invariant.** The first answer to a key is the only one, also after a restart where the ledger has a file: an entry
//! is on the disk before the answer is given. A line that was cut by a crash was never answered and is cut off.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Which way money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Movement {
    /// To the shop.
    Capture,
    /// Back to the buyer.
    Refund,
}

/// One key and what it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The idempotency key.
    pub key: String,
    /// Which way.
    pub movement: Movement,
    /// For this order.
    pub order: i64,
    /// How much.
    pub pence: i64,
    /// The gateway's reference where money moved, else the reason why not.
    pub answer: Result<String, String>,
}

/// The ledger's file can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the gateway's ledger {path} can't be used: {source}")]
pub struct LedgerError {
    path: String,
    source: io::Error,
}

/// Entries by key, in memory and, if wanted, in a file of JSON lines.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: HashMap<String, Entry>,
    file: Option<File>,
}

impl Ledger {
    /// Reads a file, which is made where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, LedgerError> {
        let fail = |source| LedgerError { path: path.display().to_string(), source };
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fail)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut entries = HashMap::new();
        for line in text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let entry: Entry = serde_json::from_slice(line).map_err(|error| fail(error.into()))?;
            entries.insert(entry.key.clone(), entry);
        }
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(fail)?;
        Ok(Self { entries, file: Some(file) })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Adds an entry durably.
    pub(crate) fn add(&mut self, entry: Entry) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let mut line = serde_json::to_vec(&entry)?;
            line.push(b'\n');
            let end = file.stream_position()?;
            if let Err(error) = file.write_all(&line).and_then(|()| file.sync_data()) {
                // Half a line in the middle would spoil the ones after it.
                file.set_len(end)?;
                file.seek(SeekFrom::Start(end))?;
                return Err(error);
            }
        }
        self.entries.insert(entry.key.clone(), entry);
        Ok(())
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}
