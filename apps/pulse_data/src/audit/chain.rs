//! The chain itself: what a row's hash is made of.
//!
//! **Invariant.** `hash(n) = sha256(label, hash(n - 1), n, fields of row n)`, each field with its length before it, so
//! no two different rows have the same bytes. Fields are taken as the bytes that the database holds, so a byte that
//! is no text any more is a difference and not a failure.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One link's hash.
pub(super) type Hash = [u8; 32];

/// What stands before the first row.
pub(super) const ROOT: Hash = [0; 32];

/// Changes when the form of the hashed bytes does.
const LABEL: &[u8] = b"pulse audit 1";

/// The columns that are hashed, as text in this order. `None` is a NULL, which the schema does not allow.
pub(super) type Fields = [Option<Vec<u8>>; 6];

/// The hash of row `seal_no` after a row of the hash `previous`.
pub(super) fn link(previous: &Hash, seal_no: i64, fields: &Fields) -> Hash {
    let mut sha = Sha256::new();
    sha.update(LABEL);
    sha.update(previous);
    sha.update(seal_no.to_be_bytes());
    for field in fields {
        match field {
            None => sha.update([0]),
            Some(bytes) => {
                sha.update([1]);
                sha.update((bytes.len() as u64).to_be_bytes());
                sha.update(bytes);
            }
        }
    }
    sha.finalize().into()
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Reads 64 lower-case hexadecimal digits. Other spellings of the same number are refused: they were not written
/// by us.
pub(super) fn unhex(text: &[u8]) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut hash = ROOT;
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != hash.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}

/// The end of the chain, to be kept where the database's owner can't change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many rows are sealed.
    pub seal_no: i64,
    /// The last one's hash, 64 hexadecimal digits.
    pub hash: String,
}

/// An exported head could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the audit head {path} can't be used: {source}")]
pub struct HeadFileError {
    path: String,
    source: io::Error,
}

impl Head {
    /// Writes the head as one line of JSON; the file is replaced as a whole or not at all.
    pub fn write_to(&self, path: &Path) -> Result<(), HeadFileError> {
        let fail = |source| HeadFileError { path: path.display().to_string(), source };
        let part = path.with_extension("part");
        let mut line = serde_json::to_vec(self).map_err(|error| fail(error.into()))?;
        line.push(b'\n');
        let mut file = fs::File::create(&part).map_err(fail)?;
        file.write_all(&line).and_then(|()| file.sync_all()).map_err(fail)?;
        fs::rename(&part, path).map_err(fail)
    }

    /// Reads an exported head.
    pub fn read_from(path: &Path) -> Result<Self, HeadFileError> {
        let fail = |source| HeadFileError { path: path.display().to_string(), source };
        let head: Self =
            serde_json::from_slice(&fs::read(path).map_err(fail)?).map_err(|error| fail(error.into()))?;
        if head.seal_no < 0 || unhex(head.hash.as_bytes()).is_none() {
            return Err(fail(io::Error::new(
                io::ErrorKind::InvalidData,
                "not a count and 64 hexadecimal digits",
            )));
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields() -> impl Strategy<Value = Fields> {
        proptest::array::uniform6(proptest::option::weighted(
            0.95,
            proptest::collection::vec(any::<u8>(), 0..20),
        ))
    }

    proptest! {
        #[test]
        fn any_other_row_has_another_hash(a in fields(), b in fields(), n in 1_i64.., m in 1_i64..) {
            prop_assert_eq!(link(&ROOT, n, &a) == link(&ROOT, m, &b), n == m && a == b);
        }

        #[test]
        fn moving_a_byte_over_a_border_is_another_row(left in ".{1,9}", right in ".{0,9}") {
            let row = |a: &str, b: &str| -> Fields {
                [Some(a.into()), Some(b.into()), None, None, None, None]
            };
            let (at, last) = left.char_indices().last().unwrap();
            let moved = format!("{last}{right}");
            prop_assert_ne!(link(&ROOT, 1, &row(&left, &right)), link(&ROOT, 1, &row(&left[..at], &moved)));
        }

        #[test]
        fn hex_reads_what_it_wrote(hash: [u8; 32]) {
            prop_assert_eq!(unhex(hex(&hash).as_bytes()), Some(hash));
        }
    }

    #[test]
    fn only_our_own_spelling_is_read() {
        assert_eq!(unhex("A".repeat(64).as_bytes()), None);
        assert_eq!(unhex("a".repeat(62).as_bytes()), None);
        assert_eq!(unhex("a".repeat(65).as_bytes()), None);
    }
}
