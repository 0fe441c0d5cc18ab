//! What the statistics of clean files are.

use std::fmt::Write as _;

use labs_csv_stats::Kind::{self, Bool, Date, DateTime, Decimal, Float, Integer, Text};
use labs_csv_stats::{Column, Depth, Dirt, Effect, Frequent, Moments, Options, Scan, hash};

use crate::files::{fields, findings, scan};

/// Mean and sample variance are those of the textbook.
///
/// Hole: `moments_add`.
#[test]
fn mean_and_variance_are_those_of_the_textbook() {
    gate::check(|| {
        let mut moments = Moments::default();
        assert!(moments.mean().is_none() && moments.variance().is_none(), "nothing has no mean");
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            moments.add(value);
        }
        let (mean, variance) = (moments.mean().unwrap_or(0.0), moments.variance().unwrap_or(0.0));
        assert!((mean - 5.0).abs() < 1e-12, "the mean is 5, not {mean}");
        assert!((variance - 32.0 / 7.0).abs() < 1e-12, "the sample variance is 32/7, not {variance}");
    });
}

/// The spread of numbers does not depend on how far from zero they are.
///
/// Hole: `moments_add`.
#[test]
fn a_small_spread_far_from_zero_is_seen() {
    gate::check(|| {
        let mut moments = Moments::default();
        for round in 0..10_000 {
            moments.add(1e9 + [4.0, 7.0, 13.0, 16.0][round % 4]);
        }
        let variance = moments.variance().unwrap_or(f64::NAN);
        assert!((variance - 22.5).abs() < 0.01, "the variance is 22.5, not {variance}: the digits were lost");
    });
}

/// Between quotes, a line end is a part of the field.
///
/// Holes: `quoted`, `step`.
#[test]
fn a_quoted_newline_stays_in_its_field() {
    gate::check(|| {
        let read = fields("name,note\nlantern,\"two\nlines\"\nheart,\"and\r\ntwo\"\n");
        let wanted = [["name", "note"], ["lantern", "two\nlines"], ["heart", "and\r\ntwo"]];
        assert!(read == wanted, "three rows of two fields were written, and read as {read:?}");
        // Each is told where it is, whichever of the three it is.
        let read = scan("a,b\n1,\"x\ny\"\n2,\"x\r\ny\"\n3,\"x\ry\"\n");
        let wanted = [(1, 2), (2, 4), (3, 6)].map(|(row, line)| (Dirt::LineEndInQuotes, row, 2, line));
        assert_eq!(findings(&read), wanted, "three line ends between quotes: LF, CR LF and CR");
    });
}

/// Between quotes, two quotes stand for one, and a delimiter for itself.
///
/// Hole: `step`.
#[test]
fn two_quotes_stand_for_one() {
    gate::check(|| {
        let read = fields("\"12\"\" ruler, long\",\"\"\"\"\n\"\",x\n");
        let wanted = [["12\" ruler, long", "\""], ["", "x"]];
        assert!(read == wanted, "doubled quotes were read as {read:?}");
    });
}

/// A row ends with a line feed, with both, or with the file.
///
/// Hole: `step`.
#[test]
fn a_row_ends_with_its_line_or_with_the_file() {
    gate::check(|| {
        for file in ["a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\n1,2", "a,b\r\n1,\"2\"", "a,b\n1,2\n\"\",\n"] {
            let read = scan(file);
            let rows = 1 + u64::from(file.ends_with("\"\",\n"));
            assert!((read.rows(), read.left_out()) == (rows, 0), "{file:?} has {} rows", read.rows());
            let gravest = read.journal().gravest();
            assert!(gravest.is_none(), "{file:?} is clean, and gave {:?}", findings(&read));
        }
        // Two empty fields are a row; nothing at all is none.
        assert_eq!(fields("a,b\n,\n"), [["a", "b"], ["", ""]], "two empty fields are a row");
        assert_eq!(fields(""), Vec::<Vec<String>>::new(), "an empty file has no row");
    });
}

/// What parts the fields is what the options say, and nothing else.
///
/// Hole: `step`.
#[test]
fn the_delimiter_is_the_one_that_was_asked_for() {
    gate::check(|| {
        let mut scan = Scan::new(&Options { delimiter: b';', ..Options::default() });
        scan.feed(b"a;b\n\"1;5\";2,5\n\"x\";\"y,z\"\n");
        let read = scan.finish();
        assert_eq!((read.rows(), read.left_out()), (2, 0), "rows of two fields, parted by semicolons");
        let greatest = read.columns()[1].greatest().map(|greatest| greatest.show().into_owned());
        assert_eq!(greatest.as_deref(), Some("y,z"), "a comma is text");
    });
}

