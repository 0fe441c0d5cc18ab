//! Named steps: all of them or none.

use futures::FutureExt as _;
use pulse_data::{DbError, Multi, Sql as _, db_test};

const TAKE: &str = "UPDATE shelves SET pieces = pieces - $1 WHERE id = 1";
const GIVE: &str = "UPDATE shelves SET pieces = pieces + $1 WHERE id = 2";

fn moving(pieces: i64) -> Multi<DbError> {
    Multi::new()
        .step("give", move |tx, _| {
            async move {
                tx.exec(GIVE, vec![pieces.into()]).await?;
                Ok(pieces)
            }
            .boxed()
        })
        .step("take", |tx, before| {
            async move {
                let pieces = before.get::<i64>("give").copied().unwrap_or_default();
                tx.exec(TAKE, vec![pieces.into()]).await
            }
            .boxed()
        })
}

db_test!(all_steps_or_none_and_the_failed_one_is_named, |repo| async move {
    let schema =
        "CREATE TABLE shelves (id BIGINT, pieces BIGINT CONSTRAINT ck_shelves_pieces CHECK (pieces >= 0));
        INSERT INTO shelves VALUES (1, 10), (2, 0)";
    repo.write::<(), DbError, _>(move |tx| tx.script(schema).boxed()).await.unwrap();

    let answers = moving(4).run(&repo).await.unwrap();
    assert_eq!(answers.get::<u64>("take"), Some(&1));
    assert_eq!(answers.get::<i64>("take"), None, "asked for another type");

    let error = moving(7).run(&repo).await.unwrap_err();
    assert_eq!(error.step, "take");
    assert!(error.error.violates("ck_shelves_pieces"));

    let rows = repo.reader().rows("SELECT pieces FROM shelves ORDER BY id", vec![]).await.unwrap();
    let pieces: Vec<i64> = rows.iter().map(|row| row.try_get("", "pieces").unwrap()).collect();
    assert_eq!(pieces, [6, 4]);
});
