//! Writes a made-up shop's retail files: `cargo run -p pulse_ingest --example sample -- FOLDER [SEED [MONTHS [ROWS]]]`.
//!
//! With `apps/pulse_ingest/tests/data` and nothing else it writes the sample that the tests read.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().unwrap_or_else(|| "apps/pulse_ingest/tests/data".to_owned()));
    let mut number = |default: u64| args.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seed, months, rows) = (number(11), number(2), number(1300));
    for (name, text) in pulse_ingest::demo::files(seed, u32::try_from(months).unwrap_or(12).min(12), rows) {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
