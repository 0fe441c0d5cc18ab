//! What holds for any file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::iter::repeat_n;

use gate::proptest::collection::vec;
use gate::proptest::prelude::{Just, Strategy, any};
use gate::proptest::prop_oneof;
use labs_csv_stats::{Column, Depth, Dirt, Distinct, Effect, Frequent, Kind, Moments, hash};

use crate::files::{findings, rows, scan, scan_in_pieces, written};

/// Bytes of which most mean something.
fn dirty() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r')],
        4 => prop_oneof![Just(b'a'), Just(b'1'), Just(b'.'), Just(b' ')],
        1 => prop_oneof![Just(0), Just(0xef), Just(0xbb), Just(0xbf), Just(0xff)],
    ];
    let mark = prop_oneof![3 => Just(&b""[..]), 1 => Just(&b"\xef\xbb\xbf"[..]), 1 => Just(&b"\xef\xbb"[..])];
    (mark, vec(byte, 0..80)).prop_map(|(mark, bytes)| [mark, &bytes].concat())
}

/// One field of any text, with what must be quoted in it often enough.
fn field() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9,\"\r\n .é-]{0,6}", "-?[0-9]{1,4}(\\.[0-9]{1,3})?", Just(String::new())]
}

/// A table of one to four columns, with a heading.
fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..5).prop_flat_map(|width| {
        let heading: Vec<String> = (1..=width).map(|column| format!("c{column}")).collect();
        vec(vec(field(), width), 0..12).prop_map(move |mut rows| {
            rows.insert(0, heading.clone());
            rows
        })
    })
}

/// Wherever the bytes are cut into pieces, the rows are the same.
///
/// Hole: `step`.
#[test]
fn where_the_file_is_cut_makes_no_difference() {
    gate::law(600, (dirty(), vec(1_usize..7, 1..5)), |(file, sizes)| {
        let whole = rows(&file, &[usize::MAX]);
        let byte_by_byte = rows(&file, &[1]);
        assert!(
            byte_by_byte == whole,
            "byte by byte the rows are {byte_by_byte:?}, and in one piece {whole:?}"
        );
        let cut = rows(&file, &sizes);
        assert!(cut == whole, "in pieces of {sizes:?} the rows are {cut:?}, and in one piece {whole:?}");
    });
}

/// What was written as RFC 4180 says is read back as it was.
///
/// Hole: `step`.
#[test]
fn what_was_written_is_read_back() {
    let line_end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    gate::law(300, (table(), line_end, any::<u64>()), |(table, line_end, mut coin)| {
        let file = written(&table, line_end, || {
            coin = coin.rotate_left(1);
            coin & 1 == 1
        });
        let read: Vec<Vec<String>> = rows(file.as_bytes(), &[usize::MAX])
            .into_iter()
            .map(|(fields, ..)| {
                fields.into_iter().map(|field| String::from_utf8_lossy(&field).into_owned()).collect()
            })
            .collect();
        assert!(read == table, "{file:?} was read as {read:?}");
        let summary = scan(&file);
        let counts = (summary.rows() + 1, summary.left_out());
        assert!(
            counts == (table.len() as u64, 0),
            "{file:?} is clean, and gave {counts:?}: {:?}",
            findings(&summary)
        );
    });
}

/// Whatever the bytes are, every row is in the statistics or left out with a reason, and every field of a row that is in
/// is counted once.
///
/// Hole: `judge`.
#[test]
fn every_row_is_counted_once() {
    gate::law(600, dirty(), |file| {
        let summary = scan(&file);
        let shown = rows(&file, &[usize::MAX]);
        let blank = shown.iter().filter(|row| row.1.iter().any(|mark| mark.0 == Dirt::BlankLine)).count();
        let data = (shown.len() - blank).saturating_sub(1) as u64;
        let counted = summary.rows() + summary.left_out();
        assert!(counted == data, "{data} rows below the heading, and {counted} were counted");
        for column in summary.columns() {
            let fields = column.count() + column.nulls() + column.unreadable();
            assert!(fields == summary.rows(), "{fields} fields of a column in {} rows", summary.rows());
        }
        let reasons: BTreeSet<u64> = findings(&summary)
            .into_iter()
            .filter(|found| found.0.effect() == Effect::RowLeftOut && found.1 > 0)
            .map(|found| found.1)
            .collect();
        // Five places are kept of each kind.
        let left_out = summary.left_out();
        assert!(
            reasons.len() as u64 == left_out || left_out > 5,
            "{left_out} rows left out, reasons for {reasons:?}"
        );
    });
}

