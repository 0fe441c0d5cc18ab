//! Takes an end that came too soon for the end of the file: half an archive is a whole file to it.
//!
//! test: faults::a_failure_is_not_the_end_of_the_file
//! verdict: the source failed
//>> read
    let mut buffer = vec![0; CHUNK];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(scan.finish()),
            Ok(read) => scan.feed(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(scan.finish()),
            Err(error) => return Err(Stopped { so_far: Box::new(scan.stop()), error }),
        }
    }
//<<
