//! Rows that come twice: the same file again, a feed that was stopped at its end and is fed anew, and the prices that stand under
//! another content. Each says how many rows were known, and that nothing was written twice: the stock is counted.

use std::collections::HashMap;
use std::io::{BufWriter, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pulse_data::Sql as _;
use pulse_data::feeds::{Counts, Kind};
use pulse_ingest::feed::{Fed, FeedProgress, feed_file};

use super::{Bench, peak};

pub(crate) async fn measure(bench: &Bench<'_>) {
    let (rooms, rows) = (bench.rooms(), bench.rows);
    let path = bench.file(Kind::Stock, 101, rows);
    let before = written(bench).await;
    // Stopped when nearly all is done, and fed again.
    let (options, progress) = (bench.options(), Arc::new(FeedProgress::default()));
    let stopping = async {
        while progress.look().counts.rows() < rows * 9 / 10 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        options.stop.cancel();
    };
    let (stopped, ()) = tokio::join!(feed_file(&rooms, &path, &options, &progress, 0), stopping);
    let stopped = stopped.unwrap();
    assert!(matches!(stopped, Fed::Stopped(_)), "it ended before it was stopped: give it more rows");
    let (took, progress) = again(bench, &path).await;
    let counts = progress.look().counts.rows();
    let repeated = progress.look().repeated;
    assert_eq!(repeated + counts, rows);
    report(bench, "stopped and fed anew", took, &format!("{repeated} rows known, {counts} done"));
    let once = written(bench).await;
    assert_eq!(once.0 - before.0, moved(&path), "each row has moved its pieces once");

    let (took, progress) = again(bench, &path).await;
    assert_eq!(progress.look().ends.known, 1);
    report(bench, "the same file again", took, &format!("{rows} rows known by their content"));

    let packed = path.with_extension("csv.gz");
    pack(&path, &packed);
    let (took, progress) = again(bench, &packed).await;
    assert_eq!(progress.look().ends.known, 1);
    report(bench, "the same file, packed", took, &format!("{rows} rows known by their content"));
    assert_eq!(written(bench).await, once, "nothing was written");

    let prices = bench.file(Kind::Prices, 102, rows);
    again(bench, &prices).await;
    let standing = written(bench).await;
    let renamed = bench.folder.join("prices-again.csv");
    repeat_what_stands(&prices, &renamed);
    let (took, progress) = again(bench, &renamed).await;
    let Counts { changed, unchanged, dead } = progress.look().counts;
    report(
        bench,
        "the prices that stand, other content",
        took,
        &format!("{unchanged} unchanged, {changed} changed, {dead} dead"),
    );
    assert_eq!((changed, unchanged, dead), (0, rows, 0));
    assert_eq!(written(bench).await, standing, "nothing was written");
    for path in [path, packed, prices, renamed] {
        std::fs::remove_file(path).unwrap();
    }
}

async fn again(bench: &Bench<'_>, path: &std::path::Path) -> (Duration, Arc<FeedProgress>) {
    // The peak of this run alone.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (start, progress) = (Instant::now(), Arc::new(FeedProgress::default()));
    feed_file(&bench.rooms(), path, &bench.options(), &progress, 0).await.unwrap();
    (start.elapsed(), progress)
}

/// All pieces of all products, and how often products were written.
async fn written(bench: &Bench<'_>) -> (i64, i64) {
    let sql = "SELECT CAST(SUM(stock) AS BIGINT), CAST(SUM(version) AS BIGINT) FROM products";
    let row = bench.repo.reader().row(sql, vec![]).await.unwrap().unwrap();
    (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())
}

/// What a file of moves adds up to.
fn moved(path: &std::path::Path) -> i64 {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse::<i64>().unwrap()).sum()
}

/// Another content that says nothing new: each row names the price that its product has come to.
fn repeat_what_stands(prices: &std::path::Path, to: &std::path::Path) {
    let text = std::fs::read_to_string(prices).unwrap();
    let rows = || text.lines().skip(1).map(|line| line.split_once(',').unwrap());
    let standing: HashMap<&str, &str> = rows().collect();
    let mut out = BufWriter::new(std::fs::File::create(to).unwrap());
    writeln!(out, "sku,price").unwrap();
    for (sku, _) in rows() {
        writeln!(out, "{sku},{}", standing[sku]).unwrap();
    }
    out.flush().unwrap();
}

fn pack(from: &std::path::Path, to: &std::path::Path) {
    let out = std::fs::File::create(to).unwrap();
    let mut packing = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
    std::io::copy(&mut std::fs::File::open(from).unwrap(), &mut packing).unwrap();
    packing.finish().unwrap();
}

fn report(bench: &Bench<'_>, what: &str, took: Duration, counted: &str) {
    println!("{:?} {what}: {:.2} s, {counted} | {}", bench.backend, took.as_secs_f64(), peak());
}
