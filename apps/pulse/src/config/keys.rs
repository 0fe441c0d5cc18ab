//! The list of every key: what it means, and what fits.
//!
//! **Invariant.** It names exactly the leaves of [`Config`](super::Config); a test compares them.

/// One key of the configuration.
pub(crate) struct Key {
    /// `server.listen`.
    pub(crate) name: &'static str,
    /// What it means, in one line.
    pub(crate) help: &'static str,
    /// What would fit, for whoever gave something else.
    pub(crate) fits: &'static str,
    /// Whether the environment's text is taken as it stands, even where it looks like a number.
    pub(crate) text: bool,
    /// Whether its value is never shown.
    pub(crate) secret: bool,
}

const fn text(name: &'static str, help: &'static str, fits: &'static str) -> Key {
    Key { name, help, fits, text: true, secret: false }
}

const fn number(name: &'static str, help: &'static str, fits: &'static str) -> Key {
    Key { name, help, fits, text: false, secret: false }
}

const fn secret(name: &'static str, help: &'static str, fits: &'static str) -> Key {
    Key { name, help, fits, text: true, secret: true }
}

const FROM_ONE: &str = "a whole number from 1";
const SHARE: &str = "a number from 0.0 to 1.0";
const TIMES: &str = "five fields such as 30 3 * * * (half past three), or off";

/// Every key.
pub(crate) const KEYS: &[Key] = &[
    text("data_dir", "Folder for the database file and the mails", "a folder that can be written"),
    text(
        "database.url",
        "Where the data is; DATABASE_URL sets it too. Default: pulse.db in data_dir",
        "sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/NAME",
    ),
    number("database.connections", "Reading connections; on PostgreSQL as many again for writing", FROM_ONE),
    text(
        "database.synchronous",
        "SQLite: `full` survives a power cut, `normal` a crash of the program",
        "full or normal",
    ),
    text(
        "server.listen",
        "Address of the shop",
        "HOST:PORT such as 127.0.0.1:4000 or [::]:4000; port 0 takes a free one",
    ),
    text(
        "server.ops_listen",
        "Address of /metrics, /healthz, /readyz",
        "HOST:PORT such as 127.0.0.1:4001; port 0 takes a free one",
    ),
    text(
        "server.public_url",
        "How buyers reach the shop; https makes cookies Secure",
        "a URL such as https://shop.example",
    ),
    text(
        "server.secrets_file",
        "File of the secrets that sign open pages, newest first; made if it is missing. Default: secrets in data_dir",
        "a file with one secret of 64 hexadecimal digits a line",
    ),
    number(
        "server.drain_seconds",
        "How long the end waits for requests and jobs under way",
        "a whole number",
    ),
    number(
        "server.requests_per_second",
        "Requests a client may make each second; four times as many at once",
        FROM_ONE,
    ),
    number(
        "server.proxies",
        "Reverse proxies in front that add to X-Forwarded-For; 0 does not believe the header",
        "a whole number",
    ),
    number("fleet.max_awake", "Carts in memory at a time", FROM_ONE),
    number("fleet.idle_seconds", "A cart without commands for so long goes to sleep", FROM_ONE),
    number("jobs.concurrency", "Jobs that run at a time", FROM_ONE),
    text(
        "ingest.folder",
        "Folder in which feeds arrive and are fed; none by default",
        "a folder that can be read",
    ),
    text(
        "ingest.stream",
        "NATS JetStream stream that is fed; none by default",
        "nats://HOST:PORT/STREAM?kind=KIND, with /SUBJECT behind the stream, source and consumer where wanted",
    ),
    number(
        "ingest.keep_days",
        "How long it is kept what each batch of a feed has changed; its audit row stays",
        "a whole number",
    ),
    number(
        "ingest.batch_rows",
        "Rows of a feed that are one transaction: more are faster, and on SQLite each write waits for one. \
         Default: 500 on SQLite, 2000 on PostgreSQL",
        "a whole number from 100 to 10000",
    ),
    text("mail.from", "Sender of the shop's mails", "an address such as Pulse <shop@example.com>"),
    text(
        "mail.dir",
        "Folder in which mails are left as files. Default: mail in data_dir",
        "a folder that can be written",
    ),
    text(
        "mail.smtp_host",
        "Mail server to which mails are handed over; none by default: they are left as files",
        "a name such as smtp.example.com",
    ),
    number("mail.smtp_port", "Its port", "a number from 1 to 65535"),
    text(
        "mail.smtp_tls",
        "`starttls` changes to TLS before anything is said, `implicit` begins with it, `none` is for trusted networks",
        "starttls, implicit or none",
    ),
    text(
        "mail.smtp_ca_file",
        "Certificate in PEM to believe beside the public ones, for a mail server of one's own",
        "a file that can be read",
    ),
    text("mail.smtp_user", "User at the mail server, where it asks for one", "a name"),
    secret(
        "mail.smtp_password",
        "Password at the mail server; never shown",
        "a password, with mail.smtp_user",
    ),
    number(
        "mail.smtp_timeout_seconds",
        "A mail may take the mail server so long",
        "a whole number from 1 to 25",
    ),
    number(
        "webhooks.private_addresses",
        "Whether webhooks may go to this machine and its network too",
        "true or false",
    ),
    number(
        "webhooks.timeout_seconds",
        "A webhook's endpoint may take so long",
        "a whole number from 1 to 25",
    ),
    number(
        "webhooks.switch_off_hours",
        "An endpoint that has taken nothing for so long is switched off, and the admins are told",
        FROM_ONE,
    ),
    number("webhooks.keep_days", "For how long the log of deliveries is kept", FROM_ONE),
    text("watch.time_zone", "In which the times below are meant", "a name such as UTC or Europe/London"),
    text("watch.carts", "When carts that were left are looked for", TIMES),
    number("watch.carts_after_hours", "A cart that was left alone for so long is reminded of", FROM_ONE),
    text("watch.stock", "When products that have run low are looked for", TIMES),
    number("watch.low_stock", "A product of which so many pieces are left has run low", "a whole number"),
    text("watch.payments", "When orders that wait for their payment are looked for", TIMES),
    number(
        "watch.payment_hours",
        "An order that has waited for its payment for so long is called off at the gateway",
        FROM_ONE,
    ),
    text("watch.audit", "When the audit trail is verified", TIMES),
    text("watch.old", "When what nobody needs any more is deleted", TIMES),
    text(
        "watch.guest_carts",
        "When guests' carts that nobody comes back to are deleted: a look at every cart",
        TIMES,
    ),
    number(
        "watch.guest_carts_days",
        "A guest's cart that was left alone for so long is deleted; browsers keep the cookie that names it for 30 days",
        "a whole number from 1 to 3650",
    ),
    number("gateway.delay_ms", "The simulated payment gateway takes so long", "a whole number up to 60000"),
    number("gateway.decline", "Share of payments that it declines", SHARE),
    number("gateway.silent", "Share of payments that it makes without saying so at first", SHARE),
    number("gateway.twice", "Share of its answers that it gives twice", SHARE),
    number("audit.seal_seconds", "How often new audit rows are sealed", FROM_ONE),
    number(
        "audit.unsealed_limit_seconds",
        "`audit verify` fails if a row waits longer for its seal",
        "a whole number",
    ),
    text("log.filter", "What is logged, as RUST_LOG", "directives such as info or warn,pulse_fleet=debug"),
    text("log.format", "How: `auto` is pretty on a terminal, JSON elsewhere", "auto, pretty or json"),
    text(
        "otlp.endpoint",
        "Collector to which spans are sent (gRPC); none by default",
        "a URL such as http://127.0.0.1:4317",
    ),
    number("otlp.sample_ratio", "Share of traces that is kept", SHARE),
];

