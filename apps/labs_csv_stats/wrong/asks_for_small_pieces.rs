//! Asks the source for a line's worth of bytes at a time: flat in memory, and a call of the system for each row.
//!
//! test: budget::a_source_is_asked_for_large_pieces
//! verdict: bytes a read, in
//>> read
    let mut buffer = [0; 256];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(scan.finish()),
            Ok(read) => scan.feed(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stopped { so_far: Box::new(scan.stop()), error }),
        }
    }
//<<
