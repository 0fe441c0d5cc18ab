//! The secrets that sign what open pages hand back: a file, newest first.
//!
//! **Invariant.** A secret is 32 random bytes, readable by the shop's own user alone, and never shown. The first one
//! signs, all of them verify: to change it, put a new line on top and start the shop again; take the old line away once
//! no page of before is open.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::failure::{Exit, Failure};

/// The secrets of a file; a file that is missing is made with one.
pub(crate) fn load(file: &Path) -> Result<Vec<[u8; 32]>, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => read(&text).map_err(|line| {
            let message = format!(
                "line {line} of {} is no secret: each has 64 hexadecimal digits, as `openssl rand -hex 32` prints",
                file.display()
            );
            Failure::new(Exit::Config, message)
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let secret: [u8; 32] = rand::random();
            make(file, &secret).map_err(|error| Failure::io("make the file of secrets", file, &error))?;
            Ok(vec![secret])
        }
        Err(error) => Err(Failure::io("read the file of secrets", file, &error)),
    }
}

fn make(file: &Path, secret: &[u8; 32]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut text = secret.iter().fold(String::with_capacity(65), |mut text, byte| {
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        text
    });
    text.push('\n');
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()
}

/// The secrets of a text; the number of the first line that is none. Empty lines and comments (`#`) are passed over.
fn read(text: &str) -> Result<Vec<[u8; 32]>, usize> {
    let mut secrets = Vec::new();
    for (number, line) in (1_usize..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        secrets.push(bytes(line).ok_or(number)?);
    }
    if secrets.is_empty() { Err(1) } else { Ok(secrets) }
}

fn bytes(digits: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_and_read_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/secrets");
        let made = load(&file).unwrap();
        assert_eq!(load(&file).unwrap(), made);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_newest_comes_first_and_a_line_that_is_none_is_named() {
        let (a, b) = ("0a".repeat(32), "FF".repeat(32));
        assert_eq!(read(&format!("# new\n{a}\n\n{b}\n")), Ok(vec![[10; 32], [255; 32]]));
        for (text, line) in [("", 1), ("# none\n", 1), (&*format!("{a}\nxyz"), 2), (&*format!("{a}0"), 1)] {
            assert_eq!(read(text), Err(line), "{text:?}");
        }
    }
}
