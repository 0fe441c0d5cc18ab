//! Signing a message, as [Standard Webhooks](https://www.standardwebhooks.com) says.
//!
//! **Invariant.** The signature covers id, time and body, so a message that was kept and sent later by somebody else is
//! known by its time. While a secret changes both sign, so a receiver may take up the new one when it likes.
//!
//! | header | content |
//! |---|---|
//! | `webhook-id` | the event's id: act on it once |
//! | `webhook-timestamp` | seconds since 1970, of this attempt |
//! | `webhook-signature` | `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, one a secret, with blanks between |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use pulse_core::Timestamp;
use pulse_data::webhooks::Outbound;
use sha2::Sha256;

/// The headers of a signed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
}

/// Signs a message at an instant; `None` where a secret can't be read.
pub fn sign(outbound: &Outbound, at: Timestamp) -> Option<Signed> {
    let (id, timestamp) = (outbound.event_id.clone(), at.0.div_euclid(1_000));
    let signed = |key: Vec<u8>| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{id}.{timestamp}.{}", outbound.payload).as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    let signatures: Option<Vec<String>> =
        outbound.secrets.iter().map(|secret| secret.key().and_then(signed)).collect();
    let signature = signatures.filter(|all| !all.is_empty())?.join(" ");
    Some(Signed { id, timestamp, signature })
}
