//! Reads the configuration from its sources and says where each value came from.
//!
//! **Invariant.** A later source wins: defaults, the file, the environment (`DATABASE_URL` before
//! `PULSE_DATABASE_URL`), `--set`. An empty variable counts as absent.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use figment::providers::{Data, Format as _, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::Config;
use super::keys::{KEYS, Key, OTHER_NAMES, environment_name, nearest};
use crate::cli::Global;
use crate::failure::{Exit, Failure};

/// The configuration, and what is needed to explain it.
pub(crate) struct Loaded {
    pub(crate) config: Config,
    figment: Figment,
}

/// Reads and checks it.
pub(crate) fn load(global: &Global) -> Result<Loaded, Failure> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(path) = file(global)? {
        figment = figment.merge(read_file(&path)?);
    }
    for (name, value) in environment() {
        figment = figment.merge(from_environment(&name, &value)?);
    }
    for setting in &global.set {
        figment = figment.merge(from_setting(setting)?);
    }
    let config: Config = figment.extract().map_err(|error| explain(&figment, &error))?;
    let loaded = Loaded { config, figment };
    match loaded.config.objection() {
        None => Ok(loaded),
        Some((key, wrong)) => Err(refusal(&loaded.figment, key, &loaded.source(key), wrong)),
    }
}

impl Loaded {
    /// Every key with its value and its source, as TOML; secrets hidden.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for key in KEYS {
            let _ = writeln!(text, "# {}.", key.help);
            let _ = match shown(&self.figment, key.name) {
                Some(value) => writeln!(text, "{} = {value}  # {}\n", key.name, self.source(key.name)),
                None => writeln!(text, "# {} is not set\n", key.name),
            };
        }
        text.truncate(text.trim_end().len());
        text
    }

    fn source(&self, key: &str) -> String {
        self.figment.find_metadata(key).map_or_else(|| "default".to_owned(), source)
    }
}

/// Which file to read: the named one must be there, the usual one may be.
fn file(global: &Global) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = &global.config else {
        let usual = Path::new("pulse.toml");
        return Ok(usual.is_file().then(|| usual.to_owned()));
    };
    if path.is_file() {
        return Ok(Some(path.clone()));
    }
    let path = path.display();
    let message =
        format!("the configuration file {path} is not there: name another with --config or PULSE_CONFIG");
    Err(Failure::new(Exit::Config, message))
}

fn read_file(path: &Path) -> Result<Data<Toml>, Failure> {
    let provider = Toml::file_exact(path);
    let data = provider.data().map_err(|error| {
        Failure::new(Exit::Config, format!("{} is no TOML that can be read: {}", path.display(), error.kind))
    })?;
    let mut found = Vec::new();
    for dict in data.values() {
        leaves(dict, "", &mut found);
    }
    for name in found {
        if !KEYS.iter().any(|key| key.name == name) {
            return Err(unknown(&name, &path.display().to_string(), KEYS.iter().map(|key| key.name)));
        }
    }
    Ok(provider)
}

fn leaves(dict: &Dict, prefix: &str, into: &mut Vec<String>) {
    for (name, value) in dict {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) if !KEYS.iter().any(|key| key.name == path) => leaves(inner, &path, into),
            _ => into.push(path),
        }
    }
}

/// The variables that may be meant for this program, `DATABASE_URL` first so that a `PULSE_` name wins over it.
fn environment() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| (name == "DATABASE_URL" || name.starts_with("PULSE_")) && !value.is_empty())
        .filter(|(name, _)| !OTHER_NAMES.contains(&name.as_str()))
        .collect();
    found.sort();
    found
}

fn from_environment(name: &str, value: &str) -> Result<One, Failure> {
    let key = if name == "DATABASE_URL" {
        KEYS.iter().find(|key| key.name == "database.url")
    } else {
        KEYS.iter().find(|key| environment_name(key.name) == name)
    };
    let Some(key) = key else {
        let names: Vec<String> = KEYS.iter().map(|key| environment_name(key.name)).collect();
        return Err(unknown(name, "the environment", names.iter().map(String::as_str)));
    };
    Ok(One { source: format!("environment variable {name}"), key, value: value.to_owned() })
}

fn from_setting(setting: &str) -> Result<One, Failure> {
    let Some((name, value)) = setting.split_once('=') else {
        let message = format!("--set {setting}: give KEY=VALUE such as --set log.filter=debug");
        return Err(Failure::new(Exit::Config, message));
    };
    let Some(key) = KEYS.iter().find(|key| key.name == name.trim()) else {
        return Err(unknown(name, "--set", KEYS.iter().map(|key| key.name)));
    };
    Ok(One { source: "--set".to_owned(), key, value: value.to_owned() })
}

fn unknown<'a>(name: &str, place: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let cure = match nearest(name, known) {
        Some(near) => format!("did you mean {near}?"),
        None => "`pulse config` lists all keys".to_owned(),
    };
    Failure::new(Exit::Config, format!("{name} ({place}) is no key of the configuration: {cure}"))
}

/// One value from one place, so that its source can be named exactly.
struct One {
    source: String,
    key: &'static Key,
    value: String,
}

impl Provider for One {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let parsed = if self.key.text { None } else { self.value.parse::<Value>().ok() };
        let leaf = parsed.unwrap_or_else(|| Value::from(self.value.clone()));
        let nested = self
            .key
            .name
            .rsplit('.')
            .fold(leaf, |inner, name| Value::from(Dict::from([(name.to_owned(), inner)])));
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

fn source(metadata: &Metadata) -> String {
    match metadata.source.as_ref().and_then(figment::Source::file_path) {
        Some(path) => path
            .file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()),
        None if metadata.name.contains("Config") => "default".to_owned(),
        None => metadata.name.to_string(),
    }
}

/// The value of a key as it may be shown.
fn shown(figment: &Figment, key: &str) -> Option<String> {
    let secret = KEYS.iter().any(|known| known.name == key && known.secret);
    match figment.find_value(key).ok()? {
        Value::Empty(..) => None,
        _ if secret => Some("\"***\"".to_owned()),
        Value::String(_, text) => Some(format!("{:?}", pulse_obs::redact::url(&text))),
        other => serde_json::to_string(&other).ok(),
    }
}

fn explain(figment: &Figment, error: &figment::Error) -> Failure {
    let key = error.path.join(".");
    let from = error.metadata.as_ref().map_or_else(|| "default".to_owned(), source);
    refusal(figment, &key, &from, &error.kind.to_string())
}

fn refusal(figment: &Figment, key: &str, source: &str, wrong: &str) -> Failure {
    let value = shown(figment, key).unwrap_or_else(|| "(nothing)".to_owned());
    let cure = KEYS.iter().find(|known| known.name == key).map_or("see `pulse config`", |known| known.fits);
    Failure::new(Exit::Config, format!("{key} = {value} ({source}) does not fit: {wrong}; give {cure}"))
}
