//! Pages by key visit each row exactly once.

use futures::FutureExt as _;
use proptest::prelude::*;
use pulse_data::page::{Direction, after};
use pulse_data::{Cursor, DbError, Page, Repo, Sql as _, db_test};

type Key = (i64, String);

async fn page(repo: &Repo, direction: Direction, cursor: Option<&Cursor>, limit: u32) -> Page<Key> {
    let order = if direction == Direction::Ascending { "ASC" } else { "DESC" };
    let mut values = vec![i64::try_from(Page::<Key>::fetch(limit)).unwrap().into()];
    let condition = match cursor {
        None => "1 = 1".to_owned(),
        Some(cursor) => {
            let (price, sku): Key = cursor.key().unwrap();
            values.extend([price.into(), sku.into()]);
            after(&["price", "sku"], direction, 2)
        }
    };
    let sql = format!(
        "SELECT price, sku FROM goods WHERE {condition} ORDER BY price {order}, sku {order} LIMIT $1"
    );
    let rows = repo.reader().rows(&sql, values).await.unwrap();
    let keys = rows.iter().map(|row| (row.try_get("", "price").unwrap(), row.try_get("", "sku").unwrap()));
    Page::of(keys.collect(), limit, Clone::clone)
}

db_test!(walking_visits_each_row_once_in_order, |repo| async move {
    let mut keys: Vec<Key> = (0..50).map(|n| (n % 7, format!("S{n:02}"))).collect();
    let rows: Vec<String> = keys.iter().map(|(price, sku)| format!("({price}, '{sku}')")).collect();
    let script =
        format!("CREATE TABLE goods (price BIGINT, sku TEXT); INSERT INTO goods VALUES {}", rows.join(","));
    repo.write_with::<_, (), DbError, _>(script, |tx, script| tx.script(script).boxed()).await.unwrap();
    keys.sort();
    for direction in [Direction::Ascending, Direction::Descending] {
        for limit in [1, 7, 49, 50, 51] {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = page(&repo, direction, cursor.as_ref(), limit).await;
                assert!(page.items.len() <= limit as usize);
                seen.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, keys, "{direction:?} by {limit}");
        }
        keys.reverse();
    }
});

proptest! {
    #[test]
    fn a_cursor_gives_its_key_back(key in (any::<i64>(), ".*")) {
        let cursor = Cursor::of(&key);
        prop_assert!(cursor.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        prop_assert_eq!(Cursor::from_client(cursor.as_str()).key::<Key>(), Ok(key));
    }

    #[test]
    fn what_a_client_made_up_is_refused(text in ".*") {
        prop_assert!(Cursor::from_client(&text).key::<Key>().is_err());
    }
}
