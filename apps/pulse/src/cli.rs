//! The command line.
//!
//! **Invariant.** Each command's help says what it does, shows an example, and names what it changes; what can be
//! configured is not repeated as an option, `--set` reaches every key.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use pulse_core::{Role, Timestamp};
use pulse_data::feeds::{Format, Kind, Reason};
use pulse_ingest::replay::Speed;

use crate::failure::EXIT_CODES;

const ENVIRONMENT: &str = "\
Configuration: defaults, then ./pulse.toml (or --config FILE), then the environment, then --set.
  DATABASE_URL             sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME
  PULSE_SERVER_LISTEN      as any other key: PULSE_, and the key in capitals with _ for .
  PULSE_CONFIG             the configuration file
  NO_COLOR                 no colors in logs
`pulse config` lists every key with its value and where it came from.

Examples:
  pulse serve --demo                             a shop with goods and shoppers, nothing to prepare
  DATABASE_URL=postgres://pulse@db/pulse pulse serve --migrate
  pulse replay 2010-12.csv 2011-01.csv && pulse report
  pulse --set log.filter=debug serve
";

/// A whole online shop in one program, on SQLite or PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "pulse", version, after_help = after_help(), max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

fn after_help() -> String {
    format!("{ENVIRONMENT}\n{EXIT_CODES}")
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Configuration file to read instead of ./pulse.toml.
    #[arg(long, short, global = true, env = "PULSE_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    /// Set one key of the configuration; may be given several times.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the shop until SIGTERM or ctrl-C.
    ///
    /// Opens the database (made and migrated where it is SQLite), starts carts, jobs and the audit sealer, and answers
    /// HTTP. Asked to end it stops accepting, answers what is under way, finishes its jobs, seals the audit trail and
    /// leaves with 0; asked twice it leaves at once.
    #[command(after_help = "\
Examples:
  pulse serve                                    on http://127.0.0.1:4000, data in ./.data
  pulse serve --demo                             with goods and shoppers
  pulse --set server.listen=0.0.0.0:80 serve
  DATABASE_URL=postgres://pulse@db/pulse pulse serve --migrate

Environment: DATABASE_URL, PULSE_SERVER_LISTEN, PULSE_SERVER_OPS_LISTEN, PULSE_LOG_FILTER, PULSE_OTLP_ENDPOINT, …")]
    Serve(Serve),

    /// Move the schema: apply what is missing, take back, or show where it stands.
    #[command(
        after_help = "Examples:\n  pulse migrate status\n  pulse migrate up\n  pulse migrate down --steps 1 --yes"
    )]
    Migrate {
        #[command(subcommand)]
        action: Migrate,
    },

    /// Fill the shop with made-up goods; and, if wanted, let made-up shoppers buy.
    ///
    /// The same seed gives the same goods. Goods that are there already are kept.
    #[command(after_help = "Examples:\n  pulse demo\n  pulse demo --seed 7 --products 5000 --shoppers 1000")]
    Demo(Demo),

    /// Play the invoices of a real shop through this one.
    ///
    /// Files have the eight columns of the UCI "Online Retail" data set, from the invoice's number to the country. Rows
    /// that make no sense become dead letters with a reason. A file is known by its content: played again it changes nothing, and
    /// a replay that was cut goes on where it stood.
    #[command(
        after_help = "Examples:\n  pulse replay 2010-12.csv 2011-01.csv\n  pulse replay --speed 86400 2010-12.csv    a day in a second"
    )]
    Replay(Replay),

    /// Feed what suppliers and partners send: products, prices, stock, and what happens to orders.
    ///
    /// FROM is a file, a folder of files, or a stream: nats://HOST:PORT/STREAM?kind=KIND. CSV (a header, then rows) or NDJSON (an object a line), both also packed by
    /// gzip; a file's name begins with what it tells of: prices-monday.csv.gz. Each row is done once: a feed is known by its
    /// source and its content, fed again it changes nothing, and one that was cut goes on where it stood. Rows that can't be
    /// used become dead letters, which name what is wrong with which field.
    #[command(after_help = ingest_help(), args_conflicts_with_subcommands = true)]
    Ingest(Ingest),

    /// Print what the replayed invoices add up to.
    #[command(after_help = "Examples:\n  pulse report\n  pulse report --json | jq .revenue_pence")]
    Report {
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },

    /// Make accounts for people, from the machine itself.
    User {
        #[command(subcommand)]
        action: User,
    },

    /// Check the audit trail, or export its newest hash.
    Audit {
        #[command(subcommand)]
        action: Audit,
    },

    /// Check this machine and the database, one line a check with its cure.
    #[command(
        after_help = "Leaves with 1 if a check failed. PostgreSQL is only needed where DATABASE_URL names one."
    )]
    Doctor,

    /// Print the description of the HTTP API (OpenAPI 3.1, JSON).
    #[command(after_help = "Example:\n  pulse openapi > openapi.json")]
    Openapi,

    /// Write a copy of the database while the shop runs.
    ///
    /// SQLite: a compact, checked copy. PostgreSQL: the custom format of its own dump program, which
    /// must be installed.
    #[command(after_help = "Example:\n  pulse backup /backups/pulse-monday.db")]
    Backup {
        /// File to write; it must not be there yet.
        file: PathBuf,
    },

    /// Put a copy in the place of the database. The shop must not run.
    #[command(after_help = "Example:\n  pulse restore /backups/pulse-monday.db --yes")]
    Restore {
        /// File that `pulse backup` wrote.
        file: PathBuf,
        /// Replace the database that is there. What it holds is lost.
        #[arg(long)]
        yes: bool,
    },

    /// Print every configuration key, its value and where it came from; secrets are hidden.
    #[command(after_help = "Example:\n  pulse config > pulse.toml")]
    Config,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Fill an empty shop with goods and let made-up shoppers buy.
    #[arg(long)]
    pub(crate) demo: bool,

    /// Apply missing migrations on PostgreSQL too. (SQLite is always migrated.)
    #[arg(long)]
    pub(crate) migrate: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Migrate {
    /// Apply what is missing, oldest first.
    Up {
        /// At most so many.
        #[arg(long, value_name = "N")]
        steps: Option<usize>,
    },
    /// Take back the newest. Their data is lost.
    Down {
        /// So many.
        #[arg(long, value_name = "N", default_value_t = 1)]
        steps: usize,
        /// Yes, drop what those tables hold.
        #[arg(long)]
        yes: bool,
    },
    /// Show which are applied.
    Status,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The same seed makes the same goods and shoppers.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many products.
    #[arg(long, default_value_t = 500)]
    pub(crate) products: usize,
    /// Shoppers who come in, each to fill a cart and often to buy.
    #[arg(long, default_value_t = 0)]
    pub(crate) shoppers: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// CSV files, oldest first.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How many times faster than it happened, or `max`.
    #[arg(long, default_value = "max")]
    pub(crate) speed: Speed,
}

