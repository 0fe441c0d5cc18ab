//! Labs, as their folders describe them.
//!
//! **Invariant.** What a command knows of a lab it has read from the lab's folder: there is no list of labs anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::expected::{self, Expected};
use crate::mistake::Mistake;
use crate::service::Service;

/// A lab's `lab.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) milestone: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    pub(crate) teaches: Vec<String>,
    /// Where the idea is in production.
    pub(crate) pulse: Vec<String>,
    /// In the order in which they are checked.
    pub(crate) stages: Vec<String>,
    /// What its gate needs running.
    #[serde(default)]
    pub(crate) services: Vec<Service>,
    /// A test that takes longer hangs.
    #[serde(default = "patience")]
    pub(crate) seconds: u64,
    #[serde(default)]
    pub(crate) budgets: BTreeMap<String, f64>,
}

fn patience() -> u64 {
    20
}

/// One lab.
#[derive(Debug)]
pub(crate) struct Lab {
    /// Its package's name.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) about: About,
}

impl Lab {
    /// All labs under `apps/`, by milestone.
    pub(crate) fn all(root: &Path) -> Result<Vec<Self>> {
        let apps = root.join("apps");
        let mut labs = Vec::new();
        for entry in fs::read_dir(&apps).with_context(|| format!("{} can't be read", apps.display()))? {
            let folder = entry?.path();
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("labs_") && folder.join("lab.toml").is_file() {
                labs.push(Self { about: About::read(&folder.join("lab.toml"))?, name, folder });
            }
        }
        let place =
            |lab: &Self| lab.about.milestone.trim_start_matches('M').parse::<u32>().unwrap_or(u32::MAX);
        labs.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.name.cmp(&b.name)));
        Ok(labs)
    }

    /// The one that is meant: by its name, with or without `labs_`, or by its milestone.
    pub(crate) fn find(root: &Path, meant: &str) -> Result<Self> {
        let mut labs = Self::all(root)?;
        let meant = meant.trim_end_matches('/').rsplit('/').next().unwrap_or(meant);
        let fits = |lab: &Self| {
            lab.name == meant
                || lab.name.strip_prefix("labs_") == Some(meant)
                || lab.about.milestone.eq_ignore_ascii_case(meant)
        };
        let found: Vec<usize> = (0..labs.len()).filter(|at| fits(&labs[*at])).collect();
        match found[..] {
            [only] => Ok(labs.swap_remove(only)),
            [] => {
                // What all names begin with says nothing of how near they are.
                let own = |name: &str| name.strip_prefix("labs_").unwrap_or(name).to_owned();
                let near = |lab: &Self| strsim::jaro_winkler(&own(&lab.name), &own(meant));
                match labs.iter().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|lab| near(lab) > 0.8) {
                    Some(lab) => bail!("there is no lab '{meant}'; do you mean {}?", lab.name),
                    None => bail!("there is no lab '{meant}'; `cargo mastery` shows all"),
                }
            }
            _ => {
                let names: Vec<_> = found.iter().map(|at| labs[*at].name.as_str()).collect();
                bail!("{meant} is {}: say which", names.join(" and "))
            }
        }
    }

    /// The files under `src/`, by their path from the lab's folder.
    pub(crate) fn sources(&self) -> Result<BTreeMap<PathBuf, String>> {
        let mut files = BTreeMap::new();
        for path in files_under(&self.folder.join("src"))? {
            let text =
                fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
            files.insert(path.strip_prefix(&self.folder)?.to_path_buf(), text);
        }
        Ok(files)
    }

    /// The tests that its gate must pass, stage by stage.
    pub(crate) fn expected(&self) -> Result<Vec<Expected>> {
        expected::all(&self.folder.join("tests"), &self.about.stages)
    }

    /// Its known mistakes, by name.
    pub(crate) fn mistakes(&self) -> Result<Vec<Mistake>> {
        let mut mistakes = Vec::new();
        for path in files_under(&self.folder.join("wrong"))? {
            let text = fs::read_to_string(&path)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let read = Mistake::read(name, &text);
            mistakes.push(read.with_context(|| format!("{} is no known mistake", path.display()))?);
        }
        Ok(mistakes)
    }
}

impl About {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} does not describe a lab", path.display()))
    }
}

/// All files under a folder, in the order of their paths; none if it is not there.
pub(crate) fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}
