//! The proof that a request comes from a page of ours: a secret in a cookie, and its signature in the page.
//!
//! Invariant: a token is good only together with the cookie that it was made for. Another site can make the
//! browser send the cookie but can't read the page.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::token::{Keys, Purpose, unix_now};

/// How long a page may stay open before its forms are refused.
const MAX_AGE: Duration = Duration::from_hours(7 * 24);
const NONCE: usize = 18;

/// The browser's part: a random value in a cookie that no script can read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrowserId(String);

impl BrowserId {
    /// A new one.
    pub fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; NONCE]>()))
    }

    /// The one in a request's `Cookie` headers; `None` if there is none of the right form.
    pub fn from_headers(headers: &axum::http::HeaderMap, secure: bool) -> Option<Self> {
        let value = cookie(headers, cookie_name(secure))?;
        let good = value.len() == NONCE / 3 * 4
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        good.then(|| Self(value.to_owned()))
    }

    /// The `Set-Cookie` value that gives it to the browser.
    pub fn set_cookie(&self, secure: bool) -> String {
        let name = cookie_name(secure);
        let more = if secure { "; Secure" } else { "" };
        format!("{name}={}; Path=/; HttpOnly; SameSite=Lax{more}", self.0)
    }

    /// Its value: the name of the browser's sockets, by which they can be disconnected.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What tokens of this browser are bound to.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The cookie's name: with the `__Host-` prefix where the site is served by https.
pub fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-live" } else { "live" }
}

/// The token for `<meta name="csrf-token">` and for a hidden field of plain forms.
///
/// ```
/// use live::csrf::{self, BrowserId};
/// # let keys = live::token::Keys::new([[7_u8; 32]]).unwrap();
/// let browser = BrowserId::random();
/// let token = csrf::token(&keys, &browser);
/// assert!(csrf::verify(&keys, &browser, &token));
/// assert!(!csrf::verify(&keys, &BrowserId::random(), &token));
/// ```
pub fn token(keys: &Keys, browser: &BrowserId) -> String {
    keys.sign(Purpose::Csrf, browser.as_bytes(), &(), unix_now())
}

/// Whether the token was made for this browser, by a key that is still known.
pub fn verify(keys: &Keys, browser: &BrowserId, token: &str) -> bool {
    keys.open::<()>(Purpose::Csrf, browser.as_bytes(), token, MAX_AGE, unix_now()).is_ok()
}

/// The browser of a request, if the token in it is the proof that one of its pages made it.
pub(crate) fn proven(
    keys: &Keys,
    secure: bool,
    headers: &axum::http::HeaderMap,
    token: &str,
) -> Option<BrowserId> {
    BrowserId::from_headers(headers, secure).filter(|browser| verify(keys, browser, token))
}

/// The value of a cookie in a request's headers.
pub(crate) fn cookie<'h>(headers: &'h axum::http::HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(axum::http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(known, value)| (known == name).then_some(value))
}
