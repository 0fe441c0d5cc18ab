//! A mailer that writes each letter to a file, to be looked at or picked up.
//!
//! **Invariant.** A file is there as a whole or not at all, and the same key is the same file: a repeated sending
//! replaces it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pulse_core::ports::{Clock, Mail, MailError, Mailer, PortFuture};

use crate::eml;

/// Writes `.eml` files into a folder.
#[derive(Clone)]
pub struct FileMailer {
    folder: PathBuf,
    from: String,
    clock: Arc<dyn Clock>,
}

impl FileMailer {
    /// Letters from `from` go to `folder`, which is made where it is missing.
    pub fn new(folder: &Path, from: &str, clock: Arc<dyn Clock>) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), from: from.to_owned(), clock })
    }

    /// Where the letter of a key lies.
    pub fn path(&self, key: &str) -> PathBuf {
        // Readable, and distinct whatever characters the key has.
        let readable: String = key
            .chars()
            .take(40)
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
            .collect();
        self.folder.join(format!("{readable}.{}.eml", eml::digest(key)))
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut file = fs::File::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)
}

impl Mailer for FileMailer {
    fn send(&self, mail: Mail) -> PortFuture<'_, Result<(), MailError>> {
        Box::pin(async move {
            let path = self.path(&mail.key);
            let text = eml::render(&mail, &self.from, self.clock.now());
            let shown = path.display().to_string();
            let fail = |error: &dyn std::fmt::Display| {
                MailError::Later(format!("{shown} can't be written: {error}"))
            };
            match tokio::task::spawn_blocking(move || write(&path, &text)).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(fail(&error)),
                Err(error) => Err(fail(&error)),
            }
        })
    }
}
