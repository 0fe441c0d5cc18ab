//! A lab's stages: builds, then those of its `lab.toml`, until the first red one.
//!
//! **Invariant.** A stage is green only if every one of its tests is; a later stage is not tried before.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::compile::{self, Build};
use crate::expected::{BUDGET, Expected, TestId};
use crate::lab::Lab;
use crate::service;
use crate::trial::{self, Terms, Verdict};
use crate::workspace::Workspace;

/// One stage's tests with their verdicts, in their order.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) tests: Vec<(Expected, Verdict)>,
}

impl Stage {
    pub(crate) fn green(&self) -> usize {
        self.tests.iter().filter(|(_, verdict)| verdict.is_green()).count()
    }

    pub(crate) fn is_green(&self) -> bool {
        self.green() == self.tests.len()
    }
}

/// A rendered lab that has been built.
#[derive(Debug)]
pub(crate) struct Built<'l> {
    lab: &'l Lab,
    folder: PathBuf,
    /// Where the services are that its gate needs.
    environment: Vec<(&'static str, String)>,
    pub(crate) build: Build,
}

impl<'l> Built<'l> {
    /// Builds the programs of the gate: that of the budgets only if it is wanted, or all are (`None`).
    pub(crate) async fn new(
        lab: &'l Lab,
        workspace: &Workspace,
        stage: Option<&str>,
        colour: bool,
    ) -> Result<Self> {
        let has_budget = lab.about.stages.iter().any(|stage| stage == BUDGET);
        let wanted = has_budget && stage.is_none_or(|stage| stage == BUDGET);
        let programs: &[&str] = if wanted { &["gate", BUDGET] } else { &["gate"] };
        let build = compile::build(workspace, &lab.name, programs, colour).await?;
        let environment = service::environment(lab).await?;
        Ok(Self { lab, folder: workspace.lab(&lab.name), environment, build })
    }

    /// Where a test is.
    pub(crate) fn program(&self, id: &TestId) -> Option<PathBuf> {
        self.build.programs.get(id.target().0).cloned()
    }

    /// The conditions of a trial with this seed.
    pub(crate) fn terms(&self, seed: u64) -> Terms {
        let patience = Duration::from_secs(self.lab.about.seconds);
        Terms { folder: self.folder.clone(), environment: self.environment.clone(), seed, patience }
    }

    /// Tries these tests.
    pub(crate) async fn trials(&self, tests: &[Expected], seed: u64) -> Result<Vec<Verdict>> {
        trial::all(tests, |id| self.program(id), &self.terms(seed)).await
    }

    /// Tries these tests until one is not green; that one's verdict.
    pub(crate) async fn first_red(&self, tests: &[Expected], seed: u64) -> Result<Option<Verdict>> {
        trial::first_red(tests, |id| self.program(id), &self.terms(seed)).await
    }

    /// Tries the stages in their order; `told` hears of each when it has ended.
    pub(crate) async fn stages(
        &self,
        tests: &[Expected],
        seed: u64,
        mut told: impl FnMut(&Stage),
    ) -> Result<Vec<Stage>> {
        let mut stages = Vec::new();
        for name in &self.lab.about.stages {
            let own: Vec<_> = tests.iter().filter(|test| test.id.stage == *name).cloned().collect();
            if own.is_empty() {
                continue;
            }
            let verdicts = self.trials(&own, seed).await?;
            let stage = Stage { name: name.clone(), tests: own.into_iter().zip(verdicts).collect() };
            told(&stage);
            let is_green = stage.is_green();
            stages.push(stage);
            if !is_green {
                break;
            }
        }
        Ok(stages)
    }
}
