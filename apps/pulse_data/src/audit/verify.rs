//! Recomputing the chain.
//!
//! **Invariant.** Memory is flat: rows are read a page at a time. A row is named exactly if what the database holds is
//! not what was sealed; a neighbour of a changed row is not blamed for it.

use std::time::Duration;

use pulse_core::{Permission, Principal, Timestamp};

use super::AuditError;
use super::chain::{Hash, Head, ROOT, hex, link, unhex};
use super::seal::{fields, hashed, head};
use crate::{Backend, DbError, Repo, Sql as _};

/// Rows a page.
const PAGE: usize = 1_000;
/// Findings that are told in full.
const TOLD: usize = 1_000;

/// What to compare with.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// A head that was exported earlier: shows a chain that was cut off or rewritten as a whole.
    pub exported: Option<Head>,
    /// Committed rows that are older than this and not sealed are a finding; `None` means a minute.
    pub unsealed_limit: Option<Duration>,
}

/// One thing that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The row of this number was changed, or another row was put in its place.
    Changed {
        /// Its place in the chain.
        seal_no: i64,
    },
    /// The rows of these numbers are gone.
    Missing {
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
    /// The chain's end is not where its head says: rows at the end are gone, or were added past it.
    CutOff {
        /// Where the chain should end.
        head: i64,
        /// Where it does.
        last: i64,
    },
    /// The chain's head, in the database, is not the last row's hash.
    HeadChanged,
    /// The row of the exported head's number is not the one that was exported: the chain was rewritten.
    Rewritten {
        /// The exported head's number.
        seal_no: i64,
    },
    /// Committed rows wait too long for their seal: the sealer does not run.
    Unsealed {
        /// How many.
        rows: i64,
        /// Since when.
        since: Timestamp,
    },
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed { seal_no } => write!(f, "row {seal_no} is not what was sealed"),
            Self::Missing { from, to } if from == to => write!(f, "row {from} is missing"),
            Self::Missing { from, to } => write!(f, "rows {from} to {to} are missing"),
            Self::CutOff { head, last } => {
                write!(f, "the chain ends at row {last}; its head says row {head}")
            }
            Self::HeadChanged => f.write_str("the head's hash is not that of the last row"),
            Self::Rewritten { seal_no } => {
                write!(f, "row {seal_no} has another hash than the exported head: the chain was rewritten")
            }
            Self::Unsealed { rows, since } => {
                write!(f, "{rows} rows wait for their seal since {since}: does the sealer run?")
            }
        }
    }
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Sealed rows that were read.
    pub sealed: u64,
    /// Committed rows that are not sealed yet.
    pub unsealed: i64,
    /// The first findings, in the order of the chain.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more: u64,
    /// The chain's end, to be exported where the report is clean.
    pub head: Option<Head>,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }

    fn found(&mut self, finding: Finding) {
        if self.findings.len() < TOLD {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

/// The chain as far as it has been read.
struct Walk {
    last: i64,
    /// The hashes that the next row may follow: the last row's as stored and as computed. One of them is right
    /// unless both the row and its hash were changed. Empty behind a gap, where it can't be known.
    previous: Vec<Hash>,
    /// The last row's hash as it is stored.
    stored: Option<Hash>,
}

/// Recomputes the whole chain. O(rows); reads 1,000 at a time.
pub async fn verify(
    repo: &Repo,
    who: &Principal,
    now: Timestamp,
    options: &VerifyOptions,
) -> Result<Report, AuditError> {
    who.require(Permission::ReadAudit)?;
    let mut report = Report::default();
    // The head before the rows: what is sealed meanwhile lies behind it and is read too.
    let expected = head(repo).await?;
    let mut walk = Walk { last: 0, previous: vec![ROOT], stored: Some(ROOT) };
    let mut at_head = (expected.seal_no == 0).then_some(ROOT);
    let mut at_exported = None;
    // A number that is no integer (possible on SQLite) is as good as gone: its place is reported missing.
    let integer = match repo.backend() {
        Backend::Sqlite => "AND typeof(seal_no) = 'integer'",
        Backend::Postgres => "",
    };
    let columns = hashed(repo.backend());
    let hash = match repo.backend() {
        Backend::Sqlite => "CAST(hash AS BLOB)",
        Backend::Postgres => "convert_to(hash, 'UTF8')",
    };
    let sql = format!(
        "SELECT seal_no, {hash} AS stored, {columns} FROM audit_log WHERE seal_no > $1 {integer} \
         ORDER BY seal_no LIMIT {PAGE}"
    );
    // Below the first number there is nothing: a row that was moved there is found, too.
    let mut after = i64::MIN;
    loop {
        let rows = repo.reader().rows(&sql, vec![after.into()]).await?;
        for row in &rows {
            let seal_no: i64 = row.try_get("", "seal_no").map_err(DbError::from)?;
            let stored: Option<Vec<u8>> = row.try_get("", "stored").map_err(DbError::from)?;
            let stored = stored.as_deref().and_then(unhex);
            after = seal_no;
            step(&mut walk, &mut report, seal_no, stored, &fields(row)?);
            if seal_no == expected.seal_no {
                at_head = stored;
            }
            if options.exported.as_ref().is_some_and(|exported| exported.seal_no == seal_no) {
                at_exported = stored;
            }
        }
        if rows.len() < PAGE {
            break;
        }
    }
    ends(&mut report, &walk, &expected, at_head);
    if let Some(exported) = &options.exported {
        compare(&mut report, &walk, exported, at_exported);
    }
    tail(repo, &mut report, now, options.unsealed_limit.unwrap_or(Duration::from_mins(1))).await?;
    report.head = walk.stored.map(|hash| Head { seal_no: walk.last, hash: hex(&hash) });
    Ok(report)
}

fn step(
    walk: &mut Walk,
    report: &mut Report,
    seal_no: i64,
    stored: Option<Hash>,
    fields: &super::chain::Fields,
) {
    report.sealed += 1;
    if seal_no <= walk.last {
        // Numbers below 1: not ours.
        report.found(Finding::Changed { seal_no });
        return;
    }
    if seal_no > walk.last + 1 {
        report.found(Finding::Missing { from: walk.last + 1, to: seal_no - 1 });
        walk.previous.clear();
    }
    let computed: Vec<Hash> = walk.previous.iter().map(|previous| link(previous, seal_no, fields)).collect();
    let known = !computed.is_empty();
    let right = stored.is_some_and(|stored| computed.contains(&stored));
    if (known && !right) || stored.is_none() {
        report.found(Finding::Changed { seal_no });
    }
    walk.previous = match stored {
        Some(stored) if right => vec![stored],
        _ => {
            let mut candidates = computed;
            candidates.extend(stored);
            candidates.truncate(3);
            candidates
        }
    };
    walk.last = seal_no;
    walk.stored = stored;
}

fn ends(report: &mut Report, walk: &Walk, expected: &Head, at_head: Option<Hash>) {
    // Rows may have been sealed since the head was read, so the chain may end behind it, never before it.
    if walk.last < expected.seal_no {
        report.found(Finding::CutOff { head: expected.seal_no, last: walk.last });
    } else if at_head.map(|hash| hex(&hash)).as_deref() != Some(expected.hash.as_str()) {
        report.found(Finding::HeadChanged);
    }
}

fn compare(report: &mut Report, walk: &Walk, exported: &Head, found: Option<Hash>) {
    let found = if exported.seal_no == 0 { Some(ROOT) } else { found };
    match found {
        Some(hash) if hex(&hash) == exported.hash => {}
        None if walk.last < exported.seal_no => {
            let cut = Finding::CutOff { head: exported.seal_no, last: walk.last };
            if !report.findings.contains(&cut) {
                report.found(cut);
            }
        }
        _ => report.found(Finding::Rewritten { seal_no: exported.seal_no }),
    }
}

async fn tail(repo: &Repo, report: &mut Report, now: Timestamp, limit: Duration) -> Result<(), DbError> {
    const SQL: &str = "SELECT count(*) AS n, min(at) AS oldest FROM audit_log WHERE seal_no IS NULL";
    let Some(row) = repo.reader().row(SQL, vec![]).await? else { return Ok(()) };
    report.unsealed = row.try_get("", "n")?;
    let oldest: Option<i64> = row.try_get("", "oldest")?;
    if let Some(since) = oldest.map(Timestamp)
        && since.after(limit) < now
    {
        report.found(Finding::Unsealed { rows: report.unsealed, since });
    }
    Ok(())
}