/// A sum of exact numbers is exact, in whichever order they come: no rounding and no wrapping.
///
/// Hole: `sum_add`.
#[test]
fn the_sum_is_exact() {
    gate::check(|| {
        let sum = |column: &[&str]| {
            let read = scan(format!("amount,x\n{},\n", column.join(",\n")));
            read.columns()[0].sum().map(|sum| sum.to_string()).unwrap_or_default()
        };
        let cents = sum(&["0.1"; 30]);
        assert!(cents == "3", "thirty times 0.1 is 3, not {cents}");
        let large = sum(&["9223372036854775807", "9223372036854775807", "9223372036854775807", "-1"]);
        assert!(large == "27670116110564327420", "a sum beyond 64 bits came out as {large}");
        let mixed = sum(&["9007199254740993", "0.000000001", "-9007199254740992"]);
        assert!(mixed == "1.000000001", "large and small numbers came out as {mixed}");
        let below = sum(&["-0.05", "0.02", "-17850.00"]);
        assert!(below == "-17850.03", "negative numbers came out as {below}");
    });
}

/// Where the sum has no place in 128 bits there is none: it neither wraps nor stops at the edge.
///
/// Hole: `sum_add`.
#[test]
fn there_is_no_sum_beyond_its_bits() {
    gate::check(|| {
        let greatest = i64::MAX.to_string();
        let mut column = Column::new(Depth::Simple);
        column.add(greatest.as_bytes());
        // Each piece is twice the one before; together they come within one number of the edge.
        let mut pieces = vec![column];
        while let Some(last) = pieces.last().filter(|last| last.sum().is_some()) {
            let mut twice = last.clone();
            twice.merge(last);
            pieces.push(twice);
        }
        let mut all = Column::new(Depth::Simple);
        for piece in pieces.iter().rev() {
            let mut more = all.clone();
            more.merge(piece);
            if more.sum().is_some() {
                all = more;
            }
        }
        assert!(all.count() > 1_000_000_000 && all.sum().is_some(), "so many numbers have a sum");
        all.add(greatest.as_bytes());
        assert_eq!(all.sum(), None, "one more has no place in 128 bits");
    });
}

/// Where one number is not exact there is no exact sum, and none is made up.
///
/// Hole: `sum_add`.
#[test]
fn there_is_no_exact_sum_of_floats() {
    gate::check(|| {
        for column in ["1.5,\n2e3,\n3.25", "2e3,\n1,\n1", "1,\n1,\n0.30000000000000004"] {
            let read = scan(format!("amount,x\n{column},\n"));
            let sum = read.columns()[0].sum();
            assert!(sum.is_none(), "{column:?} holds a float, and its exact sum is {sum:?}");
        }
    });
}

/// A column has the narrowest type that holds all its values, and a value that can't be written back is text.
///
/// Hole: `step`.
#[test]
fn types_are_exact() {
    gate::check(|| {
        let kinds =
            |file: &str| scan(file).columns().iter().map(labs_csv_stats::Column::kind).collect::<Vec<_>>();
        let file = "i,d,f,day,time,b,code,big\n\
            -3,2.50,1e3,2012-02-29,2010-12-01 08:26:00,true,007,123456789012345678901\n\
            4,3,1,2011-01-01,2010-12-01,,8,1\n";
        assert_eq!(
            kinds(file),
            [Integer, Decimal, Float, Date, DateTime, Bool, Text, Text],
            "of the types in {file}"
        );
        let file = "a,b,c,d\n2011-02-29,1,inf,\n2012-02-29,true,nan,\n";
        assert_eq!(kinds(file), [Text, Text, Text, Kind::Empty], "of the types in {file}");
    });
}

/// An empty field is no value: it counts for nothing but itself.
///
/// Hole: `step`.
#[test]
fn an_empty_field_is_no_value() {
    gate::check(|| {
        let read = scan("a,b\n,x\n7,x\n,\"\"\n");
        let column = &read.columns()[0];
        assert_eq!((column.nulls(), column.count(), column.kind()), (2, 1, Kind::Integer));
        assert_eq!(column.moments().mean(), Some(7.0), "empty fields count for no mean");
        let least = read.columns()[1].least().map(|least| least.show().into_owned());
        assert_eq!(
            (read.columns()[1].nulls(), least.as_deref()),
            (1, Some("x")),
            "empty text is no least text"
        );
    });
}

