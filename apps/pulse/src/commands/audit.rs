//! `pulse audit`: checks the audit trail, exports its end.
//!
//! **Invariant.** `verify` succeeds only where every sealed row is what was sealed, none is missing, an exported head
//! is still reached, and nothing waits too long for its seal.

use std::time::Duration;

use pulse_core::ports::Clock as _;
use pulse_data::audit::{self, AuditError, Head, VerifyOptions};
use pulse_data::{Repo, SystemClock};

use crate::cli::Audit;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::shop::{self, OPERATOR};

pub(super) async fn run(config: &Config, action: Audit) -> Result<(), Failure> {
    let repo = shop::open_migrated(config, false).await?;
    let result = match action {
        Audit::Verify { head } => verify(config, &repo, head.as_deref()).await,
        Audit::Head { file } => head(&repo, file.as_deref()).await,
    };
    repo.close().await;
    result
}

async fn verify(config: &Config, repo: &Repo, exported: Option<&std::path::Path>) -> Result<(), Failure> {
    let exported = exported
        .map(Head::read_from)
        .transpose()
        .map_err(|error| Failure::failed(format!("{error}: name a file that `pulse audit head` wrote")))?;
    let options = VerifyOptions {
        exported,
        unsealed_limit: Some(Duration::from_secs(config.audit.unsealed_limit_seconds)),
    };
    let report = audit::verify(repo, &OPERATOR, SystemClock.now(), &options).await.map_err(failure)?;
    for finding in &report.findings {
        output::line(finding.to_string())?;
    }
    if report.more > 0 {
        output::line(format!("and {} more", report.more))?;
    }
    if !report.is_whole() {
        let found = report.findings.len() as u64 + report.more;
        return Err(Failure::failed(format!(
            "the audit trail is not whole: {found} finding(s), see the lines above"
        )));
    }
    output::line(format!("whole: {} rows sealed, {} not sealed yet", report.sealed, report.unsealed))
}

async fn head(repo: &Repo, file: Option<&std::path::Path>) -> Result<(), Failure> {
    let head = audit::head(repo).await.map_err(|error| shop::db_failure(&error))?;
    match file {
        Some(file) => {
            head.write_to(file).map_err(|error| Failure::new(Exit::CantCreate, error.to_string()))?;
            output::line(format!("wrote row {}'s hash to {}", head.seal_no, file.display()))
        }
        None => output::line(serde_json::json!({ "seal_no": head.seal_no, "hash": head.hash }).to_string()),
    }
}

fn failure(error: AuditError) -> Failure {
    match error {
        AuditError::Forbidden(error) => Failure::failed(error.to_string()),
        AuditError::Db(error) => shop::db_failure(&error),
    }
}
