//! Reads the files one after the other, on a thread that may block.
//!
//! **Invariant.** What can't be read becomes a failed row; the next record or file is read all the same.

use std::collections::VecDeque;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ends::FileAcks;
use super::folder::Folder;
use super::open::{by_name, open};
use super::records::{Record, Records};
use super::row::{Format, Row, SourceFile};
use super::{Options, Start};
use crate::ack::Acknowledger;
use crate::failure::Failure;
use crate::message::Message;

pub(super) struct Reading {
    options: Options,
    folder: Option<Folder>,
    waiting: VecDeque<PathBuf>,
    current: Option<Current>,
    /// Read to their ends in this call.
    ended: Vec<Arc<FileAcks>>,
}

/// The file that is being read.
struct Current {
    file: Arc<SourceFile>,
    records: Records,
    acks: Arc<FileAcks>,
    /// The same, as messages know it.
    source: Arc<dyn Acknowledger>,
    after: u64,
}

impl Reading {
    pub(super) fn new(paths: Vec<PathBuf>, folder: Option<PathBuf>) -> Self {
        let options = Options {
            format: None,
            delimiter: b',',
            header: true,
            longest: 1 << 20,
            begin: None,
            on_end: None,
        };
        let folder = folder.map(Folder::new);
        Self { options, folder, waiting: paths.into(), current: None, ended: Vec::new() }
    }

    pub(super) fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(Folder::path)
    }

    pub(super) fn take_ended(&mut self) -> Vec<Arc<FileAcks>> {
        std::mem::take(&mut self.ended)
    }

    /// At most `demand` rows; none: there are no more files now.
    pub(super) fn read(&mut self, demand: usize) -> Result<Vec<Message<Row>>> {
        let mut rows = Vec::with_capacity(demand);
        while rows.len() < demand {
            let Some(current) = &mut self.current else {
                if !self.open_next(&mut rows)? {
                    break;
                }
                continue;
            };
            let given = rows.len();
            let more = current.read(demand, self.options.longest, &mut rows);
            current.acks.given((rows.len() - given) as u64);
            if !more && let Some(current) = self.current.take() {
                self.ended.push(current.acks);
            }
        }
        Ok(rows)
    }

    /// Opens the next file; `false`: there is none. One that can't be opened becomes a failed row.
    fn open_next(&mut self, rows: &mut Vec<Message<Row>>) -> Result<bool> {
        if self.waiting.is_empty()
            && let Some(folder) = &mut self.folder
        {
            self.waiting.extend(folder.new_files()?);
        }
        let Some(path) = self.waiting.pop_front() else { return Ok(false) };
        let after = match self.options.begin.as_ref().map_or(Start::Beginning, |begin| begin(&path)) {
            Start::Beginning => 0,
            Start::AfterLine(line) => line,
            Start::Skip => return Ok(true),
        };
        let (by_its_name, its_delimiter) = by_name(&path);
        let format = self.options.format.unwrap_or(by_its_name);
        let delimiter = its_delimiter.unwrap_or(self.options.delimiter);
        let opened = open(&path).and_then(|bytes| {
            let mut records = Records::new(bytes, format, delimiter, self.options.longest);
            let mut header = Vec::new();
            if format == Format::Csv && self.options.header && records.next()? != Record::End {
                let (fields, ends) = records.fields();
                let froms = std::iter::once(0).chain(ends.iter().copied());
                let names = froms.zip(ends).map(|(from, end)| String::from_utf8_lossy(&fields[from..*end]));
                header = names.map(|name| name.trim().to_owned()).collect();
            }
            Ok((records, header))
        });
        let (records, header) = match opened {
            Ok((records, header)) => (Ok(records), header),
            Err(error) => (Err(error), Vec::new()),
        };
        let file = Arc::new(SourceFile { path, format, header });
        let acks = Arc::new(FileAcks::new(Arc::clone(&file), self.options.on_end.clone()));
        let source = Arc::clone(&acks) as Arc<dyn Acknowledger>;
        match records {
            Ok(records) => self.current = Some(Current { file, records, acks, source, after }),
            Err(error) => {
                let error = format!("{}: it can't be opened: {error}", file.path.display());
                tracing::warn!(error, "a file can't be opened");
                rows.push(bad(&file, &source, 0, b"", Failure::reject(&error)));
                acks.given(1);
                acks.broke_off(error);
                self.ended.push(acks);
            }
        }
        Ok(true)
    }
}

impl Current {
    /// Reads until there are `demand` rows; `false`: the file has ended.
    fn read(&mut self, demand: usize, longest: usize, rows: &mut Vec<Message<Row>>) -> bool {
        while rows.len() < demand {
            match self.records.next() {
                Ok(Record::Whole { line }) if line <= self.after => {}
                Ok(Record::TooLong { line }) if line <= self.after => {}
                Ok(Record::Whole { line }) => {
                    let row = pack(&self.file, line, &self.records);
                    rows.push(Message::new(row, &self.source, line));
                }
                Ok(Record::TooLong { line }) => {
                    let name = self.file.name();
                    let failure = Failure::reject(format_args!(
                        "{name} line {line}: the record is longer than {longest} bytes"
                    ));
                    rows.push(bad(&self.file, &self.source, line, self.records.raw(), failure));
                }
                Ok(Record::End) => return false,
                Err(error) => {
                    let line = self.records.line();
                    let name = self.file.name();
                    let error = format!("{name} line {line}: the file breaks off: {error}");
                    tracing::warn!(error, "a file breaks off");
                    let failure = Failure::reject(&error);
                    rows.push(bad(&self.file, &self.source, line, self.records.raw(), failure));
                    self.acks.broke_off(error);
                    return false;
                }
            }
        }
        true
    }
}

/// A row that comes failed; it has no fields.
fn bad(
    file: &Arc<SourceFile>,
    source: &Arc<dyn Acknowledger>,
    line: u64,
    raw: &[u8],
    failure: Failure,
) -> Message<Row> {
    let row = Row { file: Arc::clone(file), line, bytes: raw.into(), raw: raw.len(), fields: 0 };
    let mut message = Message::new(row, source, line);
    message.fail(failure);
    message
}

fn pack(file: &Arc<SourceFile>, line: u64, records: &Records) -> Row {
    let (raw, (fields, ends)) = (records.raw(), records.fields());
    let mut bytes = Vec::with_capacity(raw.len() + fields.len() + 4 * ends.len());
    bytes.extend_from_slice(raw);
    bytes.extend_from_slice(fields);
    for end in ends {
        // No record is longer than `usize` of `longest`; beyond 4 GiB the place is cut to the last that fits.
        bytes.extend_from_slice(&u32::try_from(*end).unwrap_or(u32::MAX).to_le_bytes());
    }
    Row {
        file: Arc::clone(file),
        line,
        bytes: bytes.into_boxed_slice(),
        raw: raw.len(),
        fields: fields.len(),
    }
}
