//! What a lab's source is rendered as.
//!
//! **Invariant.** All variants come from the one solution; none is kept anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::hole::Source;
use crate::lab::Lab;
use crate::mistake::Mistake;

/// One way to render the source.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Variant<'m> {
    /// As it stands.
    Solution,
    /// With empty holes.
    Skeleton,
    /// With a known mistake in it.
    Mistake(&'m Mistake),
    /// With holes that end the process as if all were well: the mistake that every lab has.
    Leaves,
}

/// Stands at the top of a skeleton's crates: a half-written lab is full of what is not used yet.
const SKELETON: &str = "#![allow(unused)]\n";

impl Variant<'_> {
    /// The files of `src/`, by their path from the lab's folder.
    pub(crate) fn sources(self, lab: &Lab) -> Result<BTreeMap<PathBuf, String>> {
        let files = lab.sources()?;
        if let Variant::Mistake(mistake) = self {
            let known = names(&files)?;
            if let Some(name) = mistake.bodies.keys().find(|name| !known.contains(*name)) {
                bail!("wrong/{}.rs fills the hole {name}, which {} does not have", mistake.name, lab.name);
            }
        }
        let render = |(path, text): (PathBuf, String)| {
            if path.extension().is_none_or(|extension| extension != "rs") {
                return Ok((path, text));
            }
            let source =
                Source::split(&text).with_context(|| format!("src of {}: {}", lab.name, path.display()))?;
            let rendered = match self {
                Self::Solution => text.clone(),
                Self::Skeleton => relaxed(&path, source.skeleton()),
                Self::Mistake(mistake) => source.with(&mistake.bodies),
                Self::Leaves => relaxed(&path, source.leaving()),
            };
            Ok((path, rendered))
        };
        files.into_iter().map(render).collect()
    }
}

/// All holes of a lab. A name that stands twice is an error: a mistake could not say which it means.
pub(crate) fn names(files: &BTreeMap<PathBuf, String>) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for (path, text) in files {
        let source = Source::split(text).with_context(|| path.display().to_string())?;
        for hole in source.holes() {
            if !names.insert(hole.name.to_owned()) {
                bail!("{}: there are two holes named {}", path.display(), hole.name);
            }
        }
    }
    Ok(names)
}

/// With the skeleton's line behind the `//!` lines of a crate's root.
fn relaxed(path: &Path, text: String) -> String {
    if path != Path::new("src/lib.rs") && path != Path::new("src/main.rs") {
        return text;
    }
    let head: usize =
        text.split_inclusive('\n').take_while(|line| line.starts_with("//!")).map(str::len).sum();
    let (head, rest) = text.split_at(head);
    format!("{head}\n{SKELETON}{rest}")
}
