//! Imports: files by their content, dead letters, totals.
//!
//! **Invariant.** Feeding the same again changes nothing.

#![expect(clippy::unwrap_used, reason = "a test that can not go on should say where")]

use std::sync::Arc;

use pulse_core::Principal;
use pulse_data::imports::{Counts, DeadLetter, Imports};
use pulse_data::{Repo, SystemClock, db_test};

const WHO: Principal = Principal::System("replay");

fn imports(repo: &Repo) -> Imports {
    Imports::new(repo.clone(), Arc::new(SystemClock))
}

fn letter(row: u64, reason: &str) -> DeadLetter {
    DeadLetter { row, reason: reason.to_owned(), payload: format!("row {row}, \"quoted\" \u{fffd}") }
}

db_test!(a_file_is_known_by_its_content_and_done_once, |repo| async move {
    let imports = imports(&repo);
    let (hash, other) = ("a".repeat(64), "b".repeat(64));
    let (file, known) = imports.begin(&WHO, &hash, "2011-01.csv").await.unwrap();
    assert!(!known && !file.done);
    let (again, known) = imports.begin(&WHO, &hash, "another name.csv").await.unwrap();
    assert_eq!((again, known), (file.clone(), true));
    let (second, known) = imports.begin(&WHO, &other, "2011-02.csv").await.unwrap();
    assert!(!known && second.id != file.id);

    let part = Counts { rows: 10, sale_lines: 7, return_lines: 1 };
    imports.advance(&WHO, file.id, part).await.unwrap();
    imports.advance(&WHO, file.id, Counts { rows: 5, sale_lines: 5, return_lines: 0 }).await.unwrap();
    assert_eq!(imports.files(&WHO).await.unwrap()[0].counts, part, "counts only grow");

    let all = Counts { rows: 20, sale_lines: 15, return_lines: 2 };
    imports.finish(&WHO, file.id, all, vec![17850, 12583]).await.unwrap();
    imports.finish(&WHO, file.id, part, vec![1]).await.unwrap();
    imports.finish(&WHO, second.id, part, vec![12583, 12584]).await.unwrap();
    let totals = imports.totals(&WHO).await.unwrap();
    assert_eq!(totals.counts, Counts { rows: 30, sale_lines: 22, return_lines: 3 });
    assert_eq!(totals.customers, 3);
    assert!(imports.files(&WHO).await.unwrap().iter().all(|file| file.done));
});

db_test!(a_row_is_buried_once, |repo| async move {
    let imports = imports(&repo);
    let (file, _) = imports.begin(&WHO, &"a".repeat(64), "2011-01.csv").await.unwrap();
    imports.bury(&WHO, file.id, vec![]).await.unwrap();
    imports.bury(&WHO, file.id, vec![letter(2, "malformed"), letter(9, "no_price")]).await.unwrap();
    imports.bury(&WHO, file.id, vec![letter(9, "malformed"), letter(11, "malformed")]).await.unwrap();
    let letters = imports.dead_letters(&WHO, file.id, 2).await.unwrap();
    assert_eq!(letters, [letter(9, "no_price"), letter(11, "malformed")]);
    assert_eq!(imports.buried(&WHO, file.id, "malformed").await.unwrap(), [2, 11]);
    let dead = imports.totals(&WHO).await.unwrap().dead;
    assert_eq!(
        dead.into_iter().collect::<Vec<_>>(),
        [("malformed".to_owned(), 2), ("no_price".to_owned(), 1)]
    );
    assert!(imports.bury(&WHO, file.id + 1, vec![letter(1, "malformed")]).await.is_err(), "of no file");
});

db_test!(buyers_have_no_business_here, |repo| async move {
    let imports = imports(&repo);
    assert!(imports.begin(&Principal::Guest, &"a".repeat(64), "x").await.is_err());
    assert!(imports.totals(&Principal::Guest).await.is_err());
});
