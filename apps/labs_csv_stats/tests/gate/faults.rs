//! Dirt, and sources that fail.

use std::io::ErrorKind::{Interrupted, TimedOut, UnexpectedEof};

use labs_csv_stats::{Dirt, LONGEST_ROW, MOST_FIELDS, Options, Summary, read};

use crate::files::{Scripted, fields, findings, scan};

/// Rows in the statistics, rows left out, and what was found.
type Outcome = (u64, u64, Vec<(Dirt, u64, usize, u64)>);

fn outcome(summary: &Summary) -> Outcome {
    (summary.rows(), summary.left_out(), findings(summary))
}

/// A row with too few fields may have them under the wrong headings: it is named and left out, not filled up.
///
/// Hole: `judge`.
#[test]
fn a_row_of_too_few_fields_is_left_out() {
    gate::check(|| {
        let read = scan("a,b,c\n1,2,3\n1,2\n4,5,6\n");
        assert_eq!(outcome(&read), (2, 1, vec![(Dirt::TooFewFields, 2, 3, 3)]), "of the row 1,2");
        assert_eq!(read.columns()[0].count(), 2, "its fields are in no column");
        let first_missing = (0, 1, vec![(Dirt::TooFewFields, 1, 2, 2)]);
        assert_eq!(
            outcome(&scan("a,b,c\n1\n")),
            first_missing,
            "two columns are missing, and b is the first"
        );
    });
}

/// A row with too many fields is named and left out, not cut.
///
/// Hole: `judge`.
#[test]
fn a_row_of_too_many_fields_is_left_out() {
    gate::check(|| {
        let read = scan("a,b\n1,2\n1,2,3\n\"x,y\",2,3,4\n4,5\n");
        let wanted = vec![(Dirt::TooManyFields, 2, 3, 3), (Dirt::TooManyFields, 3, 3, 4)];
        assert_eq!(outcome(&read), (2, 2, wanted), "of the row 1,2,3");
        assert_eq!(read.columns()[1].count(), 2, "its fields are in no column");
    });
}

/// Bytes that are no text leave one field out, and the rest of its row in.
///
/// Hole: `judge`.
#[test]
fn bad_utf8_leaves_one_field_out() {
    gate::check(|| {
        let read = scan(b"name,n\ncaf\xe9,1\ncaf\xc3\xa9,2\n\"\xff\",\xf0\x9f\n");
        let wanted = vec![(Dirt::BadUtf8, 1, 1, 2), (Dirt::BadUtf8, 3, 1, 4), (Dirt::BadUtf8, 3, 2, 4)];
        assert_eq!(outcome(&read), (3, 0, wanted), "three fields can't be read");
        let (names, numbers) = (&read.columns()[0], &read.columns()[1]);
        assert_eq!((names.count(), names.unreadable()), (1, 2), "of the names");
        assert_eq!((numbers.count(), numbers.unreadable()), (2, 1), "of the numbers");
    });
}

/// A zero byte leaves one field out, wherever it stands.
///
/// Hole: `judge`.
#[test]
fn a_zero_byte_leaves_one_field_out() {
    gate::check(|| {
        let read = scan("a,b\n1\0,2\n\"\0\",3\n4,\0\n5,6\n");
        let wanted = vec![(Dirt::Nul, 1, 1, 2), (Dirt::Nul, 2, 1, 3), (Dirt::Nul, 3, 2, 4)];
        assert_eq!(outcome(&read), (4, 0, wanted), "three fields hold a zero byte");
        assert_eq!((read.columns()[0].count(), read.columns()[1].count()), (2, 3), "values of each column");
    });
}

/// A quote inside a field that did not begin with one is a part of it.
///
/// Hole: `step`.
#[test]
fn a_stray_quote_is_told_and_kept() {
    gate::check(|| {
        let read = scan("a,b\n12\" ruler,1\nx, \"y\"\n");
        let wanted = vec![(Dirt::StrayQuote, 1, 1, 2), (Dirt::StrayQuote, 2, 2, 3)];
        assert_eq!(outcome(&read), (2, 0, wanted), "stray quotes");
        let least = read.columns()[0].least().map(|least| least.show().into_owned());
        assert_eq!(least.as_deref(), Some("12\" ruler"), "the field is as it was written");
    });
}

/// Text behind a closing quote: nobody knows where the field was to end, so the row is left out, and the next one is read.
///
/// Hole: `step`.
#[test]
fn text_behind_a_closing_quote_leaves_the_row_out() {
    gate::check(|| {
        let read = scan("a,b\n\"x\"y,1\n\"x\" ,1\n\"x\",1\n");
        let wanted = vec![(Dirt::TextAfterQuote, 1, 1, 2), (Dirt::TextAfterQuote, 2, 1, 3)];
        assert_eq!(outcome(&read), (1, 2, wanted), "text behind quotes");
    });
}

