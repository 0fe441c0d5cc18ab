//! An e-mail address in the one form that is stored and compared.
//!
//! **Invariant.** Lower case, no spaces, no control characters, one `@` with something on both sides: so it names an
//! account in one way only, and can't break out of a mail's header line.

use std::fmt;
use std::str::FromStr;

/// A normalised address.
///
/// ```
/// use pulse_data::accounts::Email;
/// let email: Email = " Ann@Example.COM ".parse().unwrap();
/// assert_eq!(email.as_str(), "ann@example.com");
/// assert!("ann@example.com\r\nBcc: all".parse::<Email>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

/// A text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address like ann@example.com, of at most 254 characters")]
pub struct InvalidEmail;

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let email = text.trim().to_lowercase();
        let (local, domain) = email.rsplit_once('@').ok_or(InvalidEmail)?;
        let plain = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| {
                    !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | '<' | '>' | ',' | ';' | '"')
                })
        };
        let fits = email.len() <= 254 && local.len() <= 64;
        if fits && plain(local) && plain(domain) { Ok(Self(email)) } else { Err(InvalidEmail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "@", "ann", "ann@", "@example.com", "a b@c.d", "a@b@c", "a@b\nc", "a,b@c", "<a@b>"] {
            assert_eq!(text.parse::<Email>(), Err(InvalidEmail), "{text:?}");
        }
        assert!(format!("{}@b.c", "a".repeat(64)).parse::<Email>().is_ok());
        assert!(format!("{}@b.c", "a".repeat(65)).parse::<Email>().is_err());
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{1,10}@\\PC{1,10}") {
            if let Ok(once) = text.parse::<Email>() {
                prop_assert_eq!(once.as_str().parse::<Email>(), Ok(once));
            }
        }
    }
}
