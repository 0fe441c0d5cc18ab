//! Where everything is.
//!
//! **Invariant.** The project is found from the folder in which the command is run, so that a copy of it works as it
//! does; the learner's folder is always `work/` in it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The project's folders.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Where the project's `Cargo.toml` and `apps/` are.
    pub(crate) root: PathBuf,
    /// Where the command was run.
    here: PathBuf,
}

impl Place {
    /// From a folder somewhere in the project, `work/` included.
    pub(crate) fn find(here: &Path) -> Result<Self> {
        let is_root = |folder: &&Path| folder.join("apps").is_dir() && folder.join("Cargo.toml").is_file();
        match here.ancestors().find(is_root) {
            Some(root) => Ok(Self { root: root.to_path_buf(), here: here.to_path_buf() }),
            None => bail!("{} is in no checkout of the project: change into one", here.display()),
        }
    }

    /// The learner's workspace.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// The learner's log.
    pub(crate) fn log(&self) -> PathBuf {
        self.work().join("log.jsonl")
    }

    /// Where variants are rendered to be proven.
    pub(crate) fn proving(&self) -> PathBuf {
        self.root.join("target/prove")
    }

    /// The lab in whose folder the command was run, if so: `work/LAB` or `apps/LAB`.
    pub(crate) fn lab_here(&self) -> Option<String> {
        let mut parts = self.here.strip_prefix(&self.root).ok()?.components();
        let (_, lab) = (parts.next()?, parts.next()?);
        let lab = lab.as_os_str().to_string_lossy().into_owned();
        lab.starts_with("labs_").then_some(lab)
    }

    /// A path as it is shown: from the folder in which the command was run, if it is below.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.here).unwrap_or(path).display().to_string()
    }
}
