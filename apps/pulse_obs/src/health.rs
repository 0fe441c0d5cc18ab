//! Whether the process lives, and whether it may be sent work.
//!
//! **Invariant.** Ready means: started, not draining, and every named check passed within its time. A check that
//! hangs counts as failed; it can't hang the answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// What a check found: `Ok`, or what is wrong in one line.
pub type CheckResult = Result<(), String>;

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = CheckResult> + Send>> + Send + Sync>;

/// How long one check may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the process stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Not everything is up yet.
    Starting,
    /// Takes work, as far as its checks pass.
    Serving,
    /// Finishes what it has and takes nothing new.
    Draining,
}

/// The process's phase and its named checks; a cheap handle.
#[derive(Clone)]
pub struct Health {
    inner: Arc<Inner>,
}

struct Inner {
    phase: AtomicU8,
    checks: Mutex<Vec<(&'static str, Check)>>,
}

/// One check's outcome in a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Outcome {
    name: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    ready: bool,
    phase: Phase,
    checks: Vec<Outcome>,
}

impl Report {
    /// Whether work may be sent here.
    pub const fn ready(&self) -> bool {
        self.ready
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// Starting, without checks.
    pub fn new() -> Self {
        Self { inner: Arc::new(Inner { phase: AtomicU8::new(0), checks: Mutex::default() }) }
    }

    /// Adds a named check; all of them run at each report.
    pub fn check<F, Fut>(&self, name: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CheckResult> + Send + 'static,
    {
        let check: Check = Arc::new(move || Box::pin(check()));
        self.inner.checks.lock().unwrap_or_else(PoisonError::into_inner).push((name, check));
    }

    /// Everything is up.
    pub fn serving(&self) {
        // A drain that began during the start stays a drain.
        let _ = self.inner.phase.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The end has begun; there is no way back.
    pub fn draining(&self) {
        self.inner.phase.store(2, Ordering::Relaxed);
    }

    /// Where the process stands.
    pub fn phase(&self) -> Phase {
        match self.inner.phase.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Draining,
        }
    }

    /// Runs every check side by side, each with a limit of two seconds.
    pub async fn report(&self) -> Report {
        let checks = self.inner.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut running = Vec::with_capacity(checks.len());
        for (name, check) in checks {
            running.push((name, tokio::spawn(tokio::time::timeout(PATIENCE, check()))));
        }
        let mut outcomes = Vec::with_capacity(running.len());
        for (name, task) in running {
            let detail = match task.await {
                Ok(Ok(Ok(()))) => None,
                Ok(Ok(Err(wrong))) => Some(wrong),
                Ok(Err(_elapsed)) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
                Err(_panicked) => Some("the check itself failed".to_owned()),
            };
            outcomes.push(Outcome { name, ok: detail.is_none(), detail });
        }
        let phase = self.phase();
        let ready = phase == Phase::Serving && outcomes.iter().all(|outcome| outcome.ok);
        Report { ready, phase, checks: outcomes }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("phase", &self.phase()).finish_non_exhaustive()
    }
}
