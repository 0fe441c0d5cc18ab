//! Names for things: which cart, which order, which command.
//!
//! **Invariant.** An id of one kind can't be passed where another is meant, and none of them is made here: the
//! shell draws them (or derives them from its input) and hands them in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A text that is no id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no {1}")]
pub struct InvalidId(pub String, pub &'static str);

/// Which cart: 128 bits, written as 32 hexadecimal digits.
///
/// ```
/// use pulse_core::CartId;
/// let id = CartId(0xab);
/// assert_eq!(id.to_string(), "000000000000000000000000000000ab");
/// assert_eq!(id.to_string().parse::<CartId>(), Ok(id));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CartId(pub u128);

impl fmt::Display for CartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for CartId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId(text.to_owned(), "cart id (32 hexadecimal digits)");
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| invalid())
    }
}

/// Which order; the database counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub i64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which account; the database counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which cart command. A cart remembers its last ones, so that a repeat is answered and not done again; 64 bits
/// are enough to tell apart the few that one cart remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub u64);

/// Which state of a cart. The store accepts version `n + 1` only over version `n`: that is the fence between two owners
/// of one cart. [`Version::NONE`] is no row; a row begins with [`Version::first`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// The version of a cart that has no row.
    pub const NONE: Self = Self(0);

    /// The version with which a cart's row begins: the millisecond.
    ///
    /// A guest's row is deleted when it was left alone for days, and the same cart may be filled again. No version of the
    /// new row may be one of the old: an owner that still has the old row in mind would overwrite the new one. A row counts
    /// up by one a store, and no cart is stored a thousand times a second from its first day to its last, so the clock
    /// is ahead of whatever a deleted row had counted to.
    ///
    /// ```
    /// use pulse_core::{Timestamp, Version};
    /// let (then, days_later) = (Timestamp(1_291_191_960_000), Timestamp(1_293_783_960_000));
    /// assert!(Version::first(days_later) > Version(Version::first(then).0 + 1_000_000));
    /// assert!(Version::first(Timestamp(-5)) > Version::NONE);
    /// ```
    pub fn first(now: Timestamp) -> Self {
        Self(u64::try_from(now.0).unwrap_or_default().max(1))
    }

    /// The version that a successful store of this one's successor has.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The client's name for one checkout: repeating it finds the same order and never makes a second one.
///
/// 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckoutKey(Box<str>);

impl CheckoutKey {
    /// Checks and wraps a client's key.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId(text.to_owned(), "checkout key (1 to 128 visible ASCII characters)"))
        }
    }

    /// The key as the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CheckoutKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CheckoutKey {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::new(&text)
    }
}

impl From<CheckoutKey> for String {
    fn from(key: CheckoutKey) -> Self {
        key.0.into()
    }
}
