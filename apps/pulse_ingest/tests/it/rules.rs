//! The rules as a table, and what they promise for any bytes.
//!
//! **Invariant.** As many verdicts as rows, whatever the bytes.

use proptest::prelude::*;
use pulse_ingest::retail::{MAX_RECORD, Reason, Records, Row, classify};

const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

/// The verdict on each data row of a file, by name.
fn verdicts(file: &[u8]) -> Vec<&'static str> {
    let mut records = Records::new(file);
    let mut all = Vec::new();
    while let Some(record) = records.next().unwrap() {
        assert_eq!(record.number, all.len() as u64 + 1);
        all.push(match classify(&record) {
            Row::Sale(_) => "sale",
            Row::Return(_) => "return",
            Row::Dead(reason) => reason.name(),
        });
    }
    all
}

fn verdict(row: &str) -> &'static str {
    let all = verdicts(format!("{HEADER}{row}\n").as_bytes());
    assert_eq!(all.len(), 1, "{row:?} is one row");
    all[0]
}

#[test]
fn each_rule_in_its_order() {
    let table = [
        ("1,85123A,THING,6,2010-12-01 08:26:00,2.55,17850.0,UK", "sale"),
        (" 1 , 85123a , THING ,6,2010-12-01 08:26:00,2.550,,", "sale"),
        ("C1,85123A,THING,-6,2010-12-01 08:26:00,2.55,17850,UK", "return"),
        (" C1,85123A,THING,-6,2010-12-01 08:26:00,2.55,17850,UK", "return"),
        // Lower case is no cancellation.
        ("c1,85123A,THING,-6,2010-12-01 08:26:00,2.55,17850,UK", "bad_quantity"),
        // One rule broken.
        ("1,85123A,THING,6,2010-12-01 08:26:00,2.55,17850.0", "malformed"),
        ("1,85123A,THING,6,2010-12-01 08:26:00,2.55,17850.0,UK,", "malformed"),
        (",85123A,THING,6,2010-12-01 08:26:00,2.55,17850.0,UK", "malformed"),
        ("1,85123A,THING,6.0,2010-12-01 08:26:00,2.55,17850.0,UK", "malformed"),
        ("1,85123A,THING,6,2010-12-32 08:26:00,2.55,17850.0,UK", "malformed"),
        ("1,85123A,THING,6,2010-12-01 08:26:00,2.5.5,17850.0,UK", "malformed"),
        ("1,85123A,THING,6,2010-12-01 08:26:00,2.55,17850.5,UK", "malformed"),
        ("1,85123A,THI\0NG,6,2010-12-01 08:26:00,2.55,17850.0,UK", "malformed"),
        ("1,85123A,THING,9223372036854775807,2010-12-01 08:26:00,2.55,1,UK", "malformed"),
        ("1,85123A,,6,2010-12-01 08:26:00,2.55,17850.0,UK", "no_description"),
        ("1,85123A,  ,6,2010-12-01 08:26:00,2.55,17850.0,UK", "no_description"),
        ("1,85123A,THING,6,2010-12-01 08:26:00,0.00,17850.0,UK", "no_price"),
        ("1,85123A,THING,6,2010-12-01 08:26:00,-0.001,17850.0,UK", "no_price"),
        ("1,85123A,THING,6,2010-12-01 08:26:00,0.001,17850.0,UK", "price_precision"),
        ("1,POST,THING,6,2010-12-01 08:26:00,2.55,17850.0,UK", "not_goods"),
        ("C1,85123A,THING,0,2010-12-01 08:26:00,2.55,17850.0,UK", "bad_return"),
        ("1,85123A,THING,0,2010-12-01 08:26:00,2.55,17850.0,UK", "bad_quantity"),
        // Overflow: the last value that is taken, and the first that is not.
        ("1,85123A,THING,1000000000,2010-12-01 08:26:00,100.00,1,UK", "sale"),
        ("1,85123A,THING,1000000000,2010-12-01 08:26:00,100.01,1,UK", "malformed"),
        ("1,85123A,THING,1000000001,2010-12-01 08:26:00,0.01,1,UK", "malformed"),
        ("C1,85123A,THING,-1000000001,2010-12-01 08:26:00,0.01,1,UK", "malformed"),
        ("1,85123A,THING,1,2010-12-01 08:26:00,1000000000.00,1,UK", "sale"),
        ("1,85123A,THING,1,2010-12-01 08:26:00,1000000000.01,1,UK", "malformed"),
        ("1,85123A,,1000000001,2010-12-01 08:26:00,0.01,1,UK", "malformed"),
        // Two rules broken: the earlier one names it.
        ("1,POST,,x,2010-12-01 08:26:00,0,17850.0,UK", "malformed"),
        ("1,POST,,-1,2010-12-01 08:26:00,0,17850.0,UK", "no_description"),
        ("1,POST,THING,-1,2010-12-01 08:26:00,0,17850.0,UK", "no_price"),
        ("1,POST,THING,-1,2010-12-01 08:26:00,0.123,17850.0,UK", "price_precision"),
        ("C1,POST,THING,1,2010-12-01 08:26:00,0.12,17850.0,UK", "not_goods"),
    ];
    for (row, expected) in table {
        assert_eq!(verdict(row), expected, "{row:?}");
    }
}

