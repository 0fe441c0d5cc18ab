//! The first pass over a file: what it is known by, what it will sell, and where each invoice ends.
//!
//! **Invariant.** Memory grows with the distinct products, invoices and customers of a file, never with its rows.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pulse_core::{Money, Sku, Timestamp};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::names::{FileHash, Invoice};
use super::texts::{country, name};
use crate::retail::{Line, Records, Row, classify};

/// A product, as its first row in the file tells of it.
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub(super) name: String,
    pub(super) price: Money,
    pub(super) at: Timestamp,
    /// Pieces that the file will sell.
    pub(super) sold: i64,
}

/// What the first pass found.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) hash: FileHash,
    pub(super) products: BTreeMap<Sku, Product>,
    /// The last row of each invoice and credit note: then it is complete.
    pub(super) ends: HashMap<Invoice, u32>,
    /// Customers with a sale, and where the first one went to.
    pub(super) customers: BTreeMap<i64, String>,
    /// What was read, and how far: the second pass reads the same bytes, though the path may name another file by
    /// then, or something may have been appended.
    pub(super) content: (File, u64),
}

/// Reads through a file and hashes it on the way.
pub(super) struct Hashing<R> {
    source: R,
    hash: Sha256,
}

impl<R> Hashing<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, hash: Sha256::new() }
    }

    /// What was hashed, and its hash.
    pub(super) fn finish(self) -> (R, FileHash) {
        (self.source, FileHash(self.hash.finalize().into()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// A row's number as the half of a command id that it is.
pub(super) fn row_number(number: u64) -> io::Result<u32> {
    u32::try_from(number).map_err(|_| {
        io::Error::new(io::ErrorKind::FileTooLarge, "more than 4,294,967,295 rows: cut the file in two")
    })
}

/// Surveys a file. Blocks; `None` where `stop` was asked for.
pub(super) fn survey(path: &Path, stop: &CancellationToken) -> io::Result<Option<Survey>> {
    let mut records = Records::new(Hashing::new(File::open(path)?));
    let (mut products, mut ends, mut customers) = (BTreeMap::new(), HashMap::new(), BTreeMap::new());
    while let Some(record) = records.next()? {
        let row = row_number(record.number)?;
        if row.is_multiple_of(4096) && stop.is_cancelled() {
            return Ok(None);
        }
        let (line, sold) = match classify(&record) {
            Row::Sale(line) => (line, line.quantity.get()),
            Row::Return(line) => (line, 0),
            Row::Dead(_) => continue,
        };
        ends.insert(Invoice::of(line.invoice), row);
        if let Some(customer) = line.customer.filter(|_| sold > 0) {
            customers.entry(customer).or_insert_with(|| country(line.country).to_owned());
        }
        note(&mut products, &line, sold);
    }
    let bytes = records.bytes_read();
    let (file, hash) = records.into_source().finish();
    Ok(Some(Survey { hash, products, ends, customers, content: (file, bytes) }))
}

fn note(products: &mut BTreeMap<Sku, Product>, line: &Line<'_>, sold: i64) {
    let product = products.entry(line.sku).or_insert_with(|| Product {
        name: name(line.description).to_owned(),
        price: line.price,
        at: line.at,
        sold: 0,
    });
    product.sold = product.sold.saturating_add(sold);
}
