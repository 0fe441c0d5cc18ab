//! The budgets of `labs_csv_stats`. All are counts: the same on any machine.

use std::fmt::Write as _;
use std::io::{self, Read};

use labs_csv_stats::{Dirt, Options, Summary, read};

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;

const LAB: &str = include_str!("../lab.toml");

/// A heading, and then so many rows as `row` makes them: a file that is nowhere.
struct Made<F> {
    rows: u64,
    next: u64,
    row: F,
    text: String,
    sent: usize,
    /// Reads, and bytes that they brought.
    reads: u64,
    bytes: u64,
}

impl<F: Fn(u64, &mut String)> Made<F> {
    fn new(rows: u64, row: F) -> Self {
        let mut text = String::with_capacity(1 << 16);
        text.push_str("invoice,code,description,quantity,date,price,customer,country\n");
        Self { rows, next: 0, row, text, sent: 0, reads: 0, bytes: 0 }
    }

    fn read_all(&mut self) -> Summary {
        read(self, &Options::default()).expect("no failure")
    }
}

impl<F: Fn(u64, &mut String)> Read for Made<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        let mut filled = 0;
        while filled < buffer.len() {
            if self.sent == self.text.len() {
                if self.next == self.rows {
                    break;
                }
                self.text.clear();
                self.sent = 0;
                (self.row)(self.next, &mut self.text);
                self.next += 1;
            }
            let some = (buffer.len() - filled).min(self.text.len() - self.sent);
            buffer[filled..filled + some].copy_from_slice(&self.text.as_bytes()[self.sent..self.sent + some]);
            (filled, self.sent) = (filled + some, self.sent + some);
        }
        self.bytes += filled as u64;
        Ok(filled)
    }
}

/// A row of a shop in which nothing repeats for long.
fn sale(row: u64, text: &mut String) {
    let (code, cents) = (row * 7919 % 100_003, row * 31 % 100);
    let _ = writeln!(
        text,
        "{},{code}A,\"THING, NUMBER {code}\",{},2011-01-31 10:00:{:02},{}.{cents:02},{}.0,Norway",
        536_365 + row / 3,
        row % 40,
        row % 60,
        row % 977,
        row % 5_003,
    );
}

fn short(_: u64, text: &mut String) {
    text.push_str("1,2\n");
}

/// Peak memory does not grow with the number of rows.
///
/// Holes: `read`, `step`.
#[test]
fn memory_is_flat_in_rows() {
    gate::check(|| {
        let peak = |rows: usize| {
            let mut file = Made::new(rows as u64, sale);
            let (summary, cost) = gate::alloc::here(|| file.read_all());
            assert_eq!(summary.rows(), rows as u64, "all rows are in the statistics");
            float(cost.peak)
        };
        let (grows, limit) = (gate::growth(2_500, peak), gate::limit(LAB, "peak_growth"));
        assert!(grows <= limit, "peak memory grows with the rows to the power of {grows:.2}");
    });
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Peak memory is a few megabytes: buffers, and the sketches of eight columns.
///
/// Hole: `read`.
#[test]
fn memory_is_a_few_megabytes() {
    gate::check(|| {
        let mut file = Made::new(20_000, sale);
        let (_, cost) = gate::alloc::here(|| file.read_all());
        let (used, limit) = (float(cost.peak) / 1_048_576.0, gate::limit(LAB, "peak_mib"));
        assert!(used <= limit, "a peak of {used:.1} MiB for 20,000 rows; the limit is {limit}");
    });
}

/// A row needs no allocation once the buffers have their size.
///
/// Holes: `read`, `step`, `judge`.
#[test]
fn a_row_needs_no_allocation() {
    gate::check(|| {
        let times = |rows| gate::alloc::here(|| Made::new(rows, sale).read_all()).1.times;
        let (some, more) = (times(5_000), times(15_000));
        // Growing buffers and windows may cost a few more.
        let (each, limit) = (more.saturating_sub(some), gate::limit(LAB, "allocations_a_row"));
        assert!(float(each) <= limit * 10_000.0, "{each} allocations for 10,000 more rows");
    });
}

/// A quote that is never closed makes one field of the rest of the file, and not of the memory.
///
/// Holes: `read`, `step`.
#[test]
fn an_open_quote_does_not_fill_the_memory() {
    gate::check(|| {
        let line = "x".repeat(999) + "\n";
        let open = move |row: u64, text: &mut String| text.push_str(if row == 0 { "1,\"" } else { &line });
        let mut file = Made::new(6_000, open);
        let (summary, cost) = gate::alloc::here(|| file.read_all());
        assert_eq!(summary.journal().count(Dirt::TooLong), 1, "the row is too long, and is named once");
        let (used, limit) = (float(cost.peak) / 1_048_576.0, gate::limit(LAB, "peak_mib"));
        assert!(used <= limit, "a peak of {used:.1} MiB for an open quote before 6 MB; the limit is {limit}");
    });
}

/// A file without any line end is one row, and not one piece of memory.
///
/// Holes: `read`, `step`.
#[test]
fn a_file_without_line_ends_does_not_fill_the_memory() {
    gate::check(|| {
        let endless = |_: u64, text: &mut String| text.push_str("x,12345678901234567890,");
        let mut file = Made::new(300_000, endless);
        let (summary, cost) = gate::alloc::here(|| file.read_all());
        assert_eq!(summary.rows() + summary.left_out(), 1, "it is one row");
        let (used, limit) = (float(cost.peak) / 1_048_576.0, gate::limit(LAB, "peak_mib"));
        assert!(used <= limit, "a peak of {used:.1} MiB for 7 MB without a line end; the limit is {limit}");
    });
}

/// A file of nothing but dirt needs no more memory than a clean one: findings are counted, and the first ones kept.
///
/// Hole: `judge`.
#[test]
fn dirt_does_not_fill_the_memory() {
    gate::check(|| {
        let peak = |rows: usize| {
            let mut file = Made::new(rows as u64, short);
            let (summary, cost) = gate::alloc::here(|| file.read_all());
            assert_eq!(summary.journal().count(Dirt::TooFewFields), rows as u64, "every row is named");
            float(cost.peak)
        };
        let (grows, limit) = (gate::growth(5_000, peak), gate::limit(LAB, "peak_growth"));
        assert!(grows <= limit, "peak memory grows with the dirt to the power of {grows:.2}");
    });
}

/// A source is asked for large pieces: each read may be a call of the system.
///
/// Hole: `read`.
#[test]
fn a_source_is_asked_for_large_pieces() {
    gate::check(|| {
        let mut file = Made::new(10_000, sale);
        file.read_all();
        let (each, limit) = (file.bytes / file.reads, gate::limit(LAB, "least_bytes_a_read"));
        assert!(float(each) >= limit, "{each} bytes a read, in {} reads; at least {limit}", file.reads);
    });
}
