//! What a gate needs running beside it.
//!
//! **Invariant.** A service that somebody names in the environment is used; one that is started here is the project's own
//! (`make db-up`), which the next check finds running.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::process::Command;

use crate::lab::Lab;
use crate::process;

/// A service, as `lab.toml` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    /// A PostgreSQL server in which databases may be created.
    Postgres,
}

impl Service {
    /// The variable through which tests learn where it is.
    fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "PULSE_TEST_PG",
        }
    }

    /// Starts it, if it does not run; answers where it is.
    async fn start(self, root: &Path) -> Result<String> {
        let mut command = Command::new("cargo");
        match self {
            Self::Postgres => command.args(["xtask", "db", "up"]),
        };
        let ended = process::run(command.current_dir(root), None, None).await?;
        if !ended.status.is_some_and(|status| status.success()) {
            bail!("it did not start:\n{}", ended.stderr.trim());
        }
        Ok(ended.stdout.trim().to_owned())
    }
}

/// The variables that a lab's tests find, its services running.
pub(crate) async fn environment(lab: &Lab) -> Result<Vec<(&'static str, String)>> {
    let root = lab.folder.ancestors().nth(2).unwrap_or(&lab.folder);
    let mut environment = Vec::new();
    for service in &lab.about.services {
        let variable = service.variable();
        if std::env::var_os(variable).is_none() {
            let address = service.start(root).await;
            let address = address
                .with_context(|| format!("{} needs {service:?}: try `cargo mastery doctor`", lab.name))?;
            environment.push((variable, address));
        }
    }
    Ok(environment)
}
