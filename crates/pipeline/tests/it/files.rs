//! Files with every kind of dirt.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use pipeline::producers::files::{FileEnd, Files, Format, Row, Start};
use pipeline::{Failed, Failure, Handler, Message, Pipeline};
use proptest::prelude::*;

/// Keeps what it is given.
#[derive(Default, Clone)]
struct Keep {
    rows: Arc<Mutex<Vec<Row>>>,
    failed: Arc<Mutex<Vec<(u64, String, String)>>>,
    ends: Arc<Mutex<Vec<FileEnd>>>,
}

impl Handler for Keep {
    type In = Row;
    type Out = ();

    async fn handle_message(&self, message: &mut Message<Row>) -> Result<(), Failure> {
        message.data.text()?;
        self.rows.lock().unwrap().push(message.data.clone());
        Ok(())
    }

    async fn handle_failed(&self, failed: &mut [Failed<Row>]) -> Result<(), Failure> {
        let of = |one: &Failed<Row>| {
            let row = &one.message.data;
            (row.line(), row.text_lossy().into_owned(), one.failure.reason().to_owned())
        };
        self.failed.lock().unwrap().extend(failed.iter().map(of));
        Ok(())
    }
}

impl Keep {
    async fn read(&self, files: Files) {
        let ends = Arc::clone(&self.ends);
        let files = files.on_end(move |end| {
            ends.lock().unwrap().push(end);
            std::future::ready(())
        });
        // One processor: rows in the order of the file.
        let mut running = Pipeline::builder(self.clone()).producer(files).processors(1).start().unwrap();
        assert_eq!(running.finished().await.unacked, 0);
    }

    /// Line and text of the good rows.
    fn texts(&self) -> Vec<(u64, String)> {
        self.rows.lock().unwrap().iter().map(|row| (row.line(), row.text_lossy().into_owned())).collect()
    }
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

#[tokio::test]
async fn csv_rows_know_their_lines_and_fields() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\u{feff}sku,name,cents\r\nA,\"two\nlines, \"\"quoted\"\"\",12\r\n\r\nB,plain,7\n";
    let path = file(folder.path(), "prices.csv", text.as_bytes());
    let keep = Keep::default();
    keep.read(Files::new([path])).await;
    let rows = keep.rows.lock().unwrap();
    assert_eq!(rows.iter().map(Row::line).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(rows[0].named("name").unwrap(), "two\nlines, \"quoted\"");
    assert_eq!(rows[0].raw(), b"A,\"two\nlines, \"\"quoted\"\"\",12");
    assert_eq!(
        (rows[1].named("sku").unwrap(), rows[1].field(2), rows[1].field(3)),
        ("B", Some(&b"7"[..]), None)
    );
    assert_eq!(rows[1].named("stock").unwrap_err().reason(), "prices.csv line 5: stock: missing");
    let ends = keep.ends.lock().unwrap();
    assert_eq!((ends[0].done, ends[0].failed, ends[0].error.as_deref()), (2, 0, None));
}

#[tokio::test]
async fn the_folder_is_read_by_name_whole_files_only() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "b.ndjson", b"{\"b\":1}\n\n{\"b\":2}");
    file(folder.path(), "a.csv.gz", &gz(b"n\n1\n2\n"));
    file(folder.path(), "c.csv.part", b"n\n3\n");
    file(folder.path(), ".hidden.csv", b"n\n4\n");
    std::fs::create_dir(folder.path().join("d.csv")).unwrap();
    let keep = Keep::default();
    keep.read(Files::folder(folder.path())).await;
    let texts = [(2, "1"), (3, "2"), (1, "{\"b\":1}"), (3, "{\"b\":2}")];
    assert_eq!(keep.texts(), texts.map(|(line, text)| (line, text.to_owned())));
}

