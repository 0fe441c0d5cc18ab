//! The audit trail: written with the business, sealed after it, every later change found.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use pulse_core::ports::Clock as _;
use pulse_core::{Principal, Role, Timestamp, UserId};
use pulse_data::audit::{self, AuditError, AuditQuery, Finding, Head, Report, Sealer, VerifyOptions, verify};
use pulse_data::{Backend, DbError, Repo, Sql as _, SystemClock, db_test};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const WHO: Principal = Principal::System("tests");

async fn write(repo: &Repo, from: i64, to: i64) {
    repo.write_with((from, to), |tx, (from, to)| {
        async move {
            for n in *from..=*to {
                audit::record(tx, &WHO, "thing.do", &format!("thing:{n}"), json!({ "n": n, "ü": "a b" }))
                    .await?;
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    })
    .await
    .unwrap();
}

async fn sealed(repo: &Repo, rows: i64) {
    write(repo, 1, rows).await;
    assert_eq!(Sealer::new(repo.clone()).seal().await.unwrap(), rows.unsigned_abs());
}

async fn tamper(repo: &Repo, sql: &'static str) {
    repo.write_with(sql, |tx, sql| async move { tx.script(sql).await }.boxed()).await.unwrap();
}

async fn check(repo: &Repo) -> Report {
    verify(repo, &WHO, SystemClock.now(), &VerifyOptions::default()).await.unwrap()
}

db_test!(a_row_is_there_exactly_if_its_transaction_committed, |repo| async move {
    let refused = repo
        .write(|tx| {
            async move {
                audit::record(tx, &WHO, "thing.do", "thing:1", json!({})).await?;
                Err::<(), _>(DbError::Other("no".to_owned()))
            }
            .boxed()
        })
        .await;
    refused.unwrap_err();
    write(&repo, 2, 2).await;
    let rows = audit::list(&repo, &WHO, &AuditQuery::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.subject.as_str()).collect::<Vec<_>>(), ["thing:2"]);
    assert_eq!(rows[0].details, r#"{"n":2,"ü":"a b"}"#);
    assert_eq!((rows[0].who.as_str(), rows[0].seal_no), ("system:tests", None));
});

db_test!(sealed_rows_verify_over_several_batches_and_pages, |repo| async move {
    sealed(&repo, 2_345).await;
    let report = check(&repo).await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.sealed, report.unsealed), (2_345, 0));
    assert_eq!(report.head, Some(audit::head(&repo).await.unwrap()));
    write(&repo, 1, 3).await;
    assert_eq!(Sealer::new(repo.clone()).seal().await.unwrap(), 3);
    assert!(check(&repo).await.is_whole());
});

db_test!(an_empty_trail_is_whole, |repo| async move {
    assert!(check(&repo).await.is_whole());
    assert_eq!(Sealer::new(repo.clone()).seal().await.unwrap(), 0);
});

db_test!(each_changed_column_names_its_row_and_no_other, |repo| async move {
    sealed(&repo, 9).await;
    for (change, restore) in [
        ("details = details || ' '", "details = substr(details, 1, length(details) - 1)"),
        ("who = 'system:other'", "who = 'system:tests'"),
        ("action = 'thing.undo'", "action = 'thing.do'"),
        ("subject = 'thing:6'", "subject = 'thing:5'"),
        ("at = at + 1", "at = at - 1"),
        ("hash = upper(hash)", "hash = lower(hash)"),
    ] {
        for (set, whole) in [(change, false), (restore, true)] {
            let sql = format!("UPDATE audit_log SET {set} WHERE seal_no = 5");
            repo.write_with(sql, |tx, sql| async move { tx.script(sql).await }.boxed()).await.unwrap();
            let expected = if whole { vec![] } else { vec![Finding::Changed { seal_no: 5 }] };
            assert_eq!(check(&repo).await.findings, expected, "after {set}");
        }
    }
    // The row and its hash, forged together with the right predecessor but without its successors.
    tamper(
        &repo,
        "UPDATE audit_log SET who = 'guest', hash = substr(hash, 2) || substr(hash, 1, 1) WHERE seal_no = 5",
    )
    .await;
    assert_eq!(
        check(&repo).await.findings,
        [Finding::Changed { seal_no: 5 }, Finding::Changed { seal_no: 6 }]
    );
});

db_test!(missing_rows_are_named, |repo| async move {
    sealed(&repo, 9).await;
    tamper(&repo, "DELETE FROM audit_log WHERE seal_no IN (1, 4, 5)").await;
    let expected = [Finding::Missing { from: 1, to: 1 }, Finding::Missing { from: 4, to: 5 }];
    assert_eq!(check(&repo).await.findings, expected);
    assert!(check(&repo).await.findings[1].to_string().contains("rows 4 to 5 are missing"));
});

