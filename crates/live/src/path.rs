//! Paths inside this application: the only places that a view can send a browser to.
//!
//! Invariant: a [`LocalPath`] starts with one slash, names no other host to any browser, and has no control
//! characters; so an open redirect can't be built from it.

use std::fmt;

use thiserror::Error;

use crate::html::{Text, escape_into};

/// The longest path that is accepted, in bytes.
pub const MAX_PATH: usize = 4 * 1024;

/// Why a string is no path inside this application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotLocal {
    /// It does not start with a slash.
    #[error("a local path starts with '/'")]
    NoSlash,
    /// It starts with two slashes or a backslash, which browsers take for another host.
    #[error("the path names another host")]
    OtherHost,
    /// It has a control character, a space or a backslash.
    #[error("the path has a character that no path has: percent-encode it")]
    BadCharacter,
    /// It is longer than [`MAX_PATH`].
    #[error("the path is longer than {MAX_PATH} bytes")]
    TooLong,
}

/// A checked path with its query, such as `/orders/7?page=2`.
///
/// ```
/// use live::LocalPath;
///
/// let page = LocalPath::of("/orders").segment(7).query("sort", "a&b");
/// assert_eq!(page.as_str(), "/orders/7?sort=a%26b");
/// assert!(LocalPath::parse("//evil.example/").is_err());
/// assert!(LocalPath::parse("https://evil.example/").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LocalPath(String);

impl LocalPath {
    /// A path that is written in the program.
    ///
    /// # Panics
    /// If it is not local: the program is wrong.
    #[track_caller]
    pub fn of(path: &'static str) -> Self {
        match Self::parse(path) {
            Ok(path) => path,
            Err(error) => panic!("LocalPath::of({path:?}): {error}"),
        }
    }

    /// Checks a path that comes from elsewhere.
    pub fn parse(path: &str) -> Result<Self, NotLocal> {
        let bytes = path.as_bytes();
        if bytes.first() != Some(&b'/') {
            return Err(NotLocal::NoSlash);
        }
        if matches!(bytes.get(1), Some(b'/' | b'\\')) {
            return Err(NotLocal::OtherHost);
        }
        if bytes.len() > MAX_PATH {
            return Err(NotLocal::TooLong);
        }
        if bytes.iter().any(|&b| b <= b' ' || b == 0x7f || b == b'\\') {
            return Err(NotLocal::BadCharacter);
        }
        Ok(Self(path.to_owned()))
    }

    /// The local path of a URL that the client sent: a path, or `scheme://host/path`. Its host is not looked at:
    /// the path alone is routed, here. The fragment is cut off.
    pub fn of_url(url: &str) -> Result<Self, NotLocal> {
        let path = match url.split_once("://") {
            Some((scheme, rest)) if !scheme.contains('/') => {
                rest.find(['/', '?', '#']).map_or("/", |at| &rest[at..])
            }
            _ => url,
        };
        let path = path.split_once('#').map_or(path, |(path, _)| path);
        if path.is_empty() || path.starts_with('?') {
            return Self::parse(&format!("/{path}"));
        }
        Self::parse(path)
    }

    /// Adds a segment, percent-encoded, so that a slash in it stays part of it. To be called before [`query`](Self::query).
    pub fn segment(mut self, segment: impl fmt::Display) -> Self {
        if !self.0.ends_with('/') {
            self.0.push('/');
        }
        for byte in segment.to_string().bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                self.0.push('%');
                for digit in [byte >> 4, byte & 15] {
                    self.0.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
                }
            }
        }
        self
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.extend(form_urlencoded::byte_serialize(name.as_bytes()));
        self.0.push('=');
        self.0.extend(form_urlencoded::byte_serialize(value.to_string().as_bytes()));
        self
    }

    /// Path and query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.0.split_once('?').map_or(&self.0, |(path, _)| path)
    }

    /// The query without its question mark; empty if there is none.
    pub fn query_str(&self) -> &str {
        self.0.split_once('?').map_or("", |(_, query)| query)
    }
}

impl Text for LocalPath {
    fn escape_into(&self, out: &mut String) {
        escape_into(&self.0, out);
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
