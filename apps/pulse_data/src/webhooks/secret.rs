//! What a message is signed with, in the form of Standard Webhooks: `whsec_` and base64.
//!
//! **Invariant.** 256 random bits; shown to a person when it is drawn and never again, and `Debug` does not show it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "whsec_";

/// A secret that an endpoint shares with the shop.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

impl SigningSecret {
    pub(super) fn draw() -> Self {
        Self(format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; 32]>())))
    }

    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text, for the endpoint's owner. Never log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The key that it stands for; `None` where the database's text is none.
    pub fn key(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.0.strip_prefix(PREFIX)?).ok()
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_hide_and_have_32_bytes() {
        let (a, b) = (SigningSecret::draw(), SigningSecret::draw());
        assert_ne!(a, b);
        assert_eq!(a.key().unwrap().len(), 32);
        assert_eq!(format!("{a:?}"), "SigningSecret(…)");
        assert_eq!(SigningSecret::stored("whsec_%".to_owned()).key(), None);
    }
}