const SALE: &str = "1,85123A,THING,6,2010-12-01 08:26:00,2.55,17850.0,UK";

#[test]
fn line_ends_marks_and_blank_lines_change_nothing() {
    let with = |ending: &str| format!("{HEADER}{SALE}\n\n\n{SALE}\n").replace('\n', ending);
    for file in [with("\n"), with("\r\n"), with("\r"), format!("\u{feff}{}", with("\r\n"))] {
        assert_eq!(verdicts(file.as_bytes()), ["sale", "sale"], "{file:?}");
    }
    assert_eq!(verdicts(b""), [""; 0]);
    assert_eq!(verdicts("\u{feff}".as_bytes()), [""; 0]);
    assert_eq!(verdicts(HEADER.as_bytes()), [""; 0]);
}

#[test]
fn a_file_without_a_header_loses_no_row() {
    assert_eq!(verdicts(format!("{SALE}\n{SALE}").as_bytes()), ["sale", "sale"]);
    let first = "1,85123A,THING,six,2010-12-01 08:26:00,2.55,17850.0,UK";
    assert_eq!(verdicts(format!("{first}\n{SALE}").as_bytes()), ["malformed", "sale"]);
}

#[test]
fn quoted_fields_hold_commas_quotes_and_line_breaks() {
    let row = "1,85123A,\"A \"\"FINE\"\" THING,\r\nIN TWO LINES\",6,2010-12-01 08:26:00,2.55,,UK\n";
    let file = format!("{HEADER}{row}{SALE}");
    let mut records = Records::new(file.as_bytes());
    let first = records.next().unwrap().unwrap();
    let Row::Sale(line) = classify(&first) else { panic!("a sale") };
    assert_eq!(line.description, "A \"FINE\" THING,\r\nIN TWO LINES");
    assert_eq!(verdicts(file.as_bytes()), ["sale", "sale"]);
}

#[test]
fn bytes_that_are_no_text_make_one_row_malformed() {
    let mut file = HEADER.as_bytes().to_vec();
    file.extend_from_slice(b"1,85123A,CAF\xc9,6,2010-12-01 08:26:00,2.55,,UK\n");
    // Two halves of one character in two fields.
    file.extend_from_slice(b"1,85123A,CAF\xc3,\xa96,2010-12-01 08:26:00,2.55,,UK\n");
    file.extend_from_slice(SALE.as_bytes());
    assert_eq!(verdicts(&file), ["malformed", "malformed", "sale"]);
}