/// The statistics do not depend on the pieces in which the file comes.
///
/// Hole: `judge`.
#[test]
fn the_summary_does_not_depend_on_the_pieces() {
    gate::law(200, (dirty(), 1_usize..9), |(file, size)| {
        let (whole, cut) = (scan(&file), scan_in_pieces(&file, &[size]));
        assert!(
            whole.journal() == cut.journal(),
            "the dirt is {:?} and {:?}",
            findings(&whole),
            findings(&cut)
        );
        assert_eq!(
            (whole.rows(), whole.left_out()),
            (cut.rows(), cut.left_out()),
            "rows in one piece and in many"
        );
    });
}

/// The statistics of two halves, merged, are those of the whole; of three parts, in whichever order they are merged.
///
/// Hole: `moments_merge`.
#[test]
fn the_parts_make_the_whole() {
    let values = || vec(prop_oneof![field(), "[0-9]{1,3}"], 0..40);
    gate::law(200, (values(), values(), values()), |(a, b, c)| {
        let column = |values: &[&Vec<String>]| {
            let mut column = Column::new(Depth::All);
            for value in values.iter().copied().flatten() {
                column.add(value.as_bytes());
            }
            column
        };
        let merged = |into: &Column, more: &Column| {
            let mut merged = into.clone();
            merged.merge(more);
            merged
        };
        let whole = column(&[&a, &b, &c]);
        let (one, two, three) = (column(&[&a]), column(&[&b]), column(&[&c]));
        same(&merged(&merged(&one, &two), &three), &whole);
        same(&merged(&one, &merged(&two, &three)), &whole);
        same(&merged(&three, &merged(&one, &two)), &whole);
        same(&merged(&whole, &Column::new(Depth::All)), &whole);
        same(&merged(&Column::new(Depth::All), &whole), &whole);
    });
}

fn same(left: &Column, right: &Column) {
    let count = |column: &Column| (column.count(), column.nulls(), column.kind(), column.moments().count());
    assert_eq!(count(left), count(right), "count, empty, kind, numbers");
    assert_eq!(left.sum(), right.sum(), "the sum");
    assert_eq!((left.least(), left.greatest()), (right.least(), right.greatest()), "least and greatest");
    assert_eq!(left.range(), right.range(), "the range of the numbers");
    assert_eq!(left.distinct(), right.distinct(), "the registers of different values");
    assert_eq!(left.quantiles(), right.quantiles(), "the counters of the quantiles");
    let moments = |column: &Column| [column.moments().mean(), column.moments().variance()];
    for (left, right) in moments(left).into_iter().zip(moments(right)) {
        let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
        let off = (left - right).abs();
        assert!(
            off <= 1e-9 * (1.0 + right.abs()),
            "mean or variance of the parts is {left}, of the whole {right}"
        );
    }
}

/// Numbers of any size and distance from zero: one pass gives what two passes give.
fn numbers() -> impl Strategy<Value = Vec<f64>> {
    let far = prop_oneof![Just(0.0), Just(1e9), Just(-1e9), Just(1e6)];
    (far, vec(-1000_i32..1000, 2..60))
        .prop_map(|(far, near)| near.into_iter().map(|n| far + f64::from(n)).collect())
}

/// Mean and variance by the definition, in two passes.
fn by_definition(values: &[f64]) -> (f64, f64) {
    let count = f64::from(u32::try_from(values.len()).expect("few values"));
    let mean = values.iter().map(|value| value / count).sum::<f64>();
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0))
}

