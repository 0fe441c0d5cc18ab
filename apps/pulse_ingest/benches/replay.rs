//! Files through the whole shop at full speed: wall time, CPU, peak memory, and whether the stock adds up.
//!
//! `PULSE_RETAIL_DATA=FOLDER cargo bench -p pulse_ingest --bench replay`, or name files after `--`. The database is a
//! fresh SQLite file, or the empty one that `PULSE_BENCH_DB` names. Without data it replays made-up files.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops where it can not go on"
)]

#[path = "../tests/it/shop.rs"]
mod shop;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use pulse_data::migrations::Migrator;
use pulse_data::{Repo, RepoOptions};
use pulse_ingest::replay::{Options, Progress, replay};

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let url = std::env::var("PULSE_BENCH_DB")
        .unwrap_or_else(|_| format!("sqlite://{}?mode=rwc", folder.path().join("bench.db").display()));
    let workers = std::env::var("PULSE_BENCH_WORKERS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(Options::default().workers);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let repo = Repo::connect(&url, RepoOptions::default()).await.unwrap();
        Migrator::up(&repo, None).await.unwrap();
        let shop = shop::open(&repo).await;
        let (progress, start) = (Arc::new(Progress::default()), Instant::now());
        let options = Options { workers, ..Options::default() };
        let replayed = replay(&shop, &files, &options, &progress).await.unwrap();
        let (wall, (user, system), peak) = (start.elapsed(), cpu(), peak());
        let standing = progress.look();
        println!("{replayed:?}, {standing:?}");
        println!("wall {:.2} s, cpu {user:.2} s + {system:.2} s in the kernel, {peak}", wall.as_secs_f64());
        let counting = Instant::now();
        println!("{:#}", shop::figures(&shop).await);
        println!("the report took {:.2} s", counting.elapsed().as_secs_f64());
        shop::shelves(&shop).await;
        shop::close(&shop).await;
    });
}

fn files(scratch: &Path) -> Vec<PathBuf> {
    let named = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let named: Vec<PathBuf> = named.map(PathBuf::from).collect();
    if !named.is_empty() {
        return named;
    }
    if let Some(folder) = std::env::var_os("PULSE_RETAIL_DATA") {
        let all = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ext| ext == "csv"));
        files.sort();
        return files;
    }
    let write = |(name, text): (String, String)| {
        let path = scratch.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    pulse_ingest::demo::files(7, 3, 20_000).into_iter().map(write).collect()
}

/// Seconds of CPU that this process has used, its own and the kernel's.
fn cpu() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets and the state letter, user and system time are the 11th and 12th field.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks =
        |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default() / 100.0;
    (ticks(11), ticks(12))
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown").replace('\t', " ")
}