#[test]
fn a_last_line_that_was_cut_off_is_malformed_and_no_more() {
    for cut in ["2,85123A,THI", "2,85123A,THING,6,2010-12-01 08:2", "2,85123A,\"THING"] {
        assert_eq!(verdicts(format!("{HEADER}{SALE}\n{cut}").as_bytes()), ["sale", "malformed"], "{cut:?}");
    }
}

#[test]
fn a_nul_in_any_column_is_malformed() {
    let columns: Vec<&str> = SALE.split(',').collect();
    for at in 0..columns.len() {
        let mut row: Vec<String> = columns.iter().map(|&text| text.to_owned()).collect();
        row[at].push('\0');
        assert_eq!(verdict(&row.join(",")), "malformed", "column {at}");
    }
}

#[test]
fn a_quote_that_is_never_closed_is_one_malformed_row() {
    let mut file = format!("{HEADER}{SALE}\n1,85123A,\"NEVER CLOSED,");
    while file.len() < 3 * MAX_RECORD {
        file.push_str(SALE);
        file.push('\n');
    }
    let mut records = Records::new(file.as_bytes());
    assert!(records.next().unwrap().is_some());
    let large = records.next().unwrap().unwrap();
    assert_eq!(classify(&large), Row::Dead(Reason::Malformed));
    assert!(large.excerpt(40).starts_with("185123ANEVER CLOSED,"));
    assert!(records.next().unwrap().is_none());
}

#[test]
fn a_large_field_that_is_closed_takes_only_its_own_row() {
    let large = "X".repeat(MAX_RECORD + 1);
    let fits = "X".repeat(MAX_RECORD / 2);
    let row = |name: &str| format!("1,85123A,{name},6,2010-12-01 08:26:00,2.55,,UK\n");
    let file = format!("{HEADER}{}{}{}", row(&large), row(&fits), row("THING"));
    assert_eq!(verdicts(file.as_bytes()), ["malformed", "sale", "sale"]);
    let many = format!("{HEADER}{}\n{SALE}\n{}\n{SALE}", "a,".repeat(100_000), ",".repeat(63));
    assert_eq!(verdicts(many.as_bytes()), ["malformed", "sale", "malformed", "sale"]);
}

#[test]
fn an_excerpt_is_readable_and_short() {
    let file = [HEADER.as_bytes(), b"1,CAF\xc9,\0,x"].concat();
    let mut records = Records::new(&file[..]);
    let record = records.next().unwrap().unwrap();
    assert_eq!(record.excerpt(100), "1,CAF\u{fffd},\u{fffd},x");
    assert_eq!(record.excerpt(6), "1,CAF");
}

/// A source that gives a byte at a time: every state of the parser meets the end of its input.
struct Drip<'a>(&'a [u8]);

impl std::io::Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
        buffer[0] = *first;
        self.0 = rest;
        Ok(1)
    }
}

proptest! {
    #[test]
    fn any_bytes_get_a_verdict_a_row_however_they_arrive(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let at_once = verdicts(&bytes);
        let mut drip = Records::new(Drip(&bytes));
        let mut rows = 0;
        while let Some(record) = drip.next().unwrap() {
            classify(&record);
            record.excerpt(50);
            rows += 1;
        }
        prop_assert_eq!(rows, at_once.len());
    }

    #[test]
    fn rows_of_telling_pieces_get_one_verdict_each(
        rows in proptest::collection::vec(
            proptest::collection::vec(
                proptest::sample::select(vec![
                    "1", "C1", "-6", "6", "0", "2.55", "2.555", "-1.00", "85123A", "POST", "THING", " ",
                    "2010-12-01 08:26:00", "2010-02-30 08:26:00", "17850.0", "\"a,b\"", "\"c\nd\"", "é",
                ]), 2..10), 0..40)
    ) {
        let mut file = HEADER.to_owned();
        for row in &rows {
            file.push_str(&row.join(","));
            file.push_str("\r\n");
        }
        prop_assert_eq!(verdicts(file.as_bytes()).len(), rows.len());
    }
}