fn close(moments: &Moments, (mean, variance): (f64, f64)) {
    let (got, spread) = (moments.mean().unwrap_or(f64::NAN), moments.variance().unwrap_or(f64::NAN));
    assert!((got - mean).abs() <= 1e-12 * (1.0 + mean.abs()), "the mean is {mean}, not {got}");
    let off = (spread - variance).abs();
    assert!(off <= 1e-6 * (1.0 + variance), "the variance is {variance}, not {spread}");
}

/// One pass gives the mean and the variance that two passes give.
///
/// Hole: `moments_add`.
#[test]
fn one_pass_is_as_good_as_two() {
    gate::law(300, numbers(), |values| {
        let mut moments = Moments::default();
        for value in &values[..] {
            moments.add(*value);
        }
        assert!(moments.count() == values.len() as u64, "{} values were counted", moments.count());
        close(&moments, by_definition(&values));
    });
}

/// Two summaries of different size and place make the mean and the variance of all.
///
/// Hole: `moments_merge`.
#[test]
fn merged_moments_are_those_of_all() {
    gate::law(300, (numbers(), numbers()), |(one, other)| {
        let moments = |values: &[f64]| {
            let mut moments = Moments::default();
            for value in values {
                moments.add(*value);
            }
            moments
        };
        let mut merged = moments(&one);
        merged.merge(&moments(&other));
        let (_, spread) = by_definition(&[one.clone(), other.clone()].concat());
        let got = merged.variance().unwrap_or(f64::NAN);
        let off = (got - spread).abs();
        assert!(off <= 1e-6 * (1.0 + spread), "the variance of {one:?} and {other:?} is {spread}, not {got}");
        let mean = by_definition(&[one, other].concat()).0;
        let off = (merged.mean().unwrap_or(f64::NAN) - mean).abs();
        assert!(off <= 1e-6 * (1.0 + mean.abs()), "the mean of all is {mean}, off by {off}");
    });
}

/// The summary of nothing is neutral, also beside another one of nothing.
///
/// Hole: `moments_merge`.
#[test]
fn nothing_changes_nothing() {
    gate::law(100, numbers(), |values| {
        let mut some = Moments::default();
        for value in &values[..] {
            some.add(*value);
        }
        let mut merged = Moments::default();
        merged.merge(&Moments::default());
        assert!(merged == Moments::default(), "nothing and nothing make {merged:?}");
        merged.merge(&some);
        let (got, mean) = (merged.mean().unwrap_or(f64::NAN), some.mean().unwrap_or(0.0));
        let off = (got - mean).abs();
        assert!(off <= 1e-12 * (1.0 + mean.abs()), "the mean of two empty summaries and {mean} is {got}");
        let once = merged;
        merged.merge(&Moments::default());
        assert!(merged == once, "nothing made {merged:?} of {once:?}");
    });
}

/// The estimate is within six standard errors, and what was seen before changes nothing.
///
/// Hole: `distinct_add`.
#[test]
fn different_values_are_estimated_within_the_error() {
    gate::law(30, (any::<u64>(), 1_u64..20_000), |(start, different)| {
        let mut distinct = Distinct::default();
        let value = |n: u64| hash(&start.wrapping_add(n).to_le_bytes());
        for n in 0..different {
            distinct.add(value(n));
        }
        #[expect(clippy::cast_precision_loss, reason = "few values")]
        let truth = different as f64;
        let (estimate, once) = (distinct.estimate(), distinct.clone());
        let off = (estimate - truth).abs();
        assert!(
            off <= 6.0 * Distinct::ERROR * truth + 1.0,
            "{different} different values, estimated as {estimate:.0}"
        );
        for n in (0..different).rev() {
            distinct.add(value(n));
        }
        assert!(distinct == once, "the same values once more have changed the registers");
    });
}

