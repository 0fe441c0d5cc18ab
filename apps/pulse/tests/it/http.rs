//! As much of an HTTP client as a shopper needs: one connection a request, a cookie jar, JSON.
//!
//! **Invariant.** An answer counts only if it came whole; anything less is an error, and its outcome unknown.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{self:?}");
        self
    }
}

/// What a browser keeps between two requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar {
    cookies: Vec<(String, String)>,
    /// Sent with each change once somebody is signed in.
    pub(crate) csrf: Option<String>,
}

impl Jar {
    fn header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        for (_, set) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = set.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The values of all cookies: secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.cookies.iter().map(|(_, value)| value.as_str())
    }

    pub(crate) fn get(&mut self, to: SocketAddr, path: &str) -> io::Result<Answer> {
        self.send(to, "GET", path, &[], None)
    }

    pub(crate) fn post(&mut self, to: SocketAddr, path: &str, key: &str, body: &Value) -> io::Result<Answer> {
        self.send(to, "POST", path, &[("Idempotency-Key", key)], Some(body))
    }

    pub(crate) fn send(
        &mut self,
        to: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        stream.write_all(self.head(to, method, path, headers, body.len()).as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let answer = read(&mut stream)?;
        self.keep(&answer);
        Ok(answer)
    }

    /// The head of a request.
    pub(crate) fn head(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        length: usize,
    ) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n");
        let mut add = |name: &str, value: &str| {
            head.extend([name, ": ", value, "\r\n"]);
        };
        if length > 0 {
            add("Content-Type", "application/json");
        }
        if method != "GET" {
            add("Content-Length", &length.to_string());
        }
        if !self.cookies.is_empty() {
            add("Cookie", &self.header());
        }
        if let Some(csrf) = &self.csrf {
            add("X-CSRF-Token", csrf);
        }
        for (name, value) in headers {
            add(name, value);
        }
        head.push_str("\r\n");
        head
    }
}

/// Reads one whole answer from a connection that closes behind it.
pub(crate) fn read(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer was cut off");
    let text = String::from_utf8(bytes).map_err(|_| cut())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, n)| n.parse::<usize>().ok());
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { unchunk(body).ok_or_else(cut)? } else { body.to_owned() };
    if length.is_some_and(|length| length != body.len()) {
        return Err(cut());
    }
    Ok(Answer { status: status.ok_or_else(cut)?, headers, body })
}

fn unchunk(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.push_str(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix("\r\n")?;
    }
}

/// Asks once, without a jar.
pub(crate) fn get(to: SocketAddr, path: &str) -> io::Result<Answer> {
    Jar::default().get(to, path)
}
