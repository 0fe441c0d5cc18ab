//! A folder of files: CSV, NDJSON or plain lines, also gzipped; read as a stream, a row a message.
//!
//! **Invariant.** Every record of every file becomes one message that knows its file and line, also one that can't be
//! read: that one comes failed, so that dirt ends among the dead letters and never disappears. Memory is one block a file
//! and the rows in flight.
//!
//! ```no_run
//! # use pipeline::{Failure, Handler, Message, Pipeline};
//! use pipeline::producers::files::{Files, Row};
//!
//! struct Prices;
//!
//! impl Handler for Prices {
//!     type In = Row;
//!     type Out = (String, u64);
//!
//!     async fn handle_message(&self, message: &mut Message<Row>) -> Result<Self::Out, Failure> {
//!         let row = &message.data;
//!         let cents = row.named("cents")?.parse().map_err(|_| row.reject("cents", "not a whole number"))?;
//!         Ok((row.named("sku")?.to_owned(), cents))
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut running = Pipeline::builder(Prices).producer(Files::folder("feeds")).start()?;
//! let drained = running.finished().await;
//! # Ok(()) }
//! ```

mod ends;
mod folder;
mod open;
mod reading;
mod records;
mod row;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use ends::FileEnd;
pub use row::{Format, Row, SourceFile};

use crate::ack::{BoxError, BoxFuture};
use crate::message::Message;
use crate::producer::Producer;
use ends::OnEnd;
use reading::Reading;

/// Where to begin in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With its first record.
    Beginning,
    /// With the first record that begins behind this line: an earlier run has stored what is before.
    AfterLine(u64),
    /// Not at all: it is known.
    Skip,
}

pub(crate) type Begin = Arc<dyn Fn(&Path) -> Start + Send + Sync>;

/// How files are read.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) format: Option<Format>,
    pub(crate) delimiter: u8,
    pub(crate) header: bool,
    pub(crate) longest: usize,
    pub(crate) begin: Option<Begin>,
    pub(crate) on_end: Option<OnEnd>,
}

/// The producer. Files are read one after the other.
pub struct Files {
    /// Away while a thread reads.
    reading: Option<Reading>,
    watched: Option<Watched>,
}

/// A folder that is looked into again and again.
struct Watched {
    folder: PathBuf,
    every: Duration,
}

impl Files {
    /// These files, in this order.
    pub fn new(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { reading: Some(Reading::new(paths.into_iter().map(Into::into).collect(), None)), watched: None }
    }

    /// The files of a folder (not of those inside it), by name. Names that begin with a dot or end with `.part` or
    /// `.tmp` are left alone: write a file under such a name and rename it when it is whole.
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Self { reading: Some(Reading::new(Vec::new(), Some(folder.into()))), watched: None }
    }

    /// Looks into the folder for new names again and again until the pipeline drains. A name is read once as long as it
    /// stays there. Without a folder this does nothing.
    #[must_use]
    pub fn watch(mut self, every: Duration) -> Self {
        let folder = self.reading.as_ref().and_then(Reading::folder).map(Path::to_path_buf);
        self.watched = folder.map(|folder| Watched { folder, every });
        self
    }

    /// Reads everything as this. Otherwise a file's name decides: `.csv` and `.tsv`, `.ndjson` and `.jsonl`, anything
    /// else lines, each with or without `.gz`. What is gzipped is seen by its first bytes.
    #[must_use]
    pub fn format(self, format: Format) -> Self {
        self.set(|options| options.format = Some(format))
    }

    /// What stands between fields; a comma unless told, a tabulator in `.tsv`.
    #[must_use]
    pub fn delimiter(self, delimiter: u8) -> Self {
        self.set(|options| options.delimiter = delimiter)
    }

    /// Whether a CSV file's first record names its fields, which is so unless told.
    #[must_use]
    pub fn header(self, header: bool) -> Self {
        self.set(|options| options.header = header)
    }

    /// Longer records come failed, cut; 1 MiB unless told. This is what ends a quote that is never closed.
    #[must_use]
    pub fn longest(self, bytes: usize) -> Self {
        self.set(|options| options.longest = bytes.max(1))
    }

    /// Asks before a file is opened where to begin. Called on a thread that may block.
    #[must_use]
    pub fn begin(self, begin: impl Fn(&Path) -> Start + Send + Sync + 'static) -> Self {
        self.set(|options| options.begin = Some(Arc::new(begin)))
    }

    /// Told once a file, when it was read to its end and all its rows are acknowledged: move it away, note its hash.
    #[must_use]
    pub fn on_end<F>(self, told: impl Fn(FileEnd) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.set(|options| {
            options.on_end = Some(Arc::new(move |end| -> BoxFuture<'static, ()> { Box::pin(told(end)) }));
        })
    }

    fn set(mut self, change: impl FnOnce(&mut Options)) -> Self {
        if let Some(reading) = &mut self.reading {
            change(reading.options());
        }
        self
    }
}

impl Producer for Files {
    type Item = Row;

    async fn produce(&mut self, demand: usize) -> Result<Option<Vec<Message<Row>>>, BoxError> {
        loop {
            // Gone after a panic below, or dropped in the middle by a drain: there is no more.
            let Some(mut reading) = self.reading.take() else { return Ok(None) };
            let read = tokio::task::spawn_blocking(move || {
                let rows = reading.read(demand);
                (reading, rows)
            });
            let (mut reading, rows) = match read.await {
                Ok(read) => read,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => return Err(error.into()),
            };
            let ended = reading.take_ended();
            self.reading = Some(reading);
            for file in ended {
                file.read_to_end().await;
            }
            match (rows, &self.watched) {
                (Ok(rows), _) if !rows.is_empty() => return Ok(Some(rows)),
                (Ok(_), None) => return Ok(None),
                (Ok(_), Some(watched)) => {
                    tracing::trace!(folder = %watched.folder.display(), "no new files");
                    tokio::time::sleep(watched.every).await;
                }
                (Err(error), _) => return Err(error.into()),
            }
        }
    }

    fn name(&self) -> &'static str {
        "files"
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("watched", &self.watched.is_some()).finish_non_exhaustive()
    }
}
