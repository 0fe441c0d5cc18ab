//! Feeds the whole buffer, also when a read has filled only its beginning.
//!
//! test: faults::a_short_read_is_not_the_last
//! verdict: of a source that gives byte by byte
//>> read
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(scan.finish()),
            Ok(_) => scan.feed(&buffer),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stopped { so_far: Box::new(scan.stop()), error }),
        }
    }
//<<
