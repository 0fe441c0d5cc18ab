//! A feed's file, opened: what it is known by, how it is written, and its rows.
//!
//! **Invariant.** A file is read twice, the same bytes both times: first wholly, for its hash, so that a delivery that broke
//! off is refused before any row of it is done; then row by row. Packed and unpacked, the same rows have the same hash.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use pulse_data::feeds::{Format, Kind};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::raw::Rows;

/// Anything that rows are read from.
pub(super) type Source = Box<dyn Read + Send>;

/// Why a file is no feed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing says what it tells of.
    #[error(
        "{}: its name does not say what it tells of: begin it with catalogue, prices, stock or orders, or use --kind",
        .0.display()
    )]
    Kind(PathBuf),
    /// Nothing says how it is written.
    #[error("{}: its name ends in none of .csv, .ndjson, .jsonl (and .gz after them): use --format", .0.display())]
    Format(PathBuf),
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
}

/// What a file's name says: `prices-monday.csv.gz` tells of prices, in CSV.
pub fn kind_of(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    Kind::ALL
        .iter()
        .copied()
        .find(|kind| name.strip_prefix(kind.name()).is_some_and(|rest| rest.starts_with(['-', '_', '.'])))
}

/// How a file of that name is written.
pub fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "csv" => Some(Format::Csv),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        _ => None,
    }
}

/// Reads through something, counts on the way, and hashes.
struct Counting<R> {
    source: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// What was read of a file so far, and its hash at the end.
struct Hashing<R> {
    source: R,
    hash: Sha256,
    expected: [u8; 32],
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hash.update(&buffer[..read]);
        if read == 0 && !buffer.is_empty() && <[u8; 32]>::from(self.hash.clone().finalize()) != self.expected
        {
            return Err(io::Error::other("it was changed while it was read: feed the file that it is now"));
        }
        Ok(read)
    }
}

/// A feed's rows, ready to be read.
pub(super) struct Opened {
    /// The SHA-256 of its content, unpacked, in hexadecimal digits.
    pub(super) content: String,
    pub(super) rows: Rows<Source>,
    /// The header's names; `None` where there should be one and the file is empty.
    pub(super) header: Option<Vec<String>>,
    /// Bytes of the file that were read of its second pass.
    pub(super) read: Arc<AtomicU64>,
}

/// What is wrong with content that can't be unpacked to its end.
pub(super) const BROKEN_OFF: &str = "it is packed and breaks off before its end: have it sent again";

/// Opens a file: reads it once, and makes its rows ready. Blocks. The inner error is the file's own: it is refused.
pub(super) fn file(
    path: &Path,
    format: Format,
    stop: &CancellationToken,
) -> Result<Result<Opened, String>, OpenError> {
    let failed = |source| OpenError::Read { path: path.to_owned(), source };
    let mut first = File::open(path).map_err(failed)?;
    let size = first.metadata().map_err(failed)?.len();
    let packed = is_packed(&mut first).map_err(failed)?;
    let read = Arc::new(AtomicU64::new(0));
    let second = first.try_clone().map_err(failed)?;
    first.rewind().map_err(failed)?;
    let hash = match hash(unpacked(first.take(size), packed), stop) {
        Ok(Some(hash)) => hash,
        Ok(None) => return Err(OpenError::Stopped),
        Err(error) if packed && is_broken(&error) => return Ok(Err(BROKEN_OFF.to_owned())),
        Err(error) => return Err(failed(error)),
    };
    let mut second = second;
    second.rewind().map_err(failed)?;
    let counting = Counting { source: second.take(size), read: Arc::clone(&read) };
    opened(unpacked(counting, packed), hash, format, read).map(Ok).map_err(failed)
}

