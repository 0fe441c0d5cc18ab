//! Random secrets that are handed out once and kept as a hash.
//!
//! **Invariant.** 256 random bits each; the database holds only a SHA-256 of them, with the secret's use in it, so a
//! reset link's token opens no session. A fast hash is enough: nobody guesses 256 bits.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A secret in the form that its holder presents. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for a cookie, a header or a link. Never log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Session,
    Csrf,
    ApiToken,
    Reset,
    Reminder,
}

impl Use {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Session => b"pulse session\0",
            Self::Csrf => b"pulse csrf\0",
            Self::ApiToken => b"pulse api token\0",
            Self::Reset => b"pulse reset\0",
            Self::Reminder => b"pulse reminder\0",
        }
    }
}

/// Draws a new secret with a readable prefix.
pub(super) fn draw(prefix: &str) -> Secret {
    let bytes: [u8; 32] = rand::random();
    Secret(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A secret as somebody presented it.
pub(super) fn present(presented: &str) -> Secret {
    Secret(presented.to_owned())
}

/// What the database keeps of a presented secret.
pub(super) fn hash(purpose: Use, presented: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(purpose, presented))
}

/// A secret for a link that stops reminders, and what the database keeps of it.
pub(crate) fn reminder_secret() -> (Secret, String) {
    let secret = draw("");
    let hash = reminder_hash(secret.reveal());
    (secret, hash)
}

/// What the database keeps of a presented secret of that kind.
pub(crate) fn reminder_hash(presented: &str) -> String {
    hash(Use::Reminder, presented)
}

/// A secret that is derived from another and says nothing about it.
pub(super) fn derive(purpose: Use, from: &str) -> Secret {
    Secret(hash(purpose, from))
}

/// Whether two texts are equal; the time it takes does not tell where they differ.
pub(super) fn same(left: &str, right: &str) -> bool {
    // Hashes of equal length are compared: neither the length nor a common beginning of the secrets shows.
    let (left, right) = (digest(Use::Csrf, left), digest(Use::Csrf, right));
    left.iter().zip(right).fold(0, |difference, (l, r)| difference | (l ^ r)) == 0
}

fn digest(purpose: Use, text: &str) -> [u8; 32] {
    Sha256::new().chain_update(purpose.label()).chain_update(text).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_hide() {
        let (a, b) = (draw("x_"), draw("x_"));
        assert_ne!(a, b);
        assert_eq!(a.reveal().len(), 2 + 43);
        assert_eq!(format!("{a:?}"), "Secret(…)");
        assert_ne!(hash(Use::Session, a.reveal()), hash(Use::Reset, a.reveal()));
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab"));
    }
}
