//! Takes a read that was interrupted for one that failed.
//!
//! test: faults::an_interrupted_read_is_tried_again
//! verdict: an interruption is no failure
//>> read
    let mut buffer = vec![0; CHUNK];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(scan.finish()),
            Ok(read) => scan.feed(&buffer[..read]),
            Err(error) => return Err(Stopped { so_far: Box::new(scan.stop()), error }),
        }
    }
//<<
