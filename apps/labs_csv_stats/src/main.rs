//! `csv-stats FILE…`: a table of the columns, and the dirt found.
//!
//! Exit codes: 0 all is in the statistics, 1 something was left out, 2 wrong usage, 65 the files do not go together, 66 a file can't
//! be opened, 74 reading failed, 130 interrupted. What was read until then is shown in every case.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use labs_csv_stats::{Depth, Effect, Options, Report, Stopped, Summary, grouped, read};

/// Statistics over CSV files of any size, in memory that does not grow with them.
#[derive(Parser)]
#[command(
    name = "csv-stats",
    version,
    after_help = "Example: csv-stats shop/2011-*.csv\n         zcat big.csv.gz | csv-stats --simple"
)]
struct Arguments {
    /// Files with the same heading are summed up together; `-`, or none, is standard input
    files: Vec<PathBuf>,
    /// What parts the fields: one character, or `tab`
    #[arg(short, long, default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// The first row is data too
    #[arg(long)]
    no_heading: bool,
    /// Without quantiles, distinct and most frequent values
    #[arg(long)]
    simple: bool,
    /// A table for each file
    #[arg(long)]
    each: bool,
}

const LEFT_OUT: u8 = 1;
const DATA_ERROR: u8 = 65;
const NO_INPUT: u8 = 66;
const IO_ERROR: u8 = 74;
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stop = Arc::new(AtomicBool::new(false));
    // The second Ctrl-C ends the program at once, should a read be stuck.
    let hooked = signal_hook::flag::register_conditional_shutdown(
        signal_hook::consts::SIGINT,
        i32::from(INTERRUPTED),
        Arc::clone(&stop),
    )
    .and_then(|_| signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop)));
    if let Err(error) = hooked {
        eprintln!("csv-stats: Ctrl-C will end the program without a table: {error}");
    }
    match run(&arguments, &stop) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads our output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("csv-stats: the table can't be written: {error}");
            ExitCode::from(IO_ERROR)
        }
    }
}

/// Reads the files and prints their tables; the error is one of printing.
fn run(arguments: &Arguments, stop: &Arc<AtomicBool>) -> io::Result<u8> {
    let options = Options {
        delimiter: arguments.delimiter,
        heading: !arguments.no_heading,
        depth: if arguments.simple { Depth::Simple } else { Depth::All },
    };
    let standard_input = [PathBuf::from("-")];
    let files = if arguments.files.is_empty() { &standard_input[..] } else { &arguments.files[..] };
    let mut output = io::stdout().lock();
    let mut together: Option<Summary> = None;
    let mut code = 0;
    for file in files {
        let name = if file.as_os_str() == "-" { "standard input".into() } else { file.display().to_string() };
        let source: Box<dyn Read> = match open(file) {
            Ok(source) => Box::new(UntilStopped { source, stop: Arc::clone(stop) }),
            Err(error) => {
                eprintln!("csv-stats: {name} can't be opened: {error}");
                code = code.max(NO_INPUT);
                continue;
            }
        };
        let summary = match read(source, &options) {
            Ok(summary) => summary,
            Err(Stopped { so_far, error }) => {
                let row = grouped(so_far.rows() + so_far.left_out() + 1);
                eprintln!("csv-stats: {name}, row {row}: {error}; the table holds what came before");
                code = code.max(if stop.load(Ordering::Relaxed) { INTERRUPTED } else { IO_ERROR });
                *so_far
            }
        };
        if summary.journal().gravest() > Some(Effect::Told) {
            code = code.max(LEFT_OUT);
        }
        writeln!(output, "{name}: {}", counts(&summary))?;
        match &mut together {
            Some(together) if !arguments.each => {
                if !together.merge(&summary) {
                    eprintln!("csv-stats: {name} has other headings than the files before: use --each");
                    code = code.max(DATA_ERROR);
                }
                write!(output, "{}", Report(&summary).dirt())?;
            }
            _ => {
                if arguments.each || files.len() == 1 {
                    let report = Report(&summary).to_string();
                    let gap = if report.is_empty() { "" } else { "\n" };
                    writeln!(output, "{gap}{report}")?;
                } else {
                    write!(output, "{}", Report(&summary).dirt())?;
                }
                together = Some(summary);
            }
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    if let Some(all) = together.filter(|_| !arguments.each && files.len() > 1) {
        writeln!(output, "\ntogether: {}\n\n{}", counts(&all), Report(&all).tables())?;
    }
    output.flush()?;
    Ok(code)
}

/// `-` is standard input; a folder is refused here and not at its first read.
fn open(file: &PathBuf) -> io::Result<Box<dyn Read>> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file)?;
    if opened.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    Ok(Box::new(opened))
}

fn counts(summary: &Summary) -> String {
    let tenths = summary.bytes() / 100_000;
    let megabytes = format!("{}.{}", grouped(tenths / 10), tenths % 10);
    let (rows, left_out) = (grouped(summary.rows()), grouped(summary.left_out()));
    if summary.columns().is_empty() {
        return "nothing in it, not even a heading".to_owned();
    }
    format!("{rows} rows, {left_out} left out, {} columns, {megabytes} MB", summary.columns().len())
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [b'"' | b'\n' | b'\r' | 0] => Err("quotes and line ends mean something else already".to_owned()),
        [byte] => Ok(*byte),
        _ => Err("one byte, please, or `tab`".to_owned()),
    }
}

/// A source that fails once Ctrl-C was pressed: an end would look like the end of the file.
struct UntilStopped {
    source: Box<dyn Read>,
    stop: Arc<AtomicBool>,
}

impl Read for UntilStopped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer);
        if self.stop.load(Ordering::Relaxed) { Err(io::Error::other("interrupted")) } else { read }
    }
}
