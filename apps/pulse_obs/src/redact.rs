//! Keeps secrets out of what is shown.
//!
//! **Invariant.** No text that passes [`url`] carries a password, and no library that prints wire data logs below the
//! level of [`wire_cap`], whatever filter was configured.

use tracing_subscriber::filter::{LevelFilter, Targets};

/// Replaces the password of a URL's authority, and a `password=` in its query, by `***`.
///
/// ```
/// use pulse_obs::redact::url;
/// assert_eq!(url("postgres://shop:s3cret@db:5432/pulse"), "postgres://shop:***@db:5432/pulse");
/// assert_eq!(url("postgres://db/pulse?password=s3cret&a=b"), "postgres://db/pulse?password=***&a=b");
/// assert_eq!(url("postgres//shop:s3:c@r/et@db"), "postgres//shop:***@db");
/// assert_eq!(url("sqlite://.data/pulse.db"), "sqlite://.data/pulse.db");
/// ```
pub fn url(text: &str) -> String {
    let (head, query) = match text.split_once('?') {
        Some((head, query)) => (head, Some(query)),
        None => (text, None),
    };
    let mut shown = authority(head);
    if let Some(query) = query {
        for (n, pair) in query.split('&').enumerate() {
            shown.push(if n == 0 { '?' } else { '&' });
            match pair.split_once('=') {
                Some((key, _)) if is_secret(key) => {
                    shown.push_str(key);
                    shown.push_str("=***");
                }
                _ => shown.push_str(pair),
            }
        }
    }
    shown
}

/// Whether a key of that name holds something that must not be shown.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "secret", "token", "passwd", "api_key"].iter().any(|word| key.contains(word))
}

/// Everything between the user's `:` and the last `@` goes: a password may itself hold `@`, `:` or `/`. A slip in the
/// scheme (`postgres//shop:secret@db`) must not show it either.
fn authority(head: &str) -> String {
    let Some((before, place)) = head.rsplit_once('@') else { return head.to_owned() };
    let (scheme, credentials) = match before.split_once("://") {
        Some((scheme, credentials)) => (format!("{scheme}://"), credentials),
        None => (String::new(), before),
    };
    match credentials.split_once(':') {
        Some((user, _)) => format!("{scheme}{user}:***@{place}"),
        None => head.to_owned(),
    }
}

/// A filter under which libraries that print statements, headers or frames stay quiet at `debug` and `trace`.
pub fn wire_cap() -> Targets {
    Targets::new().with_default(LevelFilter::TRACE).with_targets([
        ("sqlx", LevelFilter::WARN),
        ("sea_orm", LevelFilter::WARN),
        ("sea_orm_migration", LevelFilter::WARN),
        ("h2", LevelFilter::WARN),
        ("hyper", LevelFilter::WARN),
        ("hyper_util", LevelFilter::WARN),
        ("tonic", LevelFilter::WARN),
        ("tower", LevelFilter::WARN),
        ("tower_http", LevelFilter::WARN),
        ("rustls", LevelFilter::WARN),
    ])
}
