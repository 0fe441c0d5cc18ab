//! The second pass over a file: its rows in batches, read on a thread of its own.
//!
//! **Invariant.** At most a few batches are read ahead, so memory does not grow with the file. It reads the bytes that
//! the survey read, whatever was appended or put in their place since; only a file that was overwritten in place is no
//! longer what the survey saw, and that is found out at its end.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use pulse_core::{CartId, Money, Quantity, Sku, Timestamp};
use pulse_data::imports::DeadLetter;
use tokio::sync::mpsc;

use super::names::{FileHash, Invoice};
use super::survey::{Hashing, row_number};
use super::texts::country;
use crate::retail::{Line, Records, Row, classify};

/// Batches that are read ahead.
pub(super) const AHEAD: usize = 4;
const BATCH: usize = 256;
/// What is kept of a dead row, in bytes.
const EXCERPT: usize = 500;

/// A sale or return, free of the reader's buffers.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) row: u32,
    pub(super) cart: CartId,
    pub(super) invoice: Box<str>,
    pub(super) sku: Sku,
    pub(super) quantity: Quantity,
    pub(super) price: Money,
    pub(super) at: Timestamp,
    pub(super) customer: Option<i64>,
    pub(super) country: Box<str>,
    /// Nothing of this invoice comes after it in the file.
    pub(super) last: bool,
}

/// A row, ready to be acted upon.
#[derive(Debug)]
pub(super) enum Item {
    Sale(Entry),
    Return(Entry),
    Dead(DeadLetter),
}

/// Rows that follow each other.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// How much of the file was read by then.
    pub(super) bytes: u64,
}

/// Sends the rows of the content that was surveyed as `hash`, until it ends or nobody listens. Blocks. Answers the hash
/// of what was read; `None` where the listener left before the end.
pub(super) fn feed(
    (mut file, bytes): (File, u64),
    hash: FileHash,
    ends: &HashMap<Invoice, u32>,
    to: &mpsc::Sender<Batch>,
) -> io::Result<Option<FileHash>> {
    file.rewind()?;
    let mut records = Records::new(Hashing::new(file.take(bytes)));
    let mut items = Vec::with_capacity(BATCH);
    loop {
        let ended = match records.next()? {
            Some(record) => {
                let row = row_number(record.number)?;
                items.push(match classify(&record) {
                    Row::Sale(line) => Item::Sale(entry(row, &line, hash, ends)),
                    Row::Return(line) => Item::Return(entry(row, &line, hash, ends)),
                    Row::Dead(reason) => Item::Dead(DeadLetter {
                        row: record.number,
                        reason: reason.name().to_owned(),
                        payload: record.excerpt(EXCERPT),
                    }),
                });
                false
            }
            None => true,
        };
        if ended || items.len() == BATCH {
            let items = std::mem::replace(&mut items, Vec::with_capacity(BATCH));
            if to.blocking_send(Batch { items, bytes: records.bytes_read() }).is_err() {
                return Ok(None);
            }
        }
        if ended {
            return Ok(Some(records.into_source().finish().1));
        }
    }
}

fn entry(row: u32, line: &Line<'_>, hash: FileHash, ends: &HashMap<Invoice, u32>) -> Entry {
    let invoice = Invoice::of(line.invoice);
    Entry {
        row,
        cart: hash.cart(invoice),
        invoice: line.invoice.into(),
        sku: line.sku,
        quantity: line.quantity,
        price: line.price,
        at: line.at,
        customer: line.customer,
        country: country(line.country).into(),
        last: ends.get(&invoice) == Some(&row),
    }
}
