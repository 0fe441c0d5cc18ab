//! Carts are stored under their version, many at once.

use futures::FutureExt as _;
use pulse_core::cart::{Basis, Cart, Freeze, Line, Price, StoredCart};
use pulse_core::ports::{CartStore as _, SaveError, StoreError};
use pulse_core::{CartId, CheckoutKey, CommandId, Money, Quantity, Sku, Timestamp, Version};
use pulse_data::carts::Carts;
use pulse_data::{DbError, Sql as _, db_test};

fn cart(version: u64, pence: i64) -> StoredCart {
    let price = Price { unit: Money::gbp(pence), basis: Basis::Quoted };
    let line = Line { sku: Sku::new("85123A").unwrap(), quantity: Quantity::new(6).unwrap(), price };
    StoredCart {
        version: Version(version),
        cart: Cart {
            lines: vec![line],
            freeze: Some(Freeze { key: CheckoutKey::new("a\"\\b{,}").unwrap(), until: Timestamp(17) }),
        },
        recent: [(CommandId(u64::MAX), Version(version))].into_iter().collect(),
    }
}

/// Over the version before it; the first one over none.
async fn save(carts: &Carts, id: u128, cart: StoredCart) -> Result<(), SaveError> {
    carts.save(CartId(id), Version(cart.version.0 - 1), &cart).await
}

db_test!(a_cart_comes_back_as_it_was_stored, |repo| async move {
    let carts = Carts::new(&repo);
    assert_eq!(carts.load(CartId(1)).await.unwrap(), None);
    for version in 1..=3 {
        let cart = cart(version, 255);
        carts.save(CartId(1), Version(version - 1), &cart).await.unwrap();
        assert_eq!(carts.load(CartId(1)).await.unwrap(), Some(cart));
    }
    let empty = StoredCart { version: Version(4), ..StoredCart::default() };
    carts.save(CartId(1), Version(3), &empty).await.unwrap();
    assert_eq!(carts.load(CartId(1)).await.unwrap(), Some(empty));
});

db_test!(only_the_next_version_is_stored, |repo| async move {
    let carts = Carts::new(&repo);
    let fenced = |answer: Result<(), SaveError>| assert_eq!(answer, Err(SaveError::Fenced));
    fenced(save(&carts, 1, cart(2, 1)).await);
    save(&carts, 1, cart(1, 1)).await.unwrap();
    fenced(save(&carts, 1, cart(1, 2)).await);
    fenced(save(&carts, 1, cart(3, 2)).await);
    save(&carts, 1, cart(2, 3)).await.unwrap();
    assert_eq!(carts.load(CartId(1)).await.unwrap(), Some(cart(2, 3)));
});

db_test!(of_two_owners_exactly_one_wins_each_version, |repo| async move {
    let owners: Vec<_> = (0..8)
        .map(|owner| {
            let carts = Carts::new(&repo);
            tokio::spawn(async move {
                let mut won = 0_u64;
                for version in 1..=20 {
                    for id in 0..4 {
                        match save(&carts, id, cart(version, owner)).await {
                            Ok(()) => won += 1,
                            Err(SaveError::Fenced) => {}
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
                won
            })
        })
        .collect();
    let mut won = 0;
    for owner in owners {
        won += owner.await.unwrap();
    }
    let carts = Carts::new(&repo);
    let mut versions = 0;
    for id in 0..4 {
        versions += carts.load(CartId(id)).await.unwrap().unwrap().version.0;
    }
    assert_eq!(won, versions, "as many were acknowledged as versions were made");
});

db_test!(a_fenced_neighbour_does_not_touch_the_rest_of_its_batch, |repo| async move {
    let carts = Carts::new(&repo);
    let saves = (0..600_u64).map(|n| {
        let carts = carts.clone();
        // Every tenth claims a version that it can't have.
        let version = if n % 10 == 0 { 5 } else { 1 };
        tokio::spawn(async move { (n, save(&carts, n.into(), cart(version, 9)).await) })
    });
    for save in saves.collect::<Vec<_>>() {
        let (n, answer) = save.await.unwrap();
        assert_eq!(answer, if n % 10 == 0 { Err(SaveError::Fenced) } else { Ok(()) }, "{n}");
    }
    let row = repo.reader().row("SELECT count(*) AS n FROM carts", vec![]).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 540);
});

db_test!(saves_that_wait_share_commits, |repo| async move {
    let carts = Carts::new(&repo);
    let before = repo.stats().commits;
    let saves = (0..1000_u64).map(|n| {
        let carts = carts.clone();
        tokio::spawn(async move { save(&carts, n.into(), cart(1, 1)).await })
    });
    for save in saves.collect::<Vec<_>>() {
        save.await.unwrap().unwrap();
    }
    let commits = repo.stats().commits - before;
    assert!(commits < 500, "{commits} commits for 1000 saves");
});

db_test!(a_row_that_can_not_be_read_is_told_and_not_guessed, |repo| async move {
    let sql = "INSERT INTO carts (id, version, currency, body, recent) VALUES ($1, 1, $2, $3, $4)";
    let good = ["GBP", r#"{"l":[["85123A",1,2,"s"]]}"#, "AAAAAAAAAAE@1"];
    let bad = [
        ["XXX", good[1], good[2]],
        ["GBP", "{}", good[2]],
        ["GBP", r#"{"l":[["85123A",0,2,"s"]]}"#, good[2]],
        ["GBP", good[1], "AAAAAAAAAAE"],
    ];
    let carts = Carts::new(&repo);
    for (n, row) in bad.into_iter().chain([good]).enumerate() {
        let id = CartId(n as u128);
        let values = (id.to_string(), row);
        repo.write_with::<_, u64, DbError, _>(values, move |tx, (id, row)| {
            let values = [id.as_str(), row[0], row[1], row[2]].map(Into::into);
            tx.exec(sql, values.into()).boxed()
        })
        .await
        .unwrap();
        let loaded = carts.load(id).await;
        assert_eq!(matches!(loaded, Err(StoreError::Corrupt(_))), n < 4, "{n}: {loaded:?}");
    }
});
