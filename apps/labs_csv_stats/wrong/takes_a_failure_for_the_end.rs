//! Reads for as long as reading works, and calls what it has the file.
//!
//! test: faults::a_failure_is_not_the_end_of_the_file
//! verdict: rows were called all
//>> read
    let mut buffer = vec![0; CHUNK];
    loop {
        match source.read(&mut buffer) {
            Ok(read) if read > 0 => scan.feed(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return Ok(scan.finish()),
        }
    }
//<<
