//! The imperative shell: reads a source to its end, a piece at a time.
//!
//! **Invariant.** One buffer of constant size. An error in the middle is never taken for the end, and what was read until then is
//! not lost.

use std::io::{self, Read};

use crate::summary::{Options, Scan, Summary};

/// Bytes that are asked for at a time.
const CHUNK: usize = 128 * 1024;

/// The source failed before its end.
#[derive(Debug, thiserror::Error)]
#[error("stopped after {} bytes, in row {}: {error}", so_far.bytes(), so_far.rows() + so_far.left_out() + 1)]
pub struct Stopped {
    /// The statistics of the rows that were read in full.
    pub so_far: Box<Summary>,
    /// Why.
    #[source]
    pub error: io::Error,
}

/// Reads a source to its end.
pub fn read(mut source: impl Read, options: &Options) -> Result<Summary, Stopped> {
    let mut scan = Scan::new(options);
    //>> read
    //? What does a read of nothing mean? Which error means that one should simply try again?
    let mut buffer = vec![0; CHUNK];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(scan.finish()),
            Ok(read) => scan.feed(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stopped { so_far: Box::new(scan.stop()), error }),
        }
    }
    //<<
}
