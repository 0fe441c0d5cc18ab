//! Reads the whole source into memory first: it works on every file that was tried at home.
//!
//! test: budget::memory_is_flat_in_rows
//! verdict: peak memory grows with the rows to the power of
//>> read
    let mut all = Vec::new();
    let mut source = io::BufReader::new(&mut source);
    match source.read_to_end(&mut all) {
        Ok(_) => {
            scan.feed(&all);
            Ok(scan.finish())
        }
        Err(error) => {
            scan.feed(&all);
            Err(Stopped { so_far: Box::new(scan.stop()), error })
        }
    }
//<<
