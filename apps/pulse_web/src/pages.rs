//! The few pages for people: the start page and the API's description.
//!
//! **Invariant.** They load nothing from anywhere: no script at all, and the one style sheet stands in the page,
//! allowed by its hash. Everything that comes from data is escaped.

mod docs;

use std::fmt;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub(crate) use docs::docs;

const STYLE: &str = include_str!("pages/style.css");

/// A text in HTML, escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let (text, last) = match piece.char_indices().next_back() {
                Some((at, last @ ('&' | '<' | '>' | '"' | '\''))) => (&piece[..at], Some(last)),
                _ => (piece, None),
            };
            f.write_str(text)?;
            f.write_str(match last {
                Some('&') => "&amp;",
                Some('<') => "&lt;",
                Some('>') => "&gt;",
                Some('"') => "&quot;",
                Some(_) => "&#39;",
                None => "",
            })?;
        }
        Ok(())
    }
}

/// A whole page, ready to be sent again and again.
#[derive(Clone)]
pub(crate) struct Page {
    html: bytes::Bytes,
    policy: HeaderValue,
}

impl Page {
    pub(crate) fn new(title: &str, body: &str) -> Self {
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
            Escaped(title)
        );
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'"
        );
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Self { html: html.into(), policy }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, self.policy),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        (headers, self.html).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn what_could_be_markup_is_escaped() {
        assert_eq!(Escaped("a<b>&\"c' \u{e9}").to_string(), "a&lt;b&gt;&amp;&quot;c&#39; \u{e9}");
        assert_eq!(Escaped("plain").to_string(), "plain");
    }
}