/// Few different values are counted almost exactly, however often each of them comes.
///
/// Hole: `distinct_add`.
#[test]
fn few_different_values_are_counted() {
    gate::check(|| {
        for different in [1, 10, 100, 1000] {
            let mut file = String::from("code,x\n");
            for row in 0..4 * different {
                let _ = writeln!(file, "P{},", row * 7 % different);
            }
            let estimate = scan(file).columns()[0].distinct().map_or(0.0, labs_csv_stats::Distinct::estimate);
            let off = (estimate - f64::from(different)).abs() / f64::from(different);
            assert!(off < 0.05, "{different} different values were estimated as {estimate:.1}");
        }
    });
}

/// Who is frequent is found among many that are rare, and no count is too high.
///
/// Hole: `frequent_keep`.
#[test]
fn the_frequent_are_found_among_the_rare() {
    gate::check(|| {
        let mut file = String::from("country,x\n");
        for row in 0..5_000 {
            // Every tenth is Norway, every seventh of the others France; all others are different.
            let _ = match row {
                row if row % 10 == 0 => writeln!(file, "Norway,"),
                row if row % 7 == 0 => writeln!(file, "France,"),
                row => writeln!(file, "Rare {row},"),
            };
        }
        let read = scan(file);
        let frequent = read.columns()[0].frequent().expect("all statistics");
        let top: Vec<(String, u64)> =
            frequent.top(2).iter().map(|item| (item.text.show().into_owned(), item.count)).collect();
        let names: Vec<&str> = top.iter().map(|(name, _)| name.as_str()).collect();
        assert!(
            names == ["France", "Norway"] || names == ["Norway", "France"],
            "the most frequent are {top:?}"
        );
        for (name, count) in top {
            let truth = if name == "Norway" { 500 } else { 643 };
            let error = frequent.error();
            assert!(count <= truth, "{name} came {truth} times, and is counted {count} times");
            assert!(
                truth <= count + error,
                "{name} came {truth} times; {count} are kept and {error} may be missed"
            );
        }
        assert!(frequent.error() <= 5_000 / 128, "{} may be missed, of 5,000", frequent.error());
        // Half of the counters hold 1, the others 10, and one value more comes.
        let mut frequent = Frequent::default();
        let values = (0..256).flat_map(|value| std::iter::repeat_n(value, if value < 128 { 1 } else { 10 }));
        for value in values.chain([256]) {
            let text = value.to_string();
            frequent.add(hash(text.as_bytes()), text.as_bytes());
        }
        let (error, bound) = (frequent.error(), 1_409 / 128);
        assert!(error <= bound, "an error of {error} in 1,409 values: 1/128 of them is {bound}");
    });
}

/// A quantile is within the error that the sketch states, below zero as well as above.
///
/// Hole: `step`.
#[test]
fn quantiles_are_within_their_error() {
    gate::check(|| {
        let mut file = String::from("n,x\n");
        for n in -500..=1_500 {
            let _ = writeln!(file, "{n},");
        }
        let read = scan(file);
        let quantiles = read.columns()[0].quantiles().expect("all statistics");
        for (q, truth) in
            [(0.0, -500.0), (0.1, -300.0), (0.25, 0.0), (0.5, 500.0), (0.99, 1480.0), (1.0, 1500.0)]
        {
            let got = quantiles.get(q).unwrap_or(f64::NAN);
            let within = (got - truth).abs() <= quantiles.error() * f64::abs(truth) + 1e-9;
            assert!(within, "the quantile {q} is {truth}, not {got}, with an error of {}", quantiles.error());
        }
    });
}

/// A clean file has no findings; a line end between quotes is told, and leaves nothing out.
///
/// Hole: `judge`.
#[test]
fn what_is_only_told_leaves_nothing_out() {
    gate::check(|| {
        let read = scan("a,b\n1,\"x\ny\"\n2,z\n");
        assert_eq!(
            (read.rows(), read.left_out()),
            (2, 0),
            "a quoted line end is no reason to leave a row out"
        );
        assert_eq!(findings(&read), [(Dirt::LineEndInQuotes, 1, 2, 2)], "it is told, with its place");
        assert_eq!(read.journal().gravest(), Some(Effect::Told));
    });
}
