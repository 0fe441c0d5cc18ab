//! What the operating system says of this process: memory, CPU, open files, start time.
//!
//! **Invariant.** A figure that can't be read is absent, never a zero that looks measured.

use std::time::{SystemTime, UNIX_EPOCH};

/// Resident memory in bytes.
pub(crate) fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// CPU time used so far, user and system, in seconds.
pub(crate) fn cpu_seconds() -> Option<f64> {
    // Linux counts in ticks of 1/100 s on every architecture that Rust's std supports (USER_HZ).
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The command's name stands in parentheses and may hold spaces: count fields behind it.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

/// Files and sockets that are open now.
pub(crate) fn open_files() -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand at most")]
    std::fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as f64)
}

/// How many files and sockets may be open.
pub(crate) fn max_files() -> Option<f64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Now, in seconds since 1970; read once at the start.
pub(crate) fn now_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_there_on_linux() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 100_000.0));
        assert!(cpu_seconds().is_some());
        assert!(open_files().is_some_and(|files| files >= 3.0));
        assert!(max_files().is_some_and(|files| files >= 3.0));
    }
}
