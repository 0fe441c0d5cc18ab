//! The names under which a replay's doings are known, all derived from the files.
//!
//! **Invariant.** The same row of the same file always gives the same names: so whatever is done twice, after a crash or
//! by feeding a file again, is recognised by whoever keeps the name, and done once.

use std::fmt::{self, Write as _};

use pulse_core::{CartId, CheckoutKey, CommandId, InvalidId};
use sha2::{Digest, Sha256};

/// What a file is known by: the SHA-256 of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHash(pub [u8; 32]);

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FileHash {
    /// The first 64 bits in hexadecimal digits: enough where another part of the name tells the invoice.
    fn short(&self) -> String {
        let mut short = self.to_string();
        short.truncate(16);
        short
    }

    /// The cart that this file's lines of an invoice are filled into. Each file has carts of its own, so files may be
    /// broken off and taken up in any order.
    pub(super) fn cart(&self, invoice: Invoice) -> CartId {
        CartId(first_half(&self.0) ^ invoice.0)
    }

    /// What the command ids of this file begin with.
    const fn tag(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// The cart command of a row.
    pub(super) const fn command(&self, row: u32) -> CommandId {
        CommandId(((self.tag() as u64) << 32) | row as u64)
    }

    /// The row whose command this is, if it is one of this file.
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the id")]
    pub(super) const fn row_of(&self, command: CommandId) -> Option<u32> {
        if (command.0 >> 32) as u32 == self.tag() { Some(command.0 as u32) } else { None }
    }

    /// The checkout of this file's lines of an invoice.
    pub(super) fn checkout(&self, cart: CartId) -> Result<CheckoutKey, InvalidId> {
        CheckoutKey::new(&format!("replay-{}-{cart}", self.short()))
    }

    /// A row of a credit note.
    pub(super) fn line(&self, row: u32) -> String {
        let mut key = self.short();
        // Writing to a string can't fail.
        let _ = write!(key, ":{row}");
        key
    }

    /// The delivery of what this file sells.
    pub(super) fn delivery(&self) -> String {
        format!("replay:{self}")
    }
}

/// An invoice's number, as short as a number: 128 bits of its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Invoice(u128);

impl Invoice {
    pub(super) fn of(number: &str) -> Self {
        Self(first_half(&Sha256::digest(number.as_bytes())))
    }
}

fn first_half(digest: &[u8]) -> u128 {
    digest.iter().take(16).fold(0, |half, byte| (half << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::{FileHash, Invoice};

    #[test]
    fn a_command_tells_its_row_to_its_own_file_only() {
        let (mine, other) = (FileHash([7; 32]), FileHash([8; 32]));
        for row in [1, 77, u32::MAX] {
            assert_eq!(mine.row_of(mine.command(row)), Some(row));
            assert_eq!(other.row_of(mine.command(row)), None);
        }
    }

    #[test]
    fn names_differ_by_file_and_invoice() {
        let (mine, other) = (FileHash([7; 32]), FileHash([8; 32]));
        let cart = |file: FileHash, invoice| file.cart(Invoice::of(invoice));
        assert_ne!(cart(mine, "536365"), cart(mine, "536366"));
        assert_ne!(cart(mine, "536365"), cart(other, "536365"));
        let key = mine.checkout(cart(mine, "536365")).unwrap();
        assert_eq!(key.as_str(), format!("replay-0707070707070707-{}", cart(mine, "536365")));
        assert_ne!(key, other.checkout(cart(other, "536365")).unwrap());
        assert_ne!(mine.line(1), mine.line(2));
        assert_ne!(mine.delivery(), other.delivery());
    }
}
