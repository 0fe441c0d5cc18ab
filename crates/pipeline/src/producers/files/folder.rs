//! Which files of a folder are to be read.
//!
//! **Invariant.** A name is answered once for as long as it stays in the folder; what is remembered is no more than what
//! lies there.

use std::collections::BTreeSet;
use std::io::Result;
use std::path::{Path, PathBuf};

pub(super) struct Folder {
    path: PathBuf,
    known: BTreeSet<PathBuf>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, known: BTreeSet::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Names that were not there at the last look, in order.
    pub(super) fn new_files(&mut self) -> Result<Vec<PathBuf>> {
        let mut now = BTreeSet::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let unfinished = name.starts_with('.') || name.ends_with(".part") || name.ends_with(".tmp");
            // Follows links, as opening does.
            if !unfinished && entry.path().is_file() {
                now.insert(entry.path());
            }
        }
        let new = now.difference(&self.known).cloned().collect();
        self.known = now;
        Ok(new)
    }
}