/// Names that begin with `PULSE_` and are no keys: they steer tests and the command line.
pub(super) const OTHER_NAMES: &[&str] =
    &["PULSE_CONFIG", "PULSE_TEST_PG", "PULSE_RETAIL_DATA", "PULSE_SOAK_ROUNDS", "PULSE_SOAK_OUTAGE"];

/// `server.listen` is `PULSE_SERVER_LISTEN` in the environment.
pub(crate) fn environment_name(key: &str) -> String {
    format!("PULSE_{}", key.replace('.', "_").to_ascii_uppercase())
}

/// The known name that is most like a wrong one, if any is.
pub(super) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::normalized_damerau_levenshtein(wrong, name), name))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn leaves(value: &serde_json::Value, prefix: &str, into: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    leaves(value, &path, into);
                }
            }
            _ => {
                into.insert(prefix.to_owned());
            }
        }
    }

    #[test]
    fn the_list_names_every_leaf_of_the_configuration() {
        let mut wanted = BTreeSet::new();
        leaves(&serde_json::to_value(super::super::Config::default()).unwrap(), "", &mut wanted);
        let listed: BTreeSet<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
        assert_eq!(listed, wanted);
    }

    #[test]
    fn a_slip_finds_its_key_and_nonsense_finds_none() {
        let names = || KEYS.iter().map(|key| key.name);
        assert_eq!(nearest("server.lisen", names()), Some("server.listen"));
        assert_eq!(nearest("databse.url", names()), Some("database.url"));
        assert_eq!(nearest("xyzzy", names()), None);
    }
}
