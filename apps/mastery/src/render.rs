//! Lays a lab out in a workspace: its source as a variant, and its gate as it is.
//!
//! **Invariant.** What belongs to the gate is the same after each call, whatever was done to it: a file too many is
//! removed, an edited one is written anew. The learner's `src/` and `tests/mine.rs` are never touched by it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::lab::{Lab, files_under};
use crate::variant::Variant;
use crate::workspace::write;

/// Writes the source as a variant, and removes what else is in `src/`.
pub(crate) fn source(lab: &Lab, variant: Variant<'_>, folder: &Path) -> Result<()> {
    let files = variant.sources(lab)?;
    for path in files_under(&folder.join("src"))? {
        if !files.contains_key(path.strip_prefix(folder)?) {
            fs::remove_file(&path)?;
        }
    }
    for (path, text) in files {
        write(&folder.join(path), &text)?;
    }
    Ok(())
}

/// Writes the manifest, the gate and what else the lab's folder holds for a build. Answers what was there and is another now:
/// it was edited, or the project has a newer one.
pub(crate) fn gate(lab: &Lab, folder: &Path) -> Result<Vec<PathBuf>> {
    let build = folder.join("build.rs");
    if build.is_file() && !lab.folder.join("build.rs").is_file() {
        bail!("{} is refused: a lab has no build script; take it out", build.display());
    }
    let ours = gate_files(lab)?;
    for path in
        files_under(&folder.join("tests/gate"))?.into_iter().chain(files_under(&folder.join(".cargo"))?)
    {
        if !ours.iter().any(|(name, _)| folder.join(name) == path) {
            fs::remove_file(&path).with_context(|| format!("{} can't be removed", path.display()))?;
        }
    }
    let mut renewed = Vec::new();
    for (name, path) in ours {
        let bytes = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let to = folder.join(&name);
        match fs::read(&to) {
            Ok(now) if now == bytes => continue,
            Ok(_) => renewed.push(name),
            Err(_) => {}
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&to, bytes).with_context(|| format!("{} can't be written", to.display()))?;
    }
    Ok(renewed)
}

/// What a lab brings besides its source: the name in its folder, and where it is. Not what gives its solution away, and
/// not the tests that are no gate.
pub(crate) fn gate_files(lab: &Lab) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut files = Vec::new();
    for path in files_under(&lab.folder)? {
        let name = path.strip_prefix(&lab.folder)?.to_path_buf();
        let first = name.components().next().map(|part| part.as_os_str().to_owned()).unwrap_or_default();
        let mut hidden = ["src", "wrong", "target", "hints.md", "mutants.toml"].iter();
        let is_test = first == "tests";
        let is_gate = name.starts_with("tests/gate") || name == Path::new("tests/budget.rs");
        if !hidden.any(|hidden| first == *hidden) && (!is_test || is_gate) {
            files.push((name, path));
        }
    }
    Ok(files)
}