/// A quote that is never closed swallows the rest of the file; it is named where it began.
///
/// Hole: `step`.
#[test]
fn a_quote_that_is_never_closed_is_named_where_it_began() {
    gate::check(|| {
        let read = scan("a,b\n1,2\n3,\"x\n4,5\n");
        assert!(read.rows() == 1 && read.left_out() == 1, "one row is whole, and one is not: {read:?}");
        let found = findings(&read);
        assert!(found.contains(&(Dirt::UnclosedQuote, 2, 2, 3)), "row 2, column 2, line 3: {found:?}");
    });
}

/// A file that ends in the middle of a row was cut off: that is another thing than a ragged row.
///
/// Hole: `judge`.
#[test]
fn a_file_that_was_cut_off_says_so() {
    gate::check(|| {
        let read = scan("a,b,c\n1,2,3\n4,5");
        assert_eq!(outcome(&read), (1, 1, vec![(Dirt::Truncated, 2, 3, 3)]), "of the row that was cut");
        let read = scan("a,b,c\n1,2,3\n4,5\n");
        assert_eq!(outcome(&read), (1, 1, vec![(Dirt::TooFewFields, 2, 3, 3)]), "of the row that is whole");
        let read = scan("a,b,c\n1,2,3\n4,5,6,7");
        let many = vec![(Dirt::TooManyFields, 2, 4, 3)];
        assert_eq!(outcome(&read), (1, 1, many), "a row that has too many fields lacks none");
        let first_missing = (0, 1, vec![(Dirt::Truncated, 1, 2, 2)]);
        assert_eq!(outcome(&scan("a,b,c\n1")), first_missing, "two columns were cut off, and b is the first");
        // Cut in its last field, a row looks whole: nobody can tell.
        assert_eq!(outcome(&scan("a,b,c\n1,2,3\n4,5,6")), (2, 0, vec![]), "of the row that may be whole");
    });
}

/// A byte order mark is no part of the first heading, also in front of a quote.
///
/// Hole: `step`.
#[test]
fn a_byte_order_mark_is_dropped() {
    gate::check(|| {
        for file in ["\u{feff}name,n\nx,1\n", "\u{feff}\"name\",n\nx,1\n"] {
            let read = scan(file);
            assert_eq!(read.headings(), ["name", "n"], "the first heading of {file:?}");
            assert_eq!(outcome(&read), (1, 0, vec![(Dirt::ByteOrderMark, 0, 1, 1)]), "of {file:?}");
        }
        // Inside the file, and when it is not whole, it is text like any other.
        let read = scan(b"\xef\xbbname,n\n\xef\xbb\xbfx,1\n");
        assert_eq!(findings(&read), [(Dirt::BadUtf8, 0, 1, 1)], "half a mark is no mark");
        assert_eq!(read.columns()[0].count(), 1, "a mark inside the file is text");
        let read = scan(b"\xef\xbb\nx\n");
        assert_eq!(outcome(&read), (1, 0, vec![(Dirt::BadUtf8, 0, 1, 1)]), "half a mark alone is a heading");
        // Behind a mark a row begins, if anything does.
        let read = scan("\u{feff}\nname,n\nx,1\n");
        assert_eq!(read.headings(), ["name", "n"], "a mark and a blank line are no heading");
        let told = vec![(Dirt::ByteOrderMark, 0, 1, 1), (Dirt::BlankLine, 0, 1, 1)];
        assert_eq!(outcome(&read), (1, 0, told), "of a mark and a blank line");
        assert_eq!(fields("\u{feff}"), Vec::<Vec<String>>::new(), "a mark alone is no row");
    });
}

/// A line end that is not that of the first row is told; a lone carriage return ends a row, too.
///
/// Hole: `step`.
#[test]
fn mixed_line_ends_are_told() {
    gate::check(|| {
        let read = scan("a,b\r\n1,2\r\n3,4\n5,6\r\n");
        assert_eq!(outcome(&read), (3, 0, vec![(Dirt::OtherLineEnd, 2, 2, 3)]), "of one LF among CR LF");
        assert_eq!(
            fields("a,b\n1,2\r3,4\r\n5,6"),
            [["a", "b"], ["1", "2"], ["3", "4"], ["5", "6"]],
            "of mixed line ends"
        );
        let read = scan("a,b\n1,2\r3,4\n");
        assert_eq!(outcome(&read), (2, 0, vec![(Dirt::OtherLineEnd, 1, 2, 2)]), "of one CR among LF");
        let read = scan("a,b\r1,2\r\r3,\"4\"\r");
        assert_eq!((read.rows(), read.journal().count(Dirt::BlankLine)), (2, 1), "of a file with CR alone");
    });
}

/// A blank line is no row, not even in a file of one column.
///
/// Hole: `judge`.
#[test]
fn a_blank_line_is_no_row() {
    gate::check(|| {
        let read = scan("\na\n1\n\n\r\n2\n");
        assert_eq!(
            (read.rows(), read.left_out(), read.columns()[0].count()),
            (2, 0, 2),
            "rows without blank lines"
        );
        let blank = |row, line| (Dirt::BlankLine, row, 1, line);
        let found: Vec<_> = findings(&read).into_iter().filter(|found| found.0 == Dirt::BlankLine).collect();
        assert_eq!(found, [blank(0, 1), blank(2, 4), blank(2, 5)], "each is told with its place");
    });
}