db_test!(reordered_rows_are_named, |repo| async move {
    sealed(&repo, 9).await;
    tamper(
        &repo,
        "UPDATE audit_log SET seal_no = 100 WHERE seal_no = 3;
         UPDATE audit_log SET seal_no = 3 WHERE seal_no = 7;
         UPDATE audit_log SET seal_no = 7 WHERE seal_no = 100",
    )
    .await;
    let found = check(&repo).await.findings;
    for seal_no in [3, 7] {
        assert!(found.contains(&Finding::Changed { seal_no }), "{found:?}");
    }
});

db_test!(a_cut_off_end_is_found, |repo| async move {
    sealed(&repo, 9).await;
    let exported = audit::head(&repo).await.unwrap();
    tamper(&repo, "DELETE FROM audit_log WHERE seal_no > 7").await;
    assert_eq!(check(&repo).await.findings, [Finding::CutOff { head: 9, last: 7 }]);
    // The head is set back too: only the exported one still knows.
    tamper(&repo, "UPDATE audit_head SET seal_no = 7, hash = (SELECT hash FROM audit_log WHERE seal_no = 7)")
        .await;
    assert!(check(&repo).await.is_whole());
    let options = VerifyOptions { exported: Some(exported.clone()), ..VerifyOptions::default() };
    let report = verify(&repo, &WHO, SystemClock.now(), &options).await.unwrap();
    assert_eq!(report.findings, [Finding::CutOff { head: 9, last: 7 }]);
    // And grown again with other rows.
    write(&repo, 20, 25).await;
    Sealer::new(repo.clone()).seal().await.unwrap();
    assert!(check(&repo).await.is_whole());
    let report = verify(&repo, &WHO, SystemClock.now(), &options).await.unwrap();
    assert_eq!(report.findings, [Finding::Rewritten { seal_no: 9 }]);
});

db_test!(an_unsealed_row_of_the_end_is_found, |repo| async move {
    sealed(&repo, 3).await;
    tamper(&repo, "UPDATE audit_log SET seal_no = NULL, hash = NULL WHERE seal_no = 3").await;
    assert_eq!(check(&repo).await.findings, [Finding::CutOff { head: 3, last: 2 }]);
});

db_test!(an_old_unsealed_tail_is_a_finding_and_a_young_one_is_not, |repo| async move {
    write(&repo, 1, 2).await;
    let report = check(&repo).await;
    assert!(report.is_whole());
    assert_eq!(report.unsealed, 2);
    let later = SystemClock.now().after(Duration::from_mins(2));
    let report = verify(&repo, &WHO, later, &VerifyOptions::default()).await.unwrap();
    assert!(matches!(report.findings[..], [Finding::Unsealed { rows: 2, .. }]), "{report:?}");
});

db_test!(only_who_may_read_the_audit_verifies_and_lists, |repo| async move {
    let manager = Principal::User { id: UserId(1), role: Role::Manager };
    let refused = verify(&repo, &manager, Timestamp(0), &VerifyOptions::default()).await;
    assert!(matches!(refused, Err(AuditError::Forbidden(_))));
    let refused = audit::list(&repo, &manager, &AuditQuery::default()).await;
    assert!(matches!(refused, Err(AuditError::Forbidden(_))));
});

