//! A workspace of its own around rendered labs: `work/`, and the one in which variants are proven.
//!
//! **Invariant.** It has the project's dependencies at the project's versions, and needs no network. Its manifest and
//! settings are written anew before each check: what was edited there is gone.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

use crate::place::Place;

/// A workspace's folder.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) folder: PathBuf,
    /// Where cargo builds; `None` for the workspace's own `target/`.
    pub(crate) target: Option<PathBuf>,
    /// Where labs are in it. Cargo knows a package by its place in its workspace: two workspaces that build into one folder must
    /// not have it at the same place.
    labs: &'static str,
}

impl Workspace {
    /// The learner's.
    pub(crate) fn work(place: &Place) -> Self {
        Self { folder: place.work(), target: None, labs: "" }
    }

    /// The prover's of one lab. It builds where the project does: the dependencies are there already.
    pub(crate) fn proving(place: &Place, lab: &str) -> Self {
        Self { folder: place.proving().join(lab), target: Some(place.root.join("target")), labs: "proving" }
    }

    /// The hunters': hidden where the learner's builds are.
    pub(crate) fn hunting(place: &Place) -> Self {
        let target = place.work().join("target");
        Self { folder: target.join("hunt"), target: Some(target), labs: "hunting" }
    }

    /// Writes what belongs to the workspace as a whole. O(labs).
    pub(crate) fn render(&self, place: &Place) -> Result<()> {
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("{} can't be made", self.folder.display()))?;
        let manifest = fs::read_to_string(place.root.join("Cargo.toml"))?;
        let own = manifest_of(&manifest, &place.root, self.labs).context("the project's Cargo.toml")?;
        write(&self.folder.join("Cargo.toml"), &own)?;
        self.lock(place)?;
        let settings = self.folder.join(".cargo");
        if settings.is_dir() {
            for entry in fs::read_dir(&settings)? {
                let path = entry?.path();
                if path.file_name().is_none_or(|name| name != "config.toml") {
                    fs::remove_file(&path).with_context(|| format!("{} can't be removed", path.display()))?;
                }
            }
        }
        write(&settings.join("config.toml"), &settings_of(&place.root))?;
        // The project's toolchain, or none: also under the name that it had once.
        let toolchain = "rust-toolchain.toml";
        match fs::read_to_string(place.root.join(toolchain)) {
            Ok(text) => write(&self.folder.join(toolchain), &text)?,
            Err(_) => gone(&self.folder.join(toolchain))?,
        }
        gone(&self.folder.join("rust-toolchain"))?;
        Ok(())
    }

    /// Takes away labs that were rendered before, so that there is one at a time.
    pub(crate) fn clear(&self) -> Result<()> {
        let labs = self.folder.join(self.labs);
        if self.labs.is_empty() || !labs.is_dir() {
            return Ok(());
        }
        fs::remove_dir_all(&labs).with_context(|| format!("{} can't be removed", labs.display()))
    }

    /// The project's lock file, whenever it has changed; cargo adds the labs to its copy by itself.
    fn lock(&self, place: &Place) -> Result<()> {
        let (theirs, ours) = (place.root.join("Cargo.lock"), self.folder.join("Cargo.lock"));
        let lock =
            fs::read_to_string(&theirs).context("the project has no Cargo.lock: run `cargo build` once")?;
        if !ours.is_file() || newer(&theirs, &ours) {
            write(&ours, &lock)?;
        }
        Ok(())
    }

    /// Where a lab is rendered.
    pub(crate) fn lab(&self, name: &str) -> PathBuf {
        self.folder.join(self.labs).join(name)
    }

    /// Waits until nobody else uses it, and keeps it until the answer is dropped.
    pub(crate) fn turn(&self) -> Result<File> {
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("{} can't be made", self.folder.display()))?;
        let turn = File::create(self.folder.join(".turn"))?;
        turn.lock().with_context(|| format!("{} can't be locked", self.folder.display()))?;
        Ok(turn)
    }
}

fn gone(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be removed", path.display()))
        }
        _ => Ok(()),
    }
}

fn newer(this: &Path, that: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    changed(this) > changed(that)
}

/// The project's manifest, for a workspace below it that holds labs.
fn manifest_of(project: &str, root: &Path, labs: &str) -> Result<String> {
    let mut manifest: Table = toml::from_str(project)?;
    let Some(Value::Table(workspace)) = manifest.get_mut("workspace") else { bail!("it is no workspace") };
    let members = Path::new(labs).join("labs_*").display().to_string();
    workspace.insert("members".to_owned(), Value::Array(vec![Value::String(members)]));
    workspace.remove("default-members");
    workspace.remove("exclude");
    if let Some(Value::Table(dependencies)) = workspace.get_mut("dependencies") {
        for dependency in dependencies.iter_mut().map(|(_, value)| value) {
            if let Some(Value::String(path)) = dependency.get_mut("path") {
                *path = root.join(&*path).display().to_string();
            }
        }
    }
    Ok(format!("# Written by `cargo mastery` before each check.\n{}", toml::to_string(&manifest)?))
}

/// So that `cargo mastery` is at hand here, too. A string, as the project's own alias is one: cargo would join lists.
/// Cargo splits it at spaces, and knows no quotes: below a folder with a space in its name there is no alias.
fn settings_of(root: &Path) -> String {
    let head = "# Written by `cargo mastery` before each check.\n";
    let (manifest, target) = (root.join("Cargo.toml"), root.join("target"));
    let (manifest, target) = (manifest.display().to_string(), target.display().to_string());
    if manifest.contains(char::is_whitespace) {
        return head.to_owned();
    }
    let alias = format!(
        "run --quiet --offline --manifest-path {manifest} --target-dir {target} --package mastery --"
    );
    format!("{head}[alias]\nmastery = {}\n", Value::String(alias))
}

/// Writes a file, and the folders to it, unless it says that already: cargo builds anew what is newer.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|now| now == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("{} can't be written", path.display()))
}
