//! The code under which a product is kept.
//!
//! **Invariant.** A [`Sku`] is 1 to 23 of `A-Z 0-9 - _ .`, upper case, so equal products have equal codes. It is
//! stored in place (24 bytes, no allocation): a cart holds one a line, and there are many carts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MAX: usize = 23;

/// A text that is no product code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no product code: 1 to 23 letters, digits, '-', '_' or '.'")]
pub struct InvalidSku(pub String);

/// A product code.
///
/// ```
/// use pulse_core::Sku;
/// assert_eq!(Sku::new(" 85123a ").unwrap().as_str(), "85123A");
/// assert!(Sku::new("BANK CHARGES").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku {
    bytes: [u8; MAX],
    len: u8,
}

impl Sku {
    /// Trims, turns to upper case, and checks.
    pub fn new(text: &str) -> Result<Self, InvalidSku> {
        let code = text.trim();
        let fits = (1..=MAX).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !fits {
            return Err(InvalidSku(text.to_owned()));
        }
        let mut bytes = [0; MAX];
        for (to, from) in bytes.iter_mut().zip(code.bytes()) {
            *to = from.to_ascii_uppercase();
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked above: at most 23")]
        let len = code.len() as u8;
        Ok(Self { bytes, len })
    }

    /// The code, upper case.
    pub fn as_str(&self) -> &str {
        // Only ASCII was let in, so this never falls back.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sku({})", self.as_str())
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Sku {
    type Err = InvalidSku;

    fn from_str(text: &str) -> Result<Self, InvalidSku> {
        Self::new(text)
    }
}

impl TryFrom<String> for Sku {
    type Error = InvalidSku;

    fn try_from(text: String) -> Result<Self, InvalidSku> {
        Self::new(&text)
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.as_str().to_owned()
    }
}
