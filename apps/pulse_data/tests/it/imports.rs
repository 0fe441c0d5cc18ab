//! Imports: files by their content, dead letters, totals.
//!
//! **Invariant.** Feeding the same again changes nothing.

#![expect(clippy::unwrap_used, reason = "a test that can not go on should say where")]

use std::sync::Arc;

use pulse_core::{Principal, Role, UserId};
use pulse_data::imports::{
    Counts, DeadLetter, ImportError, ImportLetter, ImportLetterQuery, Imports, LetterKey,
};
use pulse_data::{Repo, Sql as _, SystemClock, db_test};

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

const OPEN: fn() -> ImportLetterQuery = ImportLetterQuery::default;

fn dismissed() -> ImportLetterQuery {
    ImportLetterQuery { dismissed: true, ..OPEN() }
}

fn keys(letters: &[ImportLetter]) -> Vec<(i64, u64)> {
    letters.iter().map(|letter| (letter.key.file, letter.key.row)).collect()
}

async fn audited(repo: &Repo) -> Vec<(String, String)> {
    let sql = "SELECT subject, who FROM audit_log WHERE action = 'import.letter.dismiss' ORDER BY id";
    let rows = repo.reader().rows(sql, vec![]).await.unwrap();
    rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
}

db_test!(a_letter_is_dismissed_once_and_says_by_whom_and_why, |repo| async move {
    let imports = imports(&repo);
    let (file, _) = imports.begin(&WHO, &"a".repeat(64), "2011-01.csv").await.unwrap();
    imports.bury(&WHO, file.id, vec![letter(2, "malformed"), letter(9, "no_price")]).await.unwrap();
    let manager = |n| Principal::User { id: UserId(n), role: Role::Manager };
    let key = LetterKey { file: file.id, row: 9 };
    let open = imports.letters(&WHO, &OPEN()).await.unwrap().items;
    assert_eq!(keys(&open), [(file.id, 2), (file.id, 9)]);
    assert!(open.iter().all(|letter| letter.name == "2011-01.csv" && letter.closed.is_none()));

    for note in ["", " \n ", &"x".repeat(Imports::MOST_NOTE + 1), "a\0b"] {
        let refused = imports.dismiss(&manager(1), key, note).await;
        assert!(matches!(refused, Err(ImportError::Invalid(_))), "{note:?}: {refused:?}");
    }
    let nobody = LetterKey { row: 10, ..key };
    let refused = imports.dismiss(&manager(1), nobody, "why").await;
    assert!(matches!(refused, Err(ImportError::NoLetter(key)) if key == nobody), "{refused:?}");
    assert!(audited(&repo).await.is_empty(), "nothing was done");

    // Two do it at once: one has done it, and the other is told who.
    let (one, two) = (manager(1), manager(2));
    let both = tokio::join!(imports.dismiss(&one, key, " a sample "), imports.dismiss(&two, key, "gone"));
    let (winner, refused) = match both {
        (Ok(()), Err(refused)) => (&one, refused),
        (Err(refused), Ok(())) => (&two, refused),
        other => panic!("one of both: {other:?}"),
    };
    assert!(matches!(refused, ImportError::Dismissed { by, .. } if by == winner.to_string()));
    assert_eq!(audited(&repo).await, [(format!("import:{}", file.id), winner.to_string())]);
    let closed = imports.letters(&WHO, &dismissed()).await.unwrap().items;
    assert_eq!(keys(&closed), [(file.id, 9)]);
    let how = closed[0].closed.clone().unwrap();
    assert_eq!(
        (how.by, how.note.as_str()),
        (winner.to_string(), if winner == &one { "a sample" } else { "gone" })
    );
    assert_eq!(keys(&imports.letters(&WHO, &OPEN()).await.unwrap().items), [(file.id, 2)]);
    assert_eq!(imports.open_letters(&WHO).await.unwrap(), [("malformed".to_owned(), 1)]);

    // The books stay as they were, also when the file is fed again.
    imports.bury(&WHO, file.id, vec![letter(9, "malformed")]).await.unwrap();
    assert_eq!(imports.letters(&WHO, &dismissed()).await.unwrap().items, closed);
    assert_eq!(imports.totals(&WHO).await.unwrap().dead.values().sum::<u64>(), 2);
});

db_test!(all_letters_of_a_reason_are_dismissed_in_batches, |repo| async move {
    let imports = imports(&repo);
    let (first, _) = imports.begin(&WHO, &"a".repeat(64), "2011-01.csv").await.unwrap();
    let (second, _) = imports.begin(&WHO, &"b".repeat(64), "2011-02.csv").await.unwrap();
    let rows = u64::from(Imports::BATCH);
    let letters =
        |rows: u64| (1..=rows).map(|row| letter(row, if row % 3 == 0 { "postage" } else { "no_price" }));
    imports.bury(&WHO, first.id, letters(rows).collect()).await.unwrap();
    imports.bury(&WHO, second.id, letters(rows).collect()).await.unwrap();
    let all = imports.open_letters(&WHO).await.unwrap();
    let (prices, postage) = (all[0].1, all[1].1);
    assert!(prices > rows && prices + postage == 2 * rows, "{all:?}");
    imports.dismiss(&WHO, LetterKey { file: second.id, row: 1 }, "mine").await.unwrap();

    let of = |reason: &str| ImportLetterQuery { reason: Some(reason.to_owned()), limit: 7, ..OPEN() };
    assert_eq!(imports.dismiss_all(&WHO, &of("a\0b"), "why").await.unwrap(), 0);
    assert_eq!(imports.dismiss_all(&WHO, &of("no_price"), "samples").await.unwrap(), prices - 1);
    assert_eq!(imports.open_letters(&WHO).await.unwrap(), [("postage".to_owned(), postage)]);
    assert_eq!(imports.dismiss_all(&WHO, &of("no_price"), "again").await.unwrap(), 0);
    assert_eq!(imports.dismiss_all(&WHO, &dismissed(), "again").await.unwrap(), 0, "what is closed stays so");
    assert_eq!(audited(&repo).await.len(), 3, "one by itself, then two batches");

    // Page by page, each closed letter is met once, with the note of whoever was first.
    let (mut query, mut met) = (ImportLetterQuery { limit: 100, ..dismissed() }, Vec::new());
    loop {
        let page = imports.letters(&WHO, &query).await.unwrap();
        met.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(met.len() as u64, prices);
    assert!(met.is_sorted_by_key(|letter| (letter.key.file, letter.key.row)));
    let mine: Vec<_> = met.iter().filter(|met| met.closed.as_ref().unwrap().note == "mine").collect();
    assert_eq!((mine.len(), mine[0].key), (1, LetterKey { file: second.id, row: 1 }));
});

db_test!(buyers_have_no_business_here, |repo| async move {
    let imports = imports(&repo);
    assert!(imports.begin(&Principal::Guest, &"a".repeat(64), "x").await.is_err());
    assert!(imports.totals(&Principal::Guest).await.is_err());
    // The permission comes first: a guest does not learn that there is no such letter, or that the note is empty.
    let key = LetterKey { file: 1, row: 1 };
    for refused in [
        imports.dismiss(&Principal::Guest, key, "").await.map(|()| 0),
        imports.dismiss_all(&Principal::Guest, &OPEN(), "").await,
        imports.letters(&Principal::Guest, &OPEN()).await.map(|_| 0),
        imports.open_letters(&Principal::Guest).await.map(|_| 0),
    ] {
        assert!(matches!(refused, Err(ImportError::Forbidden(_))), "{refused:?}");
    }
});