db_test!(a_list_walks_by_pages_and_filters, |repo| async move {
    write(&repo, 1, 120).await;
    let mut seen = Vec::new();
    let mut query = AuditQuery::default();
    loop {
        let page = audit::list(&repo, &WHO, &query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.before = Some(last.id);
        seen.extend(page.into_iter().map(|row| row.id));
    }
    assert_eq!(seen, (1..=120).rev().collect::<Vec<_>>());
    let of_one = AuditQuery { subject: Some("thing:7".to_owned()), ..AuditQuery::default() };
    assert_eq!(audit::list(&repo, &WHO, &of_one).await.unwrap().len(), 1);
});

db_test!(sealers_side_by_side_with_writers_give_gapless_numbers, |repo| async move {
    let stop = CancellationToken::new();
    let sealers: Vec<_> = (0..3)
        .map(|_| tokio::spawn(Sealer::new(repo.clone()).run(Duration::from_millis(1), stop.clone())))
        .collect();
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let repo = repo.clone();
            tokio::spawn(async move {
                for n in 0..25 {
                    write(&repo, n, n + 1).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    stop.cancel();
    for sealer in sealers {
        sealer.await.unwrap();
    }
    let report = check(&repo).await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.sealed, report.unsealed), (400, 0), "the last round seals what is left");
});

db_test!(a_lower_id_that_commits_later_is_sealed_once, |repo| async move {
    if repo.backend() == Backend::Sqlite {
        // One writer: ids are committed in order.
        sealed(&repo, 2).await;
        return;
    }
    let (took_its_id, may_commit) =
        (Arc::new(tokio::sync::Semaphore::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
    let slow = tokio::spawn({
        let repo = repo.clone();
        let input = (Arc::clone(&took_its_id), Arc::clone(&may_commit));
        async move {
            repo.write_with(input, |tx, (took, may)| {
                async move {
                    audit::record(tx, &WHO, "slow", "thing:0", "").await?;
                    took.add_permits(1);
                    may.acquire().await.unwrap().forget();
                    Ok::<_, DbError>(())
                }
                .boxed()
            })
            .await
        }
    });
    took_its_id.acquire().await.unwrap().forget();
    write(&repo, 1, 2).await;
    let sealer = Sealer::new(repo.clone());
    assert_eq!(sealer.seal().await.unwrap(), 2, "what is committed does not wait for what is not");
    may_commit.add_permits(1);
    slow.await.unwrap().unwrap();
    assert_eq!(sealer.seal().await.unwrap(), 1);
    let rows = audit::list(&repo, &WHO, &AuditQuery::default()).await.unwrap();
    let places: Vec<_> = rows.iter().rev().map(|row| row.seal_no.unwrap()).collect();
    assert_eq!(places, [3, 1, 2], "by id: the slow one has the lowest id and the last place");
    assert!(check(&repo).await.is_whole());
});

/// Flips one byte of one text column of one sealed row, whatever it then is, and expects the row to be named.
fn flipped_bytes_are_found(backend: Backend, cases: u32) {
    pulse_data::testing::run(backend, move |repo| async move {
        sealed(&repo, 6).await;
        let handle = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let mut runner =
                TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
            let flips = (1_i64..=6, 0_usize..5, any::<proptest::sample::Index>(), 0_u8..8);
            runner
                .run(&flips, |(seal_no, column, at, bit)| {
                    handle.block_on(flip(&repo, seal_no, column, at, bit));
                    Ok(())
                })
                .unwrap();
        })
        .await
        .unwrap();
    });
}

#[test]
fn any_flipped_byte_of_any_sealed_row_is_found_on_sqlite() {
    flipped_bytes_are_found(Backend::Sqlite, 150);
}

#[test]
fn any_flipped_byte_of_any_sealed_row_is_found_on_postgres() {
    flipped_bytes_are_found(Backend::Postgres, 150);
}

async fn flip(repo: &Repo, seal_no: i64, column: usize, at: proptest::sample::Index, bit: u8) {
    let column = ["who", "action", "subject", "details", "hash"][column];
    // PostgreSQL keeps no text that is no UTF-8, nor a NUL: there such a flip can't be.
    let (as_bytes, as_text) = match repo.backend() {
        Backend::Sqlite => ("CAST({} AS BLOB)", "CAST($1 AS TEXT)"),
        Backend::Postgres => ("convert_to({}, 'UTF8')", "convert_from($1, 'UTF8')"),
    };
    let select =
        format!("SELECT {} AS b FROM audit_log WHERE seal_no = {seal_no}", as_bytes.replace("{}", column));
    let row = repo.reader().row(&select, vec![]).await.unwrap().unwrap();
    let before: Vec<u8> = row.try_get("", "b").unwrap();
    let mut after = before.clone();
    after[at.index(before.len())] ^= 1 << bit;
    if repo.backend() == Backend::Postgres && (after.contains(&0) || std::str::from_utf8(&after).is_err()) {
        return;
    }
    for (bytes, whole) in [(after, false), (before, true)] {
        let update = format!("UPDATE audit_log SET {column} = {as_text} WHERE seal_no = {seal_no}");
        repo.write_with((update, bytes), |tx, (update, bytes)| {
            async move { tx.exec(update, vec![bytes.clone().into()]).await }.boxed()
        })
        .await
        .unwrap();
        let mut found = check(repo).await.findings;
        // The last row's hash is the head's too.
        found.retain(|finding| *finding != Finding::HeadChanged);
        let expected = if whole { vec![] } else { vec![Finding::Changed { seal_no }] };
        assert_eq!(found, expected);
    }
}

#[test]
fn an_exported_head_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("head.json");
    let head = Head { seal_no: 7, hash: "ab".repeat(32) };
    head.write_to(&path).unwrap();
    assert_eq!(Head::read_from(&path).unwrap(), head);
    std::fs::write(&path, "{\"seal_no\":7,\"hash\":\"short\"}").unwrap();
    let error = Head::read_from(&path).unwrap_err().to_string();
    assert!(error.contains("head.json") && error.contains("64 hexadecimal digits"), "{error}");
}
