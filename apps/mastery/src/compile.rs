//! Building with cargo, and reading what it says.
//!
//! **Invariant.** A build never goes to the network, and never asks: what is missing is an error that says so.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::process::Command;

use crate::process::{self, Ended};
use crate::workspace::Workspace;

/// What came of a build.
#[derive(Debug, Default)]
pub(crate) struct Build {
    /// Test programs by name (`gate`, `budget`, `mine`).
    pub(crate) programs: BTreeMap<String, PathBuf>,
    /// What the compiler says of the lab's own code, as a terminal shows it.
    pub(crate) errors: Vec<String>,
    pub(crate) warnings: Vec<String>,
    /// What cargo said, if it could not even begin.
    pub(crate) refused: Option<String>,
}

impl Build {
    /// Whether there is something to run.
    pub(crate) fn is_green(&self) -> bool {
        self.errors.is_empty() && self.refused.is_none()
    }
}

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Line {
    CompilerMessage {
        message: Message,
        manifest_path: PathBuf,
    },
    CompilerArtifact {
        target: Target,
        executable: Option<PathBuf>,
        profile: Profile,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds these test programs of a rendered lab.
pub(crate) async fn build(workspace: &Workspace, lab: &str, tests: &[&str], colour: bool) -> Result<Build> {
    let mut cargo = cargo(workspace);
    cargo.args(["test", "--no-run", "--offline", "--quiet", "--package", lab]);
    cargo.arg(if colour {
        "--message-format=json-diagnostic-rendered-ansi"
    } else {
        "--message-format=json"
    });
    for test in tests {
        cargo.args(["--test", test]);
    }
    let Ended { stdout, stderr, status, .. } = process::run(&mut cargo, None, None).await?;
    let folder = workspace.lab(lab);
    let mut build = Build::default();
    for line in stdout.lines() {
        match serde_json::from_str(line).unwrap_or(Line::Other) {
            Line::CompilerMessage { message, manifest_path } if manifest_path.starts_with(&folder) => {
                let list = if message.level == "error" { &mut build.errors } else { &mut build.warnings };
                list.extend(message.rendered);
            }
            Line::CompilerArtifact { target, executable: Some(program), profile }
                if profile.test && target.kind == ["test"] =>
            {
                build.programs.insert(target.name, program);
            }
            _ => {}
        }
    }
    if build.errors.is_empty() && !status.is_some_and(|status| status.success()) {
        build.refused = Some(stderr);
    }
    Ok(build)
}

/// Cargo in a workspace, with nothing of this process's own build around it.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&workspace.folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_BIN_")
            || name.starts_with("CARGO_MANIFEST_");
        if ours {
            cargo.env_remove(name);
        }
    }
    if let (Some(target), None) = (&workspace.target, std::env::var_os("CARGO_TARGET_DIR")) {
        cargo.env("CARGO_TARGET_DIR", target);
    }
    cargo
}

/// The names of the tests that a program holds. None of them runs.
pub(crate) async fn list(program: &PathBuf) -> Result<Vec<String>> {
    let mut command = Command::new(program);
    command.args(["--list", "--format", "terse"]).stdin(Stdio::null());
    let ended = process::run(&mut command, None, None).await.context("its tests can't be listed")?;
    let names = ended.stdout.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(str::to_owned).collect())
}