/// The line of a finding is the one that an editor shows, also after fields of several lines.
///
/// Holes: `quoted`, `step`.
#[test]
fn lines_are_counted_as_editors_do() {
    gate::check(|| {
        let read = scan("a,b\r\n\"1\r\n2\n3\r4\",x\r\nshort\r\n\r\nshort\r\n");
        let short: Vec<_> =
            findings(&read).into_iter().filter(|found| found.0 == Dirt::TooFewFields).collect();
        let wanted = [(Dirt::TooFewFields, 2, 2, 6), (Dirt::TooFewFields, 3, 2, 8)];
        assert!(short == wanted, "the short rows begin on lines 6 and 8: {short:?}");
    });
}

/// A field beyond all measure costs its row, not the machine's memory, nor the rows behind it.
///
/// Hole: `judge`.
#[test]
fn a_row_beyond_all_measure_is_left_out() {
    gate::check(|| {
        let huge = "x".repeat(LONGEST_ROW + 1);
        let read = scan(format!("a,b\n1,2\n{huge},2\n3,\"{huge}\"\n5,6\n"));
        let wanted = vec![(Dirt::TooLong, 2, 1, 3), (Dirt::TooLong, 3, 2, 4)];
        assert_eq!(outcome(&read), (2, 2, wanted), "of two fields of a megabyte");
        let read = scan(format!("a,b\n1,2\n{}\n5,6\n", ",".repeat(3 * MOST_FIELDS)));
        let wanted = vec![(Dirt::TooLong, 2, MOST_FIELDS + 1, 3)];
        assert_eq!(outcome(&read), (2, 1, wanted), "of a row of 6,000 fields: one reason is enough");
    });
}

/// Headings that are missing, or there twice, are told.
///
/// Hole: `step`.
#[test]
fn odd_headings_are_told() {
    gate::check(|| {
        let read = scan("a,,a\n1,2,3\n");
        let wanted = vec![(Dirt::EmptyHeading, 0, 2, 1), (Dirt::RepeatedHeading, 0, 3, 1)];
        assert_eq!(outcome(&read), (1, 0, wanted), "of two odd headings");
    });
}

/// A row that is dirty in several ways is left out once.
///
/// Hole: `judge`.
#[test]
fn a_row_is_left_out_once() {
    gate::check(|| {
        let read = scan("a,b\n\"x\"y,\"x\"y,3,\0\n1,2\n");
        assert_eq!((read.rows(), read.left_out()), (1, 1), "one row is dirty in many ways");
        let row = findings(&read).iter().map(|found| found.1).max();
        assert_eq!(row, Some(1), "all of it is in row 1");
    });
}

/// A source that fails has not come to its end: what was read is kept, and the failure is told.
///
/// Hole: `read`.
#[test]
fn a_failure_is_not_the_end_of_the_file() {
    gate::check(|| {
        // What unpacks a file that was cut off calls its end unexpected.
        for why in [TimedOut, UnexpectedEof] {
            let source = Scripted::new(vec![Ok(b"a,b\n1,2\n3,"), Err(why), Ok(b"4\n")]);
            match read(source, &Options::default()) {
                Ok(summary) => {
                    panic!("the source failed ({why}), and {} rows were called all", summary.rows())
                }
                Err(stopped) => {
                    assert_eq!(stopped.error.kind(), why, "the reason is told");
                    assert_eq!(
                        outcome(&stopped.so_far),
                        (1, 0, vec![]),
                        "the row that was whole is kept, the half one not judged"
                    );
                }
            }
        }
    });
}

/// A read that was interrupted is tried again.
///
/// Hole: `read`.
#[test]
fn an_interrupted_read_is_tried_again() {
    gate::check(|| {
        let source = Scripted::new(vec![
            Err(Interrupted),
            Ok(b"a,b\n1,2\n3"),
            Err(Interrupted),
            Err(Interrupted),
            Ok(b",4\n"),
        ]);
        let summary = read(source, &Options::default());
        assert!(summary.is_ok(), "an interruption is no failure: {summary:?}");
        assert_eq!(summary.map(|summary| summary.rows()).ok(), Some(2), "and nothing is lost by it");
    });
}

/// A read that brings less than was asked for is not the last one.
///
/// Hole: `read`.
#[test]
fn a_short_read_is_not_the_last() {
    gate::check(|| {
        let file = b"\xef\xbb\xbfa,b\r\n\"1\",2\r\n3,\"4\"\"\"\r\n";
        let source = Scripted::new(file.chunks(1).map(Ok).collect());
        let summary = read(source, &Options::default()).expect("no failure");
        assert_eq!(
            (summary.rows(), summary.bytes()),
            (2, file.len() as u64),
            "of a source that gives byte by byte"
        );
    });
}
