//! What statistics cost, beside merely reading: CPU of each in turn over the same files, and the peak memory of the process.
//!
//! `PULSE_RETAIL_DATA=FOLDER cargo bench -p labs_csv_stats`, or name files after `--`; without data it makes up a file. Where `qsvlite`
//! is on the path, it takes its turn too, one process a file. qsv 16.1.0 does not build as it is published: unpack its source, take out the
//! one line of `src/cmd/json.rs` that the compiler names, then `cargo install --locked --path . --features lite --bin qsvlite`. The other
//! peers are timed by `bench/peers/csv_stats.py`.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::expect_used, reason = "a benchmark that can't go on shall stop")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use labs_csv_stats::{Depth, Options, Splitter, read};
use rustix::time::{ClockId, clock_gettime};

/// Rounds over small files; a large one is read twice.
const ROUNDS: usize = 15;

type Reading = (&'static str, fn(&Path) -> u64);

const READINGS: [Reading; 4] = [
    ("csv crate, raw records", raw_of_the_csv_crate),
    ("rows and fields alone", rows_alone),
    ("simple statistics", |path| statistics(path, Depth::Simple)),
    ("all statistics", |path| statistics(path, Depth::All)),
];

fn main() {
    let (files, _scratch) = files();
    let bytes: u64 = files.iter().map(|file| file.metadata().expect("a file").len()).sum();
    let rounds = if bytes > 200_000_000 { 2 } else { ROUNDS };
    let mut times = vec![Vec::new(); READINGS.len()];
    for _ in 0..rounds {
        for ((name, reading), times) in READINGS.iter().zip(&mut times) {
            let start = cpu();
            let rows: u64 = files.iter().map(|file| reading(file)).sum();
            times.push(cpu().saturating_sub(start));
            assert!(rows > 0, "{name} read nothing");
        }
    }
    let medians: Vec<Duration> = times.iter_mut().map(|times| median(times)).collect();
    println!("csv,bytes,{bytes},rounds,{rounds}");
    for ((name, _), median) in READINGS.iter().zip(&medians) {
        let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
        let speed = bytes as f64 / median.as_secs_f64() / 1e6;
        println!("csv,{name},{:.1} ms of CPU,{speed:.0} MB/s,{ratio:.2} x raw", median.as_secs_f64() * 1e3);
    }
    println!("csv,peak memory of the process,{}", peak());
    for (name, asked) in QSV {
        let Some(mut times) = qsv(&files, rounds, asked) else { break };
        let (median, raw) = (median(&mut times), medians[0].as_secs_f64());
        let (spent, ratio) = (median.as_secs_f64(), median.as_secs_f64() / raw);
        println!(
            "csv,{name},{:.0} ms of CPU,{:.0} MB/s,{ratio:.2} x raw",
            spent * 1e3,
            bytes as f64 / spent / 1e6
        );
    }
}

/// What the peer is asked for: the same as our simple statistics, and what comes near to all of ours (its own are exact, in memory).
const QSV: [(&str, &[&str]); 2] = [
    ("qsv stats, simple", &[]),
    ("qsv stats, all", &["--quartiles", "--cardinality", "--mode", "--infer-dates"]),
];

/// The CPU of the peer's processes, a round each, on one thread and without its cache; none if it is not there.
fn qsv(files: &[PathBuf], rounds: usize, asked: &[&str]) -> Option<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let before = cpu_of_children();
        for file in files {
            let mut stats = Command::new("qsvlite");
            stats.args(["stats", "--force", "--cache-threshold", "0", "--jobs", "1"]).args(asked).arg(file);
            let ended = stats.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
            assert!(ended.success(), "qsvlite refused {}", file.display());
        }
        times.push(cpu_of_children().saturating_sub(before));
    }
    Some(times)
}

/// User and system time of the processes that we have waited for, from the kernel's ticks of 10 ms.
fn cpu_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name may have spaces in it; behind its bracket the sixteenth and seventeenth field are the fourteenth and fifteenth.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn raw_of_the_csv_crate(path: &Path) -> u64 {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).expect("a file");
    let (mut record, mut rows) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).expect("a row") {
        rows += 1;
    }
    rows
}

fn rows_alone(path: &Path) -> u64 {
    use std::io::Read;
    let (mut file, mut buffer) = (File::open(path).expect("a file"), vec![0; 128 * 1024]);
    let (mut splitter, mut rows) = (Splitter::new(b','), 0);
    loop {
        match file.read(&mut buffer).expect("bytes") {
            0 => break,
            read => splitter.feed(&buffer[..read], |_| rows += 1),
        }
    }
    splitter.finish(|_| rows += 1);
    rows
}

fn statistics(path: &Path, depth: Depth) -> u64 {
    let options = Options { depth, ..Options::default() };
    read(File::open(path).expect("a file"), &options).expect("a summary").rows()
}

fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("a time since the start")
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The high-water mark of this process's memory.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
}

fn files() -> (Vec<PathBuf>, tempfile::TempDir) {
    let scratch = tempfile::tempdir().expect("a folder");
    let named: Vec<PathBuf> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).map(PathBuf::from).collect();
    if !named.is_empty() {
        return (named, scratch);
    }
    if let Some(folder) = std::env::var_os("PULSE_RETAIL_DATA") {
        let all = std::fs::read_dir(folder).expect("the folder of PULSE_RETAIL_DATA");
        let mut files: Vec<PathBuf> = all.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
        files.sort();
        return (files, scratch);
    }
    let mut text = String::from("invoice,code,description,quantity,date,price,customer,country\n");
    for row in 0_u64..200_000 {
        let (code, day) = (row.wrapping_mul(0x9e37_79b9) % 4_000, row / 7_200 + 1);
        let _ = writeln!(
            text,
            "{},{code:05}A,\"THING, NUMBER {code}\",{},2011-01-{day:02} 10:00:00,{}.{:02},{}.0,United Kingdom",
            536_365 + row / 20,
            row % 24,
            code % 13,
            code % 100,
            12_000 + row / 20 % 3_000,
        );
    }
    let path = scratch.path().join("made-up.csv");
    std::fs::write(&path, text).expect("a scratch file");
    (vec![path], scratch)
}
