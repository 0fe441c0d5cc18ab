//! Half a year of a real shop, beside a count by the `csv` crate and hash maps.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;

use labs_csv_stats::{Options, Summary, read};

#[test]
fn the_statistics_of_half_a_year_are_those_of_an_independent_count() {
    let Some(folder) = std::env::var_os("PULSE_RETAIL_DATA") else {
        eprintln!("skipped: PULSE_RETAIL_DATA names no folder with the real files");
        return;
    };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    let mut together: Option<Summary> = None;
    let (mut rows, mut counts) = (0, vec![HashMap::<String, u64>::new(); 8]);
    for file in &files {
        let summary = read(File::open(file).unwrap(), &Options::default()).unwrap();
        match &mut together {
            Some(together) => assert!(together.merge(&summary)),
            None => together = Some(summary),
        }
        for record in csv::Reader::from_path(file).unwrap().records() {
            rows += 1;
            for (counts, field) in counts.iter_mut().zip(&record.unwrap()) {
                *counts.entry(field.to_owned()).or_default() += 1;
            }
        }
    }
    let summary = together.expect("files");
    assert_eq!((summary.rows(), summary.left_out()), (rows, 0));
    for ((heading, column), mut counts) in summary.headings().iter().zip(summary.columns()).zip(counts) {
        assert_eq!(column.nulls(), counts.remove("").unwrap_or_default(), "empty fields of {heading}");
        let least = counts.keys().map(String::as_bytes).min().unwrap();
        assert_eq!(column.least().unwrap().as_bytes(), least, "the least of {heading}");
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let different = counts.len() as f64;
        let off = (column.distinct().unwrap().estimate() - different).abs() / different;
        assert!(off < 0.06, "{heading} has {different} different values, estimated {off:.3} off");
        let frequent = column.frequent().unwrap();
        for item in frequent.top(5) {
            let truth = counts[item.text.show().as_ref()];
            assert!(
                item.count <= truth && truth <= item.count + frequent.error(),
                "{item:?} came {truth} times"
            );
        }
        if let Some(sum) = column.sum().filter(|_| column.kind().is_number()) {
            let billionths = |text: &str| {
                let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
                format!("{whole}{decimals:0<9}").parse::<i128>().unwrap()
            };
            let exact: i128 = counts.iter().map(|(text, &count)| billionths(text) * i128::from(count)).sum();
            assert_eq!(sum.0, exact, "the sum of {heading}");
        }
    }
}
