//! `pulse doctor`: looks at the machine and the database, one line a check.
//!
//! **Invariant.** It changes nothing but a probe file that it removes again, needs nothing installed, and names the
//! cure of everything that it finds wrong.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pulse_core::ports::Clock;
use pulse_data::migrations::Migrator;
use pulse_data::{Backend, Repo, SystemClock};

use crate::config::Config;
use crate::failure::Failure;
use crate::{effects, output, shop};

/// What a check found.
enum Finding {
    Good(String),
    /// For information: neither good nor bad.
    Note(String),
    /// What is wrong, and what to do.
    Wrong(String, String),
}

use Finding::{Good, Note, Wrong};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let mut wrong = 0;
    let mut tell = |name: &str, finding: Finding| {
        let line = match finding {
            Good(what) => format!("ok     {name:<12} {what}"),
            Note(what) => format!("note   {name:<12} {what}"),
            Wrong(what, cure) => {
                wrong += 1;
                format!("WRONG  {name:<12} {what}; {cure}")
            }
        };
        output::line(line.split_whitespace().next().map_or_else(String::new, |_| line.clone()))
    };
    tell("version", Good(format!("pulse {} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH)))?;
    tell("data folder", data_folder(&config.data_dir))?;
    tell("disk", disk(&config.data_dir))?;
    match shop::open(config).await {
        Ok(repo) => {
            tell(
                "database",
                Good(format!("{} at {}", kind(&repo), pulse_obs::redact::url(&config.database_url()))),
            )?;
            tell("schema", schema(&repo).await)?;
            repo.close().await;
        }
        Err(failure) => {
            tell("database", Wrong(failure.to_string(), "then run `pulse doctor` again".to_owned()))?;
        }
    }
    tell("port", port(config.server.listen, "server.listen"))?;
    tell("ops port", port(config.server.ops_listen, "server.ops_listen"))?;
    tell("mail", mail(config).await)?;
    tell("schedule", schedule(config))?;
    tell("clock", clock())?;
    tell("open files", open_files())?;
    tell("PostgreSQL", postgres_programs())?;
    match wrong {
        0 => Ok(()),
        n => Err(Failure::failed(format!("{n} check(s) found something wrong: see the lines above"))),
    }
}

fn kind(repo: &Repo) -> &'static str {
    super::backup::named(repo.backend())
}

async fn schema(repo: &Repo) -> Finding {
    match Migrator::status(repo).await {
        Err(error) => Wrong(error.to_string(), "see `pulse migrate status`".to_owned()),
        Ok(all) => {
            let missing = all.iter().filter(|status| !status.applied).count();
            match (missing, repo.backend()) {
                (0, _) => Good(format!("all {} migrations are applied", all.len())),
                (n, Backend::Sqlite) => {
                    Note(format!("{n} of {} migrations are missing: `pulse serve` applies them", all.len()))
                }
                (n, Backend::Postgres) => Wrong(
                    format!("{n} of {} migrations are missing", all.len()),
                    "run `pulse migrate up`".to_owned(),
                ),
            }
        }
    }
}

fn data_folder(folder: &Path) -> Finding {
    let shown = folder.display();
    let probe = folder.join(format!(".pulse-doctor-{}", std::process::id()));
    let made = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&probe, b"probe"));
    let _ = std::fs::remove_file(&probe);
    match made {
        Ok(()) => Good(format!("{shown} can be written")),
        Err(error) => Wrong(
            format!("{shown} can't be written ({error})"),
            "allow it, or set data_dir to another folder".to_owned(),
        ),
    }
}

fn disk(folder: &Path) -> Finding {
    const LEAST: u64 = 512 * 1024 * 1024;
    let shown = folder.display();
    match rustix::fs::statvfs(folder) {
        Err(error) => Note(format!("the free space of {shown} can't be read ({error})")),
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let mebibytes = free / (1024 * 1024);
            if free < LEAST {
                Wrong(format!("only {mebibytes} MiB are free in {shown}"), "free at least 512 MiB".to_owned())
            } else {
                Good(format!("{mebibytes} MiB are free in {shown}"))
            }
        }
    }
}

fn port(address: SocketAddr, key: &str) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Good(format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Wrong(
            format!("{address} is in use"),
            format!("stop what listens there (a running shop?), or set {key}"),
        ),
        Err(error) => {
            Wrong(format!("{address} can't be listened on ({error})"), format!("set {key} to another"))
        }
    }
}

fn schedule(config: &Config) -> Finding {
    match effects::schedule(config) {
        Ok(_) => Good(format!("all times can be read, by the clock of {}", config.watch.time_zone)),
        Err(failure) => Wrong(failure.to_string(), "put that key right".to_owned()),
    }
}

async fn mail(config: &Config) -> Finding {
    let Some(host) = &config.mail.smtp_host else {
        return Note(format!("mails are left as files in {}", config.mail_dir().display()));
    };
    let named = format!("{host}:{}", config.mail.smtp_port);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match effects::smtp(config, &clock) {
        Ok(Some(mailer)) => match mailer.check().await {
            Ok(()) => Good(format!("{named} takes mails")),
            Err(error) => {
                Wrong(format!("{named}: {error}"), "see the keys of mail.smtp in `pulse config`".to_owned())
            }
        },
        Ok(None) => Note("no mail server is configured".to_owned()),
        Err(failure) => Wrong(failure.to_string(), "see the keys of mail in `pulse config`".to_owned()),
    }
}

fn clock() -> Finding {
    // 2025-01-01: no build of this program is older.
    const EARLIEST: u64 = 1_735_689_600;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = pulse_core::Timestamp(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX));
    if seconds < EARLIEST {
        Wrong(format!("it is {now}, before this program was built"), "set the clock (NTP)".to_owned())
    } else {
        Good(format!("it is {now}"))
    }
}

fn open_files() -> Finding {
    const LEAST: u64 = 1024;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        None => Good("no limit".to_owned()),
        Some(limit) if limit < LEAST => {
            Wrong(format!("at most {limit} may be open"), "raise the limit: `ulimit -n 65536`".to_owned())
        }
        Some(limit) => Good(format!("at most {limit} may be open, one a connection")),
    }
}

fn postgres_programs() -> Finding {
    let found: Vec<&str> = ["postgres", "pg_dump", "pg_restore"]
        .into_iter()
        .filter(|name| postgres_program(name).is_some())
        .collect();
    if found.is_empty() {
        Note("no programs are installed: only needed for `make test`, and for backups of a PostgreSQL database".to_owned())
    } else {
        Note(format!("installed: {}", found.join(", ")))
    }
}

/// Where a program of PostgreSQL lies: on the path, or where Debian puts servers; the newest wins.
pub(super) fn postgres_program(name: &str) -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
    });
    on_path.or_else(|| {
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version = entry.file_name().to_str()?.parse().ok()?;
                Some((version, entry.path().join("bin").join(name)))
            })
            .filter(|(_, program)| program.is_file())
            .collect();
        versions.sort();
        versions.pop().map(|(_, program)| program)
    })
}
