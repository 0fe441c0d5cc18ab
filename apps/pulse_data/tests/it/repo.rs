//! Transactions: kept or taken back as a whole, on both databases.

use futures::FutureExt as _;
use pulse_data::{DbError, Sql as _, db_test};

db_test!(a_write_is_kept_and_a_failed_one_is_not, |repo| async move {
    repo.write(|tx| {
        async move { tx.script("CREATE TABLE t (n BIGINT CONSTRAINT ck_t_n CHECK (n > 0))").await }.boxed()
    })
    .await
    .unwrap();
    repo.write(|tx| async move { tx.exec("INSERT INTO t VALUES ($1)", vec![1_i64.into()]).await }.boxed())
        .await
        .unwrap();
    let refused: Result<(), DbError> = repo
        .write(|tx| {
            async move {
                tx.exec("INSERT INTO t VALUES ($1)", vec![2_i64.into()]).await?;
                tx.exec("INSERT INTO t VALUES ($1)", vec![0_i64.into()]).await?;
                Ok(())
            }
            .boxed()
        })
        .await;
    assert!(matches!(&refused, Err(error) if error.violates("ck_t_n")), "{refused:?}");
    let row = repo.reader().row("SELECT count(*) AS n FROM t", vec![]).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 1);
});