#[tokio::test]
async fn what_can_not_be_read_becomes_a_dead_letter_and_the_rest_flows_on() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(5_000);
    file(folder.path(), "1.csv", format!("n\n1\n\"open\n2\n{long}\n\"3\"\n").as_bytes());
    file(folder.path(), "2.ndjson", b"{}\n\xff\xfe\n[]\n");
    // Longer than the gzip's own buffers, so that a part of it is read before it breaks off.
    let many = (0..50_000).map(|n: u32| n.to_string()).collect::<Vec<_>>().join("\n");
    let whole = gz(many.as_bytes());
    file(folder.path(), "3.txt.gz", &whole[..whole.len() / 2]);
    file(folder.path(), "4.csv", b"n\n9\n");
    let keep = Keep::default();
    let files = Files::folder(folder.path()).longest(1_000);
    let missing = folder.path().join("0.csv");
    keep.read(files).await;
    let failed: Vec<(u64, String)> =
        keep.failed.lock().unwrap().iter().map(|(line, _, why)| (*line, why.clone())).collect();
    assert_eq!(failed[0], (3, "1.csv line 3: the record is longer than 1000 bytes".to_owned()));
    assert_eq!(failed[1], (5, "1.csv line 5: the record is longer than 1000 bytes".to_owned()));
    assert_eq!(failed[2], (2, "2.ndjson line 2: not UTF-8 behind byte 0".to_owned()));
    assert!(failed[3].1.contains("the file breaks off"), "{failed:?}");
    assert_eq!(failed.len(), 4);
    assert_eq!(keep.failed.lock().unwrap()[0].1, "\"open");
    let texts = keep.texts();
    assert_eq!(texts[..3], [(2, "1".to_owned()), (4, "2".to_owned()), (6, "\"3\"".to_owned())]);
    assert_eq!(texts.last().unwrap(), &(2, "9".to_owned()), "the file behind the broken one");
    // The lines before the break are all there.
    let before: Vec<&String> = texts.iter().skip(5).map(|(_, text)| text).collect();
    assert!(
        before.len() > 1_000
            && before.iter().take(1_000).enumerate().all(|(n, text)| **text == n.to_string())
    );
    let broken = keep.ends.lock().unwrap()[2].error.clone().unwrap();
    assert!(broken.contains("3.txt.gz line"), "{broken}");

    keep.read(Files::new([missing])).await;
    let end = keep.ends.lock().unwrap().last().unwrap().clone();
    assert_eq!((end.done, end.failed), (0, 1));
    assert!(end.error.unwrap().contains("can't be opened"));
}

#[tokio::test]
async fn a_run_begins_where_the_last_one_ended() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "known.txt", b"old\n");
    file(folder.path(), "half.txt", b"1\n2\n3\n");
    let keep = Keep::default();
    keep.read(Files::folder(folder.path()).begin(|path| match path.file_stem().and_then(|s| s.to_str()) {
        Some("known") => Start::Skip,
        Some("half") => Start::AfterLine(2),
        _ => Start::Beginning,
    }))
    .await;
    assert_eq!(keep.texts(), [(3, "3".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_watched_folder_gives_each_new_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    file(&path, "1.txt", b"one\n");
    let (sender, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let files = Files::folder(&path).watch(Duration::from_secs(5)).on_end(move |end| {
        sender.send(end.file.name().into_owned()).unwrap();
        std::future::ready(())
    });
    let keep = Keep::default();
    let running = Pipeline::builder(keep.clone()).producer(files).processors(1).start().unwrap();
    assert_eq!(ended.recv().await.unwrap(), "1.txt");
    file(&path, "2.tmp", b"two\n");
    std::fs::rename(path.join("2.tmp"), path.join("2.txt")).unwrap();
    assert_eq!(ended.recv().await.unwrap(), "2.txt");
    std::fs::remove_file(path.join("1.txt")).unwrap();
    file(&path, "3.txt", b"three\n");
    assert_eq!(ended.recv().await.unwrap(), "3.txt");
    running.drain(Duration::from_secs(5)).await;
    let texts: Vec<String> = keep.texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

/// All rows of some bytes, as the pipeline reads them.
fn rows_of(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "any", bytes);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let keep = AsBytes::default();
        let files = Files::new([path]).format(Format::Csv).header(false);
        let mut running = Pipeline::builder(keep.clone()).producer(files).processors(1).start().unwrap();
        running.finished().await;
        let rows = keep.0.lock().unwrap();
        let fields = |row: &Row| (0..row.len()).map(|place| row.field(place).unwrap().to_vec()).collect();
        rows.iter().map(fields).collect()
    })
}

#[derive(Default, Clone)]
struct AsBytes(Arc<Mutex<Vec<Row>>>);

impl Handler for AsBytes {
    type In = Row;
    type Out = ();
    async fn handle_message(&self, message: &mut Message<Row>) -> Result<(), Failure> {
        self.0.lock().unwrap().push(message.data.clone());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fields_are_those_that_the_csv_crate_sees(bytes in prop::collection::vec(prop::sample::select(&b"ab,\"\n\r\xff "[..]), 0..200)) {
        let mut peer = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..]);
        let expected: Vec<Vec<Vec<u8>>> = peer
            .byte_records()
            .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
            .collect();
        prop_assert_eq!(rows_of(&bytes), expected);
    }
}
