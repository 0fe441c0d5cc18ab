//! A feed with every kind of dirt: each row that can't be used is named with its field, and the rest flows on.

use pulse_data::db_test;
use pulse_data::feeds::{Counts, Reason};

use super::{done, letters, packed, rooms, stock, stock_up, written};
use crate::shop::close;

/// A row, and what is wrong with it: reason and field of each fault.
type Dirt = (Vec<u8>, Vec<(Reason, &'static str)>);

/// Every kind that was thought of.
fn dirt() -> Vec<Dirt> {
    use Reason::{Invalid, Missing, NotEnough, TooMany, UnknownProduct, Unreadable};
    let row = |text: &str| text.as_bytes().to_vec();
    vec![
        (row("P1,,2,"), vec![]),
        (row(",,2,"), vec![(Missing, "sku")]),
        (row("P 1,,x,"), vec![(Invalid, "sku"), (Invalid, "delta")]),
        (row("P1,,2.5,"), vec![(Invalid, "delta")]),
        (row("P1,,99999999999999999999,"), vec![(Invalid, "delta")]),
        (row("P1,-1,,"), vec![(Invalid, "stock")]),
        (row("P1,,,"), vec![(Missing, "stock")]),
        (row("P1,5,5,"), vec![(Invalid, "delta")]),
        (row("P1,,2,2999-01-01T00:00:00Z"), vec![(Invalid, "at")]),
        (row("P1,,2,yesterday"), vec![(Invalid, "at")]),
        (row("P1,,2"), vec![(Unreadable, "")]),
        (row("P1,,2,,,"), vec![(Unreadable, "")]),
        (b"P1\xff,,2,".to_vec(), vec![(Unreadable, "sku")]),
        (b"P1,,2\0,".to_vec(), vec![(Unreadable, "delta")]),
        (
            b"\xff\xfe,\0,\xff,\0".to_vec(),
            vec![(Unreadable, "sku"), (Unreadable, "stock"), (Unreadable, "delta"), (Unreadable, "at")],
        ),
        (row("\"P1\nP2\",,2,"), vec![(Invalid, "sku")]),
        (row(&format!("P1,,{},", "9".repeat(70_000))), vec![(Invalid, "delta")]),
        (row("NOPE,,2,"), vec![(UnknownProduct, "sku")]),
        (row("P1,,-5000,"), vec![(NotEnough, "delta")]),
        (row("P1,,1000000000000,"), vec![(TooMany, "delta")]),
        (row("\"p1\",,\" +3 \",\"2026-01-01T00:00:00Z\""), vec![]),
    ]
}

db_test!(each_row_of_dirt_is_named_with_its_field_and_the_rest_flows_on, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 2).await;
    let folder = tempfile::tempdir().unwrap();
    let mut file = b"\xef\xbb\xbfsku,stock,delta,at\r\n".to_vec();
    for (text, _) in dirt() {
        file.extend_from_slice(&text);
        file.extend_from_slice(b"\r\n\r\n");
    }
    let large = format!("P1,,\"{}\",\n", "x".repeat(2 << 20));
    file.extend_from_slice(large.as_bytes());
    file.extend_from_slice(b"P2,,7,\nP2,,1,\"never closed\n");
    let feed = done(&rooms, &written(folder.path(), "stock.csv.gz", &packed(&file))).await;
    let expected: Vec<_> =
        dirt().into_iter().zip(1_u64..).filter(|((_, faults), _)| !faults.is_empty()).collect();
    let found = letters(&rooms).await;
    for ((text, faults), row) in &expected {
        let letter = found.iter().find(|letter| letter.place.row == *row);
        let letter =
            letter.unwrap_or_else(|| panic!("no letter of row {row}: {}", String::from_utf8_lossy(text)));
        let said: Vec<_> = letter.faults.iter().map(|fault| (fault.reason, fault.field.as_ref())).collect();
        assert_eq!(&said, faults, "row {row}: {:?}", letter.faults);
        let kept = text.len().min(64 * 1024);
        assert_eq!(letter.payload, text[..kept], "as it was sent");
        assert_eq!(letter.cut, kept < text.len());
        assert!(letter.faults.iter().all(|fault| !fault.words.is_empty()));
    }
    let rows = dirt().len() as u64 + 3;
    let cut: Vec<_> = found
        .iter()
        .filter(|letter| letter.place.row > rows - 3)
        .map(|letter| (letter.place.row, letter.cut))
        .collect();
    assert_eq!(cut, [(rows - 2, true), (rows, false)], "what is too large, and what is never closed");
    let dead = expected.len() as u64 + 2;
    assert_eq!(feed.counts, Counts { changed: rows - dead, unchanged: 0, dead });
    assert_eq!([stock(&rooms, 1).await, stock(&rooms, 2).await], [1005, 1007]);
    // The line is where the row begins, in a file with blank lines and rows of two lines.
    let quoted = found.iter().find(|letter| letter.payload.starts_with(b"\"P1\n")).unwrap();
    assert_eq!((quoted.place.row, quoted.place.line), (16, 32));
    close(&shop).await;
});

db_test!(objects_are_as_strict_as_rows, |repo| async move {
    use Reason::{Invalid, Missing, UnknownField, Unreadable};
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let rows: [(&str, &[(Reason, &str)]); 9] = [
        (r#"{"sku":"P1","price":4.5}"#, &[]),
        (r#"{"sku":"P1","price":4.555}"#, &[(Invalid, "price")]),
        (r#"{"sku":"P1","price":4.5e0,"prise":1}"#, &[(UnknownField, "prise"), (Invalid, "price")]),
        (r#"{"sku":null}"#, &[(Missing, "sku"), (Missing, "price")]),
        (r#"{"sku":"P1","sku":"P2","price":1}"#, &[(Invalid, "sku")]),
        (r#"{"sku":["P1"],"price":{"gbp":1}}"#, &[(Invalid, "sku"), (Invalid, "price")]),
        (r#"["P1",4.5]"#, &[(Unreadable, "")]),
        (r#"{"sku":"P1","price":4.5"#, &[(Unreadable, "")]),
        (
            r#"{"sku":"P1\u0000","price":-1,"currency":"XXX"}"#,
            &[(Unreadable, "sku"), (Invalid, "price"), (Invalid, "currency")],
        ),
    ];
    let file = rows.map(|(text, _)| text).join("\n");
    let feed = done(&rooms, &written(folder.path(), "prices.jsonl", file.as_bytes())).await;
    assert_eq!(feed.counts, Counts { changed: 1, unchanged: 0, dead: 8 });
    let found = letters(&rooms).await;
    for ((text, faults), row) in rows.iter().zip(1..).skip(1) {
        let letter = found.iter().find(|letter| letter.place.row == row).unwrap();
        let said: Vec<_> = letter.faults.iter().map(|fault| (fault.reason, fault.field.as_ref())).collect();
        assert_eq!(said, *faults, "{text}: {:?}", letter.faults);
    }
    close(&shop).await;
});