#[derive(Debug, Args)]
pub(crate) struct Ingest {
    #[command(subcommand)]
    pub(crate) letters: Option<Letters>,
    /// Files and folders, or one stream; in the order in which they are fed; those of a folder by name.
    #[arg(value_name = "FROM", required = true)]
    pub(crate) from: Vec<String>,
    /// Whose feeds they are. Those in a folder's folders are of the sources so called.
    #[arg(long, default_value = "local", value_parser = source)]
    pub(crate) source: String,
    /// What they tell of, where their names do not say so: catalogue, prices, stock or orders.
    #[arg(long, value_parser = kind)]
    pub(crate) kind: Option<Kind>,
    /// How they are written, where their names do not say so: csv or ndjson.
    #[arg(long, value_parser = format)]
    pub(crate) format: Option<Format>,
    /// The time of rows that have none of their own; the time at which a feed is begun, where absent.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Option<Timestamp>,
    /// Go on watching the one folder, and feed what arrives in it, until ctrl-C.
    #[arg(long)]
    pub(crate) watch: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Letters {
    /// Try dead letters again, after their cause is mended.
    #[command(
        after_help = "Examples:\n  pulse ingest retry\n  pulse ingest retry --reason unknown_product --source acme"
    )]
    Retry(Which),
    /// List dead letters, oldest first.
    #[command(
        name = "letters",
        after_help = "Example:\n  pulse ingest letters --json | jq -r .faults[0].words"
    )]
    List {
        #[command(flatten)]
        which: Which,
        /// A JSON object a line instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Drop dead letters: what they say is not done.
    #[command(after_help = "Example:\n  pulse ingest discard --id 7")]
    Discard(Which),
}

/// Which dead letters; all that are open, where nothing is said.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// Only those with this reason.
    #[arg(long, value_parser = reason)]
    pub(crate) reason: Option<Reason>,
    /// Only those of this source.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only this one.
    #[arg(long)]
    pub(crate) id: Option<i64>,
}

fn source(text: &str) -> Result<String, String> {
    let fits = (1..=60).contains(&text.chars().count());
    if fits { Ok(text.to_owned()) } else { Err("1 to 60 characters fit".to_owned()) }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_name(text).ok_or_else(|| "use catalogue, prices, stock or orders".to_owned())
}

fn format(text: &str) -> Result<Format, String> {
    Format::from_name(text).ok_or_else(|| "use csv or ndjson".to_owned())
}

fn reason(text: &str) -> Result<Reason, String> {
    let names: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    Reason::from_name(text).ok_or_else(|| format!("use one of {}", names.join(", ")))
}

fn ingest_help() -> String {
    format!(
        "Columns, in any order; those with * are needed, those that begin with x_ are not read:\n{}\n\n\
         Examples:\n  pulse ingest prices-monday.csv.gz --source acme\n  pulse ingest inbox/ --watch\n  \
         pulse ingest list.txt --kind prices --format csv\n\n\
         Leaves with 1 if a file was refused as a whole; dead letters are told and are no failure.",
        pulse_ingest::feed::describe()
    )
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum User {
    /// Create an account.
    #[command(after_help = "\
Without --password-stdin a password is drawn and printed once.

Examples:
  pulse user add ada@example.com --role admin
  printf %s \"$PASSWORD\" | pulse user add bo@example.com --password-stdin")]
    Add {
        /// E-mail address, which is also the name to sign in with.
        email: String,
        /// buyer, support, manager or admin.
        #[arg(long, default_value = "buyer")]
        role: Role,
        /// Read the password from standard input (one line).
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Audit {
    /// Find changed, missing or cut-off rows. Leaves with 1 if there are any.
    #[command(
        after_help = "Examples:\n  pulse audit verify\n  pulse audit verify --head /safe/audit-head.json"
    )]
    Verify {
        /// A head that `pulse audit head` exported earlier: the trail must still reach it.
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
    },
    /// Export the newest sealed row's number and hash, to be kept where the database's owner can't change it.
    Head {
        /// File to write; standard output if absent.
        file: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
