//! Which code, and which gate: a pass holds while both are the same.
//!
//! **Invariant.** Equal prints mean equal files under equal names; times and places do not count.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::lab::{Lab, files_under};
use crate::place::Place;
use crate::render;

/// The prints of a learner's code and of the gate that it was checked by.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Fingerprints {
    pub(crate) code: String,
    pub(crate) gate: String,
}

impl Fingerprints {
    /// Of what lies in `work/` now. O(bytes).
    pub(crate) fn of(place: &Place, lab: &Lab) -> Result<Self> {
        let folder = place.work().join(&lab.name);
        let code =
            print(files_under(&folder.join("src"))?.into_iter().map(|path| (path.clone(), path)), &folder)?;
        let kit = files_under(&place.root.join("crates/gate/src"))?;
        let files =
            render::gate_files(lab)?.into_iter().chain(kit.into_iter().map(|path| (path.clone(), path)));
        // The lesson may be corrected without anything becoming stale.
        let files = files.filter(|(name, _)| name.extension().is_none_or(|extension| extension != "md"));
        Ok(Self { code, gate: print(files, &place.root)? })
    }
}

fn print(files: impl Iterator<Item = (PathBuf, PathBuf)>, folder: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for (name, path) in files {
        let bytes = fs::read(&path)?;
        let name = name.strip_prefix(folder).unwrap_or(&name).display().to_string();
        // With their lengths, so that nothing can move from a name into a file.
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (head, _) = digest.split_at(16);
    Ok(format!("{:032x}", head.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte))))
}
