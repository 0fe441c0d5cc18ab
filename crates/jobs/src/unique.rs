//! What makes two jobs the same, for how long, and what happens then.
//!
//! **Invariant.** The key of a job is a pure function of the job: the same on every node and in every release, whatever
//! the order in which its arguments were written.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::new_job::NewJob;
use crate::state::State;

/// Keeps a second job away while one like it is there.
///
/// ```
/// use std::time::Duration;
/// use jobs::{Field, NewJob, State, Unique};
///
/// // A key of one's own, while that job waits or runs.
/// let welcome = NewJob::new("mail.send", serde_json::json!({})).unique("welcome:ann@example.com");
///
/// // Once an hour for each order, also if that hour's job has ended; a later wish moves the one that waits.
/// let remind = NewJob::new("cart.remind", serde_json::json!({ "order": 7, "text": "…" })).unique(
///     Unique::args(["order"])
///         .within(Duration::from_hours(1))
///         .in_states(&State::ALL)
///         .replace(&[Field::Args, Field::ScheduledAt]),
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    by: By,
    any_queue: bool,
    pub(crate) within: Option<Duration>,
    states: Vec<State>,
    pub(crate) replace: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    /// The caller's own name for it.
    Key(String),
    /// Worker and all arguments.
    Job,
    /// Worker and these keys of the arguments' object.
    Args(Vec<String>),
    /// Worker alone.
    Worker,
}

/// What of a waiting job a second enqueue may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// What its worker is told.
    Args,
    /// When it is due.
    ScheduledAt,
    /// Its priority.
    Priority,
    /// How often it is tried at most (never fewer than it was already).
    MaxAttempts,
    /// Its notes.
    Meta,
}

impl Unique {
    fn by(by: By) -> Self {
        Self { by, any_queue: false, within: None, states: State::LIVE.to_vec(), replace: Vec::new() }
    }

    /// Jobs that were given this key are the same, whatever their worker, queue and arguments.
    pub fn key(key: impl Into<String>) -> Self {
        Self::by(By::Key(key.into()))
    }

    /// Jobs of one worker with the same arguments, in the same queue, are the same.
    pub fn job() -> Self {
        Self::by(By::Job)
    }

    /// Jobs of one worker are the same where these keys of their arguments are (one that is missing counts as null).
    pub fn args<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self::by(By::Args(keys.into_iter().map(Into::into).collect()))
    }

    /// All jobs of one worker in the same queue are the same.
    pub fn worker() -> Self {
        Self::by(By::Worker)
    }

    /// The queue makes no difference.
    #[must_use]
    pub fn any_queue(mut self) -> Self {
        self.any_queue = true;
        self
    }

    /// Only a job that was enqueued within this time keeps others away; without it, any age does.
    #[must_use]
    pub fn within(mut self, period: Duration) -> Self {
        self.within = Some(period);
        self
    }

    /// A job in one of these states keeps others away. Unless told: [`State::LIVE`], one that waits or runs.
    #[must_use]
    pub fn in_states(mut self, states: &[State]) -> Self {
        self.states = states.to_vec();
        self
    }

    /// Where the other job still waits, it takes these fields from the new one.
    #[must_use]
    pub fn replace(mut self, fields: &[Field]) -> Self {
        self.replace = fields.to_vec();
        self
    }

    /// The names of the states that keep others away, with commas between.
    pub(crate) fn states(&self) -> String {
        self.states.iter().map(|state| state.name()).collect::<Vec<_>>().join(",")
    }

    /// Jobs inserted after this instant count.
    pub(crate) fn since(&self, now: i64) -> i64 {
        let period = self.within.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        period.map_or(i64::MIN, |period| now.saturating_sub(period))
    }

    /// The text under which jobs that are the same find each other.
    pub(crate) fn fingerprint(&self, job: &NewJob) -> String {
        let null = Value::Null;
        let args = match &self.by {
            By::Key(key) => return key.clone(),
            By::Job => sorted(&job.args),
            By::Args(keys) => {
                Value::Array(keys.iter().map(|key| sorted(job.args.get(key).unwrap_or(&null))).collect())
            }
            By::Worker => Value::Null,
        };
        let keys = match &self.by {
            By::Args(keys) => keys.as_slice(),
            _ => &[],
        };
        let queue = (!self.any_queue).then_some(job.queue.as_str());
        let text = serde_json::json!([job.worker, queue, keys, args]).to_string();
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().fold(String::from("#"), |hex, byte| hex + &format!("{byte:02x}"))
    }
}

impl From<&str> for Unique {
    fn from(key: &str) -> Self {
        Self::key(key)
    }
}

impl From<String> for Unique {
    fn from(key: String) -> Self {
        Self::key(key)
    }
}

/// Objects as arrays of their pairs in the order of their keys: what two spellings of one value share, also where
/// the JSON library keeps the order in which keys were written.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(map) => {
            let mut pairs: Vec<(&String, Value)> =
                map.iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_unstable_by(|a, b| a.0.cmp(b.0));
            let pairs = pairs.into_iter().map(|(key, value)| serde_json::json!([key, value])).collect();
            serde_json::json!({ "object": Value::Array(pairs) })
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(args: Value) -> NewJob {
        NewJob::new("w", args)
    }

    #[test]
    fn the_order_of_arguments_makes_no_difference_and_their_values_do() {
        let of = |text: &str| Unique::job().fingerprint(&job(serde_json::from_str(text).unwrap()));
        assert_eq!(of(r#"{"a":1,"b":{"c":[2],"d":3}}"#), of(r#"{"b":{"d":3,"c":[2]},"a":1}"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":2}"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"[["a",1]]"#));
    }

    #[test]
    fn worker_queue_and_chosen_keys_make_it_and_the_rest_does_not() {
        let unique = Unique::args(["order"]);
        let of = |job: &NewJob| unique.fingerprint(job);
        let base = job(json!({ "order": 7, "text": "a" }));
        assert_eq!(of(&base), of(&job(json!({ "text": "b", "order": 7 }))));
        assert_ne!(of(&base), of(&job(json!({ "order": 8, "text": "a" }))));
        assert_ne!(of(&base), of(&base.clone().queue("other")));
        assert_ne!(of(&base), of(&NewJob::new("v", json!({ "order": 7 }))));
        let anywhere = Unique::args(["order"]).any_queue();
        assert_eq!(anywhere.fingerprint(&base), anywhere.fingerprint(&base.clone().queue("other")));
        assert_ne!(Unique::worker().fingerprint(&base), of(&base));
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_release() {
        let key = Unique::job().fingerprint(&job(json!({ "a": 1 })));
        assert_eq!(key, "#963948a128a31066368efb344bd30edc3a8be4f2e317ce4f351d04c48a17752a");
    }
}
