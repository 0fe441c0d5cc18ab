//! The configuration: defaults, then `pulse.toml`, then the environment, then `--set`.
//!
//! **Invariant.** Every key is in [`keys::KEYS`]; one that is not is refused with the nearest that is. A value that
//! does not fit is refused with its key, its value, where it came from, and what would fit. Secrets are never shown.

mod effects;
mod keys;
mod sources;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use pulse_ingest::feed::{BatchRows, StreamAddress};
use pulse_obs::LogFormat;
use serde::{Deserialize, Serialize};

pub(crate) use effects::{Gateway, Mail, SmtpTls, Watch, Webhooks};
pub(crate) use sources::{Loaded, load};

/// Everything that can be configured. Each field is described in the table of keys (`config::keys`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    pub(crate) server: Server,
    pub(crate) fleet: Fleet,
    pub(crate) jobs: Jobs,
    pub(crate) ingest: Ingest,
    pub(crate) mail: Mail,
    pub(crate) webhooks: Webhooks,
    pub(crate) watch: Watch,
    pub(crate) gateway: Gateway,
    pub(crate) audit: Audit,
    pub(crate) log: Log,
    pub(crate) otlp: Otlp,
}

/// Where the truth is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    pub(crate) url: Option<String>,
    pub(crate) connections: u32,
    pub(crate) synchronous: Synchronous,
}

/// When SQLite lets a commit count as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Synchronous {
    Full,
    Normal,
}

/// The listeners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) ops_listen: SocketAddr,
    pub(crate) public_url: Option<String>,
    pub(crate) secrets_file: Option<PathBuf>,
    pub(crate) drain_seconds: u64,
    pub(crate) requests_per_second: NonZeroU32,
    pub(crate) proxies: usize,
}

/// Carts in memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fleet {
    pub(crate) max_awake: usize,
    pub(crate) idle_seconds: u64,
}

/// Background jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jobs {
    pub(crate) concurrency: usize,
}

/// Feeds that arrive while the shop runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ingest {
    pub(crate) folder: Option<PathBuf>,
    pub(crate) stream: Option<String>,
    pub(crate) keep_days: u64,
    pub(crate) batch_rows: Option<usize>,
}

/// The audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audit {
    pub(crate) seal_seconds: u64,
    pub(crate) unsealed_limit_seconds: u64,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) filter: String,
    pub(crate) format: LogFormat,
}

/// Export of spans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Otlp {
    pub(crate) endpoint: Option<String>,
    pub(crate) sample_ratio: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(".data"),
            database: Database { url: None, connections: 8, synchronous: Synchronous::Full },
            server: Server {
                listen: SocketAddr::from(([127, 0, 0, 1], 4000)),
                ops_listen: SocketAddr::from(([127, 0, 0, 1], 4001)),
                public_url: None,
                secrets_file: None,
                drain_seconds: 15,
                requests_per_second: NonZeroU32::MIN.saturating_add(99),
                proxies: 0,
            },
            fleet: Fleet { max_awake: 100_000, idle_seconds: 900 },
            jobs: Jobs { concurrency: 10 },
            ingest: Ingest { folder: None, stream: None, keep_days: 90, batch_rows: None },
            mail: Mail::default(),
            webhooks: Webhooks::default(),
            watch: Watch::default(),
            gateway: Gateway::default(),
            audit: Audit { seal_seconds: 1, unsealed_limit_seconds: 300 },
            log: Log { filter: "info".to_owned(), format: LogFormat::Auto },
            otlp: Otlp { endpoint: None, sample_ratio: 0.1 },
        }
    }
}

impl Config {
    /// The database's address: as configured, or the file in the data folder.
    pub(crate) fn database_url(&self) -> String {
        self.database
            .url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.data_dir.join("pulse.db").display()))
    }

    /// Where the secrets are that sign open pages.
    pub(crate) fn secrets_file(&self) -> PathBuf {
        self.server.secrets_file.clone().unwrap_or_else(|| self.data_dir.join("secrets"))
    }

    /// Where mails are left.
    pub(crate) fn mail_dir(&self) -> PathBuf {
        self.mail.dir.clone().unwrap_or_else(|| self.data_dir.join("mail"))
    }

    /// The first thing that is wrong with a value that has the right type: its key, and what would fit.
    fn objection(&self) -> Option<(&'static str, &'static str)> {
        let database = self.database.url.as_deref().is_none_or(|url| {
            ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme))
        });
        let web = |url: &Option<String>| {
            url.as_deref().is_none_or(|url| url.starts_with("http://") || url.starts_with("https://"))
        };
        let rules = [
            (database, "database.url", "it begins with neither sqlite:// nor postgres://"),
            (self.database.connections >= 1, "database.connections", "at least one is needed"),
            (
                web(&self.server.public_url),
                "server.public_url",
                "it begins with neither http:// nor https://",
            ),
            (self.fleet.max_awake >= 1, "fleet.max_awake", "at least one is needed"),
            (self.fleet.idle_seconds >= 1, "fleet.idle_seconds", "at least one is needed"),
            (self.jobs.concurrency >= 1, "jobs.concurrency", "at least one is needed"),
            (
                self.ingest.stream.as_deref().is_none_or(|stream| stream.parse::<StreamAddress>().is_ok()),
                "ingest.stream",
                "it is no address of a stream",
            ),
            (
                self.ingest.batch_rows.is_none_or(|rows| BatchRows::new(rows).is_some()),
                "ingest.batch_rows",
                "fewer are not worth their audit row, more hold the database for too long",
            ),
            (self.audit.seal_seconds >= 1, "audit.seal_seconds", "at least one is needed"),
            (web(&self.otlp.endpoint), "otlp.endpoint", "it begins with neither http:// nor https://"),
            ((0.0..=1.0).contains(&self.otlp.sample_ratio), "otlp.sample_ratio", "it is not between 0 and 1"),
        ];
        let mut rules = rules
            .into_iter()
            .chain(self.mail.rules())
            .chain(self.webhooks.rules())
            .chain(self.watch.rules())
            .chain(self.gateway.rules());
        rules.find(|(holds, ..)| !holds).map(|(_, key, wrong)| (key, wrong))
    }
}
