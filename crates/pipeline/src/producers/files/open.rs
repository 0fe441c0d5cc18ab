//! Opens a file: what is inside decides whether it is unpacked, its name how it is divided.
//!
//! **Invariant.** No more than a few bytes are read ahead to find out.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Chain, Cursor, Read, Result};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::row::Format;

/// The file's bytes, unpacked, without a byte order mark.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let (head, file) = peek(File::open(path)?, 2)?;
    if head == [0x1f, 0x8b] {
        return without_mark(MultiGzDecoder::new(Cursor::new(head).chain(file)));
    }
    without_mark(Cursor::new(head).chain(file))
}

fn without_mark(bytes: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
    match peek(bytes, 3) {
        Ok((head, rest)) if head == [0xef, 0xbb, 0xbf] => Ok(Box::new(rest)),
        Ok((head, rest)) => Ok(Box::new(chain(head, rest))),
        // An archive that breaks off this early.
        Err(error) => Err(error),
    }
}

fn chain<R: Read>(head: Vec<u8>, rest: R) -> Chain<Cursor<Vec<u8>>, R> {
    Cursor::new(head).chain(rest)
}

/// The first bytes, fewer if there are no more.
fn peek<R: Read>(mut bytes: R, n: u64) -> Result<(Vec<u8>, R)> {
    let mut head = Vec::new();
    bytes.by_ref().take(n).read_to_end(&mut head)?;
    Ok((head, bytes))
}

/// The format that a name stands for, and the delimiter if it names one.
pub(super) fn by_name(path: &Path) -> (Format, Option<u8>) {
    let extension = |path: &Path| path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    let stem = path.file_stem().map(Path::new);
    let inner = match extension(path).as_deref() {
        Some("gz") => stem.and_then(extension),
        other => other.map(ToOwned::to_owned),
    };
    match inner.as_deref() {
        Some("csv") => (Format::Csv, None),
        Some("tsv") => (Format::Csv, Some(b'\t')),
        Some("ndjson" | "jsonl") => (Format::Ndjson, None),
        _ => (Format::Lines, None),
    }
}