/// Opens a body that is in memory. The error is the body's own: it is refused.
pub(super) fn body(body: Vec<u8>, format: Format) -> Result<Opened, String> {
    let packed = body.starts_with(&MAGIC);
    let never = CancellationToken::new();
    let wrong = |error: io::Error| if packed { BROKEN_OFF.to_owned() } else { error.to_string() };
    let hash = hash(unpacked(Cursor::new(body.clone()), packed), &never).map_err(wrong)?.unwrap_or_default();
    opened(unpacked(Cursor::new(body), packed), hash, format, Arc::default()).map_err(wrong)
}

/// The most bytes that a posted body may unpack to, usually. A larger feed is a file, or several bodies.
pub const MOST_UNPACKED: u64 = 1 << 30;

/// A posted body that unpacks to more bytes than these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body unpacks to more than {0} bytes: post it in parts, or feed it as a file")]
pub struct TooLarge(pub u64);

/// What a posted body is known by: the SHA-256 of its rows, in hexadecimal digits, however they are packed; so the same rows
/// as a file are the same feed. One that unpacks to more than `most` bytes is refused where it does, so what a few packed
/// bytes can cost is bounded. Of a body that breaks off, which is refused later, what came is hashed as it came. Blocks;
/// O(unpacked bytes) time, memory flat.
///
/// ```
/// use pulse_ingest::feed::{MOST_UNPACKED, TooLarge, content_of};
/// # use std::io::Write as _;
/// # let mut packing = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
/// # packing.write_all(b"sku,delta\nA,1\n").unwrap();
/// # let packed = packing.finish().unwrap();
/// assert_eq!(content_of(&packed, MOST_UNPACKED), content_of(b"sku,delta\nA,1\n", MOST_UNPACKED));
/// assert_eq!(content_of(&packed, 13), Err(TooLarge(13)));
/// ```
pub fn content_of(body: &[u8], most: u64) -> Result<String, TooLarge> {
    if body.starts_with(&MAGIC) {
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
        let (mut unpacking, mut unpacked) = (MultiGzDecoder::new(body), 0);
        loop {
            match unpacking.read(&mut buffer) {
                Ok(0) => return Ok(digits(hash.finalize().into())),
                Ok(read) => {
                    unpacked += read as u64;
                    if unpacked > most {
                        return Err(TooLarge(most));
                    }
                    hash.update(&buffer[..read]);
                }
                Err(_) => break,
            }
        }
    }
    Ok(digits(Sha256::digest(body).into()))
}

fn digits(hash: [u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn opened(source: Source, hash: [u8; 32], format: Format, read: Arc<AtomicU64>) -> io::Result<Opened> {
    let source = Hashing { source, hash: Sha256::new(), expected: hash };
    let (rows, header) = Rows::open(format, Box::new(source) as Source)?;
    Ok(Opened { content: digits(hash), rows, header, read })
}

const MAGIC: [u8; 2] = [0x1f, 0x8b];

fn is_packed(file: &mut File) -> io::Result<bool> {
    let mut magic = [0; 2];
    let read = super::raw::fill(file, &mut magic, 2)?;
    Ok(read == 2 && magic == MAGIC)
}

fn unpacked(source: impl Read + Send + 'static, packed: bool) -> Source {
    if packed { Box::new(BufReader::new(MultiGzDecoder::new(source))) } else { Box::new(source) }
}

/// Whether the packing is at fault, and not the disk.
fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
    )
}

fn hash(mut source: Source, stop: &CancellationToken) -> io::Result<Option<[u8; 32]>> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(Some(hash.finalize().into())),
            Ok(read) => hash.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if stop.is_cancelled() {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_file_tells_of_and_how_it_is_written() {
        let of = |name: &str| (kind_of(Path::new(name)), format_of(Path::new(name)));
        assert_eq!(of("in/prices-monday.csv.gz"), (Some(Kind::Prices), Some(Format::Csv)));
        assert_eq!(of("STOCK.NDJSON"), (Some(Kind::Stock), Some(Format::Ndjson)));
        assert_eq!(of("orders_7.jsonl"), (Some(Kind::Orders), Some(Format::Ndjson)));
        assert_eq!(of("pricesmonday.txt"), (None, None));
    }
}
