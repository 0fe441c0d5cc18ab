//! Signed, expiring tokens: what the server hands to the page and later believes.
//!
//! Invariant: a payload is read only after its signature was verified, in constant time, for the very purpose and
//! browser that it was signed for. The first key signs and every key verifies, so a secret can be rotated without
//! ending anybody's page.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use thiserror::Error;

/// The shortest secret that is accepted, in bytes.
pub const MIN_SECRET: usize = 32;
/// The longest token that is looked at, in bytes. Session data lies in the page, so it should be an id or two.
pub const MAX_TOKEN: usize = 16 * 1024;

const VERSION: u8 = 1;
const MAC: usize = 32;
const HEAD: usize = 1 + 8;

/// What a token is for. A token that was signed for one purpose is forged for every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Which view a page may join, and the session data that it was rendered with.
    Session = 1,
    /// What only the first join of a page may use.
    Static = 2,
    /// Flash messages on their way to the next page.
    Flash = 3,
    /// The proof that a page was served to this browser.
    Csrf = 4,
    /// Why a join made the browser load the page again.
    Reload = 5,
}

/// Why secrets can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is no key to sign with.
    #[error("no secret was given: at least one is needed to sign with")]
    None,
    /// A secret is too short to resist guessing.
    #[error("a secret has {0} bytes: give at least {MIN_SECRET} random ones")]
    TooShort(usize),
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is no token of ours at all.
    #[error("the token is malformed")]
    Malformed,
    /// No key verifies it: forged, signed for another purpose or browser, or its key was rotated out.
    #[error("the token's signature is wrong: it is forged, or its key was rotated out")]
    Forged,
    /// It is older than it may be.
    #[error("the token has expired")]
    Expired,
}

/// The keys of an application, newest first. Cheap to clone.
///
/// ```
/// use std::time::Duration;
/// use live::token::{Keys, Purpose, TokenError};
///
/// let old = [1_u8; 32];
/// let new = [2_u8; 32];
/// let before = Keys::new([old])?;
/// let token = before.sign(Purpose::Flash, b"", &"saved", 1_000);
///
/// let rotated = Keys::new([new, old])?;
/// let hour = Duration::from_secs(3_600);
/// assert_eq!(rotated.open::<String>(Purpose::Flash, b"", &token, hour, 1_500).as_deref(), Ok("saved"));
///
/// let after = Keys::new([new])?;
/// assert_eq!(after.open::<String>(Purpose::Flash, b"", &token, hour, 1_500), Err(TokenError::Forged));
/// assert_eq!(rotated.open::<String>(Purpose::Flash, b"", &token, hour, 9_999), Err(TokenError::Expired));
/// # Ok::<_, live::token::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Keys {
    /// Each key's HMAC with the key already absorbed: a signature costs one clone and its payload.
    macs: Arc<[Hmac<Sha256>]>,
}

impl Keys {
    /// Keys from secrets of at least [`MIN_SECRET`] bytes, the one to sign with first.
    pub fn new<S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        let macs = secrets.into_iter().map(|secret| {
            let secret = secret.as_ref();
            if secret.len() < MIN_SECRET {
                return Err(KeyError::TooShort(secret.len()));
            }
            Hmac::<Sha256>::new_from_slice(secret).map_err(|_| KeyError::TooShort(secret.len()))
        });
        let macs: Arc<[_]> = macs.collect::<Result<_, _>>()?;
        if macs.is_empty() { Err(KeyError::None) } else { Ok(Self { macs }) }
    }

    /// Signs a payload at `now` (seconds since 1970). `bound_to` is what the reader must present again, such as
    /// the browser's own cookie; it does not travel in the token. The payload can be read by everybody.
    pub fn sign(&self, purpose: Purpose, bound_to: &[u8], payload: &impl Serialize, now: u64) -> String {
        let mut body = Vec::with_capacity(128);
        body.push(VERSION);
        body.extend_from_slice(&now.to_be_bytes());
        if serde_json::to_writer(&mut body, payload).is_err() {
            // Only a map with keys that are no strings gets here; such a token opens as malformed.
            body.truncate(HEAD);
        }
        let mac = tagged(&self.macs[0], purpose, bound_to, &body).finalize().into_bytes();
        body.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(body)
    }

    /// Reads a payload that was signed for this purpose and binding at most `max_age` before `now`.
    pub fn open<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        bound_to: &[u8],
        token: &str,
        max_age: Duration,
        now: u64,
    ) -> Result<T, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Malformed)?;
        let (body, mac) = bytes
            .len()
            .checked_sub(MAC)
            .filter(|&end| end >= HEAD && bytes[0] == VERSION)
            .map(|end| bytes.split_at(end))
            .ok_or(TokenError::Malformed)?;
        let genuine =
            self.macs.iter().any(|key| tagged(key, purpose, bound_to, body).verify_slice(mac).is_ok());
        if !genuine {
            return Err(TokenError::Forged);
        }
        let mut at = [0; 8];
        at.copy_from_slice(&body[1..HEAD]);
        // A token from the future comes from a machine whose clock is ahead: it is young, not old.
        if now.saturating_sub(u64::from_be_bytes(at)) > max_age.as_secs() {
            return Err(TokenError::Expired);
        }
        serde_json::from_slice(&body[HEAD..]).map_err(|_| TokenError::Malformed)
    }
}

/// The MAC of purpose, binding and body. The binding's length goes in, so that nothing can move between the two.
fn tagged(key: &Hmac<Sha256>, purpose: Purpose, bound_to: &[u8], body: &[u8]) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(b"live token");
    mac.update(&[purpose as u8]);
    mac.update(&(bound_to.len() as u64).to_be_bytes());
    mac.update(bound_to);
    mac.update(body);
    mac
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The keys themselves are never printed.
        write!(f, "Keys({})", self.macs.len())
    }
}

/// Seconds since 1970, now.
pub(crate) fn unix_now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