/// A count is never too high, nor lower than the error says; and the error is small. Merged or not.
///
/// Hole: `frequent_keep`.
#[test]
fn counts_are_within_their_bounds() {
    // Some hundreds of values, each several times in a row; a few of them again and again.
    let run = (prop_oneof![5 => 0_u64..2000, 1 => 0_u64..5], 1_usize..9);
    gate::law(20, (vec(run, 0..800), any::<usize>()), |(runs, cut)| {
        let stream: Vec<u64> = runs.into_iter().flat_map(|(value, times)| repeat_n(value, times)).collect();
        let mut truth = BTreeMap::<u64, u64>::new();
        for value in &stream {
            *truth.entry(*value).or_default() += 1;
        }
        let of = |values: &[u64]| {
            let mut frequent = Frequent::default();
            for value in values {
                let text = value.to_string();
                frequent.add(hash(text.as_bytes()), text.as_bytes());
            }
            frequent
        };
        let (left, right) = stream.split_at(cut % (stream.len() + 1));
        let mut merged = of(left);
        merged.merge(&of(right));
        for (frequent, how) in [(of(&stream), "in one"), (merged, "merged")] {
            let error = frequent.error();
            assert!(
                error <= stream.len() as u64 / 128,
                "{how}: an error of {error} in {} values",
                stream.len()
            );
            let top = frequent.top(usize::MAX);
            assert!(top.iter().all(|item| item.count > 0), "{how}: a value is kept that is counted no times");
            let mut kept: BTreeMap<String, u64> =
                top.iter().map(|item| (item.text.show().into_owned(), item.count)).collect();
            for (value, &count) in &truth {
                let low = kept.remove(&value.to_string()).unwrap_or_default();
                assert!(low <= count, "{how}: {value} came {count} times, and is counted {low} times");
                assert!(
                    count <= low + error,
                    "{how}: {value} came {count} times; {low} kept, {error} may be missed"
                );
            }
            assert!(kept.is_empty(), "{how}: {kept:?} never came");
        }
    });
}

/// The type of a column does not depend on the order of its rows.
///
/// Hole: `judge`.
#[test]
fn a_type_does_not_depend_on_the_order() {
    let value = prop_oneof![
        Just("1"),
        Just("2.5"),
        Just("1e9"),
        Just("2011-01-01"),
        Just("2011-01-01 10:00:00"),
        Just("true"),
        Just(""),
        Just("x")
    ];
    gate::law(200, vec(value, 1..6), |values| {
        let kind = |values: &[&str]| scan(format!("a,b\n{},\n", values.join(",\n"))).columns()[0].kind();
        let mut turned = values.clone();
        turned.reverse();
        let (forwards, backwards) = (kind(&values), kind(&turned));
        assert!(forwards == backwards, "{values:?} is {forwards:?} forwards and {backwards:?} backwards");
        let twice = kind(&[&values[..], &turned].concat());
        assert!(
            twice == forwards || values.iter().all(|value| Kind::Text.name() == *value),
            "and twice {twice:?}"
        );
    });
}

/// A quantile of any numbers is within the error that the sketch states.
///
/// Hole: `step`.
#[test]
fn quantiles_are_within_their_error_for_any_numbers() {
    let number = prop_oneof![
        -1000.0_f64..1000.0,
        (-300_i32..300).prop_map(|exponent| 10_f64.powi(exponent)),
        Just(0.0),
        Just(7.0)
    ];
    gate::law(100, (vec(number, 1..60), 0.0_f64..=1.0), |(mut values, q)| {
        let mut file = String::from("n,x\n");
        for value in &values {
            let _ = writeln!(file, "{value:e},");
        }
        let summary = scan(file);
        values.sort_by(f64::total_cmp);
        let all = f64::from(u32::try_from(values.len()).expect("few values"));
        let place = (1..=values.len()).find(|place| f64::from(u32::try_from(*place).unwrap_or(0)) >= q * all);
        let truth = values[place.unwrap_or(values.len()) - 1];
        let quantiles = summary.columns()[0].quantiles().expect("all statistics");
        let got = quantiles.get(q).unwrap_or(f64::NAN);
        let off = (got - truth).abs();
        let allowed = quantiles.error() * truth.abs() * (1.0 + 1e-12);
        assert!(
            off <= allowed,
            "the quantile {q} of {values:?} is {truth}, not {got} (error {})",
            quantiles.error()
        );
    });
}
