//! Each kind of refusal is the same variant on both databases.

use futures::FutureExt as _;
use pulse_core::ports::StoreError;
use pulse_data::{DbError, Repo, Sql as _, db_test};

const SCHEMA: &str = "
    CREATE TABLE shelves (id BIGINT NOT NULL, CONSTRAINT pk_shelves PRIMARY KEY (id));
    CREATE TABLE boxes (
        shelf BIGINT CONSTRAINT fk_boxes_shelf REFERENCES shelves (id),
        name TEXT NOT NULL,
        pieces BIGINT NOT NULL CONSTRAINT ck_boxes_pieces CHECK (pieces >= 0),
        CONSTRAINT uq_boxes_shelf_name UNIQUE (shelf, name)
    );
    INSERT INTO shelves (id) VALUES (1);
    INSERT INTO boxes (shelf, name, pieces) VALUES (1, 'a', 1)";

async fn refusal(repo: &Repo, sql: &'static str) -> DbError {
    repo.write(move |tx| tx.exec(sql, vec![]).boxed()).await.unwrap_err()
}

db_test!(constraints_have_the_same_kind_and_name, |repo| async move {
    repo.write::<(), DbError, _>(|tx| tx.script(SCHEMA).boxed()).await.unwrap();

    let error = refusal(&repo, "INSERT INTO shelves (id) VALUES (1)").await;
    assert!(matches!(error, DbError::Unique(_)) && error.violates("pk_shelves"), "{error:?}");

    let error = refusal(&repo, "INSERT INTO boxes VALUES (1, 'a', 2)").await;
    assert!(matches!(error, DbError::Unique(_)) && error.violates("uq_boxes_shelf_name"), "{error:?}");
    assert!(!error.violates("uq_boxes_name"));

    let error = refusal(&repo, "INSERT INTO boxes VALUES (1, 'b', -1)").await;
    assert!(matches!(error, DbError::Check(_)) && error.violates("ck_boxes_pieces"), "{error:?}");

    let error = refusal(&repo, "INSERT INTO boxes VALUES (9, 'b', 1)").await;
    assert!(matches!(error, DbError::ForeignKey(_)) && error.violates("fk_boxes_shelf"), "{error:?}");

    let error = refusal(&repo, "DELETE FROM shelves").await;
    assert!(matches!(error, DbError::ForeignKey(_)), "{error:?}");

    let error = refusal(&repo, "INSERT INTO boxes VALUES (1, NULL, 1)").await;
    let names = |table: &str, column: &str| (table, column) == ("boxes", "name");
    assert!(matches!(&error, DbError::NotNull { table, column } if names(table, column)), "{error:?}");
});

db_test!(a_mistake_in_a_statement_is_ours_and_not_the_databases, |repo| async move {
    assert!(matches!(refusal(&repo, "SELEKT 1").await, DbError::Other(_)));
    assert!(matches!(refusal(&repo, "INSERT INTO nowhere VALUES (1)").await, DbError::Other(_)));
});

db_test!(a_value_of_another_type_is_corrupt, |repo| async move {
    let row = repo.reader().row("SELECT 'text' AS n", vec![]).await.unwrap().unwrap();
    let error = DbError::from(row.try_get::<i64>("", "n").unwrap_err());
    assert!(matches!(StoreError::from(error), StoreError::Corrupt(_)));
});
