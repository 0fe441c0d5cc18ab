//! The catalogue: pages, edits, deliveries, prices, promotions, and who may do what.

#![expect(clippy::unwrap_used, reason = "a test: to panic is to fail")]

use std::collections::BTreeMap;

use pulse_core::ports::Catalogue;
use pulse_core::pricing::{Promotion, Rule, VatRate};
use pulse_core::{Money, Principal, Role, Timestamp};
use pulse_data::catalog::{
    CatalogError, Delivered, NewPrice, NewProduct, ProductEdit, ProductQuery, Sort, StoredPromotion,
};
use pulse_data::db_test;
use pulse_data::page::Cursor;

use crate::shop::{NOW, ROOT, Shop, buyer, delivery, sku, user};

fn product(code: &str, name: &str, pence: i64) -> NewProduct {
    NewProduct {
        sku: sku(code),
        name: name.to_owned(),
        category: None,
        description: String::new(),
        price: Money::gbp(pence),
        vat: VatRate::Reduced,
        active: true,
    }
}

async fn codes(shop: &Shop, query: &ProductQuery) -> Vec<String> {
    let page = shop.catalog.list(&Principal::Guest, query).await.unwrap();
    page.items.iter().map(|product| product.sku.to_string()).collect()
}

db_test!(pages_show_each_product_once_while_others_are_added, |repo| async move {
    let shop = Shop::new(repo);
    for sort in [Sort::Name, Sort::Sku, Sort::PriceAsc, Sort::PriceDesc, Sort::Newest] {
        // Every third has the same name and price: ties are broken by code.
        let old: Vec<String> = (0..17).map(|n| format!("{sort:?}-{n:02}").to_uppercase()).collect();
        for (n, code) in (0_i64..).zip(&old) {
            let name = format!("Thing {}", n % 3);
            shop.catalog.create(&ROOT, product(code, &name, 100 + n % 3)).await.unwrap();
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut query = ProductQuery { sort, limit: 3, ..ProductQuery::default() };
        let mut keys = Vec::new();
        for round in 0.. {
            let page = shop.catalog.list(&Principal::Guest, &query).await.unwrap();
            assert!(page.items.len() <= 3);
            for product in &page.items {
                *seen.entry(product.sku.to_string()).or_insert(0) += 1;
                keys.push((
                    product.name.to_lowercase(),
                    product.sku,
                    product.price.pence,
                    product.created_at,
                ));
            }
            if page.next.is_none() {
                break;
            }
            query.after = page.next;
            if round < 5 {
                let late = format!("{sort:?}-LATE{round}").to_uppercase();
                let name = format!("Thing {}", round % 3);
                shop.catalog.create(&ROOT, product(&late, &name, 100 + round % 3)).await.unwrap();
            }
        }
        for code in &old {
            assert_eq!(seen.get(code), Some(&1), "{code} by {sort:?}");
        }
        assert!(seen.values().all(|times| *times == 1), "{seen:?}");
        let in_order = keys.is_sorted_by(|a, b| match sort {
            Sort::Name => (&a.0, a.1) < (&b.0, b.1),
            Sort::Sku => a.1 < b.1,
            Sort::PriceAsc => (a.2, a.1) < (b.2, b.1),
            Sort::PriceDesc => (a.2, a.1) > (b.2, b.1),
            Sort::Newest => (a.3, a.1) > (b.3, b.1),
        });
        assert!(in_order, "{sort:?}");
    }
});

db_test!(a_cursor_of_another_list_is_refused, |repo| async move {
    let shop = Shop::with(repo, &[("A", 1, 1), ("B", 1, 1)]).await;
    let query = ProductQuery { limit: 1, sort: Sort::Name, ..ProductQuery::default() };
    let next = shop.catalog.list(&Principal::Guest, &query).await.unwrap().next;
    let other = ProductQuery { after: next, sort: Sort::Sku, ..query.clone() };
    let nonsense = ProductQuery { after: Some(Cursor::from_client("nonsense")), ..query };
    for query in [other, nonsense] {
        let refused = shop.catalog.list(&Principal::Guest, &query).await;
        assert!(matches!(refused, Err(CatalogError::Cursor(_))), "{refused:?}");
    }
});

db_test!(products_are_found_by_parts_of_name_and_code, |repo| async move {
    let shop = Shop::new(repo);
    for (code, name) in [("10A", "WHITE Heart 50% off"), ("10B", "white lantern"), ("20_X", "Élan vase")] {
        shop.catalog.create(&ROOT, product(code, name, 100)).await.unwrap();
    }
    for (text, expected) in [
        ("white", vec!["10A", "10B"]),
        ("WHITE H", vec!["10A"]),
        ("10", vec!["10A", "10B"]),
        ("0_x", vec!["20_X"]),
        ("0%", vec!["10A"]),
        ("_", vec!["20_X"]),
        ("élan", vec!["20_X"]),
        ("ÉLAN", vec!["20_X"]),
        ("\\", vec![]),
        ("' OR 1=1 --", vec![]),
        ("a\0b", vec![]),
    ] {
        let query =
            ProductQuery { search: Some(text.to_owned()), sort: Sort::Sku, ..ProductQuery::default() };
        assert_eq!(codes(&shop, &query).await, expected, "{text}");
    }
});

db_test!(products_are_filtered, |repo| async move {
    let shop = Shop::with(repo, &[("A", 0, 100), ("B", 3, 200), ("C", 9, 300)]).await;
    let edit = ProductEdit { category: Some(Some("Toys".to_owned())), ..ProductEdit::default() };
    shop.catalog.update(&ROOT, sku("B"), 1, edit).await.unwrap();
    let edit = ProductEdit { active: Some(false), ..ProductEdit::default() };
    shop.catalog.update(&ROOT, sku("C"), 1, edit).await.unwrap();
    let all = ProductQuery { sort: Sort::Sku, ..ProductQuery::default() };
    assert_eq!(codes(&shop, &all).await, ["A", "B"]);
    assert_eq!(codes(&shop, &ProductQuery { in_stock: true, ..all.clone() }).await, ["B"]);
    assert_eq!(codes(&shop, &ProductQuery { stock_at_most: Some(2), ..all.clone() }).await, ["A"]);
    assert_eq!(codes(&shop, &ProductQuery { category: Some("Toys".to_owned()), ..all.clone() }).await, ["B"]);
    let priced = ProductQuery { min_pence: Some(100), max_pence: Some(199), ..all.clone() };
    assert_eq!(codes(&shop, &priced).await, ["A"]);
    let every = ProductQuery { inactive_too: true, ..all };
    assert_eq!(shop.catalog.list(&ROOT, &every).await.unwrap().items.len(), 3);
    let hidden = shop.catalog.get(&Principal::Guest, sku("C")).await;
    assert!(matches!(hidden, Err(CatalogError::NotFound(_))), "{hidden:?}");
    assert!(Catalogue::offer(&shop.catalog, sku("C")).await.unwrap().is_none());
    assert_eq!(Catalogue::offer(&shop.catalog, sku("B")).await.unwrap().unwrap().stock, 3);
});

db_test!(an_edit_of_an_older_version_is_refused, |repo| async move {
    let shop = Shop::with(repo, &[("A", 5, 100)]).await;
    let name = |name: &str| ProductEdit { name: Some(name.to_owned()), ..ProductEdit::default() };
    let first = shop.catalog.update(&ROOT, sku("A"), 1, name("One")).await.unwrap();
    assert_eq!((first.version, first.name.as_str()), (2, "One"));
    assert_eq!(shop.catalog.get(&ROOT, sku("A")).await.unwrap(), first);
    let late = shop.catalog.update(&ROOT, sku("A"), 1, name("Two")).await;
    assert!(matches!(late, Err(CatalogError::Stale { expected: 1, current: 2, .. })), "{late:?}");
    // A sale or a delivery is no edit.
    shop.catalog.set_stock(&ROOT, sku("A"), 3).await.unwrap();
    assert_eq!(shop.catalog.get(&ROOT, sku("A")).await.unwrap().version, 2);
});

db_test!(what_the_database_refuses_is_told_by_field, |repo| async move {
    let shop = Shop::with(repo, &[("A", 5, 100)]).await;
    let field = |result: Result<_, CatalogError>| match result {
        Err(CatalogError::Invalid(errors)) => (errors.0[0].field.clone(), errors.0[0].code),
        other => panic!("{other:?}"),
    };
    let taken = shop.catalog.create(&ROOT, product("A", "Again", 1)).await;
    assert_eq!(field(taken), ("sku".to_owned(), "taken"));
    let nameless = shop.catalog.create(&ROOT, product("B", "  ", 1)).await;
    assert_eq!(field(nameless), ("name".to_owned(), "length"));
    let negative = shop.catalog.create(&ROOT, product("B", "b", -1)).await;
    assert_eq!(field(negative), ("price".to_owned(), "range"));
    let nul = shop.catalog.create(&ROOT, product("B", "b\0", 1)).await;
    assert_eq!(field(nul), ("name".to_owned(), "format"));
    let below = shop.catalog.set_stock(&ROOT, sku("A"), -1).await;
    assert_eq!(field(below), ("stock".to_owned(), "range"));
});

db_test!(a_delivery_is_booked_once, |repo| async move {
    let shop = Shop::new(repo);
    let lines =
        || vec![delivery("B", 2, 50), delivery("A", 3, 100), delivery("A", 4, 100), delivery("C", 0, 9)];
    assert_eq!(shop.catalog.deliver(&ROOT, "d1", lines()).await.unwrap(), Delivered::Booked);
    assert_eq!(shop.catalog.deliver(&ROOT, "d1", lines()).await.unwrap(), Delivered::Before);
    assert_eq!((shop.stock("A").await, shop.stock("B").await, shop.stock("C").await), (7, 2, 0));
    let other = shop.catalog.deliver(&ROOT, "d1", vec![delivery("A", 1, 1)]).await;
    assert!(matches!(other, Err(CatalogError::KeyReused(_))), "{other:?}");
    let mut dearer = delivery("A", 1, 999);
    "Another name".clone_into(&mut dearer.name);
    shop.catalog.deliver(&ROOT, "d2", vec![dearer]).await.unwrap();
    let product = shop.catalog.get(&ROOT, sku("A")).await.unwrap();
    assert_eq!((product.stock, product.delivered, product.price.pence), (8, 8, 100));
    assert_eq!(product.name, "Product A");
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let catalog = shop.catalog.clone();
            tokio::spawn(
                async move { catalog.deliver(&ROOT, "d3", vec![delivery("A", 10, 1)]).await.unwrap() },
            )
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(shop.stock("A").await, 18);
    shop.assert_balanced().await;
});

db_test!(the_newest_price_wins_in_any_order, |repo| async move {
    let shop = Shop::with(repo, &[("A", 1, 100)]).await;
    let new = |pence, after: i64| NewPrice {
        sku: sku("A"),
        price: Money::gbp(pence),
        at: Timestamp(NOW.0 + after),
    };
    let reprice = async |prices: &[NewPrice]| shop.catalog.reprice(&ROOT, prices.to_vec()).await.unwrap();
    assert_eq!(reprice(&[new(300, 30), new(200, 20)]).await, [sku("A")]);
    assert_eq!(reprice(&[new(250, 25), new(100, -10)]).await, []);
    assert_eq!(shop.catalog.get(&ROOT, sku("A")).await.unwrap().price, Money::gbp(300));
    // Of two prices of one instant the higher one wins.
    assert_eq!(reprice(&[new(299, 30)]).await, []);
    assert_eq!(reprice(&[new(301, 30)]).await, [sku("A")]);
    assert_eq!(shop.catalog.get(&ROOT, sku("A")).await.unwrap().version, 3);
    assert_eq!(reprice(&[NewPrice { sku: sku("X"), ..new(1, 99) }]).await, []);
});

db_test!(whoever_keeps_copies_is_told_after_the_commit, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100), ("B", 10, 100)]).await;
    let mut told = shop.catalog.changes().subscribe();
    let heard = |told: &mut tokio::sync::broadcast::Receiver<_>| -> std::sync::Arc<[pulse_core::Sku]> {
        told.try_recv().unwrap()
    };
    let price = NewPrice { sku: sku("A"), price: Money::gbp(7), at: Timestamp(NOW.0 + 1) };
    shop.catalog.reprice(&ROOT, vec![price]).await.unwrap();
    assert_eq!(*heard(&mut told), [sku("A")]);
    shop.catalog.reprice(&ROOT, vec![price]).await.unwrap();
    let id = shop.sell(1, &buyer(7), &[crate::shop::listed("B", 1, 100)]).await.id;
    assert_eq!(*heard(&mut told), [sku("B")]);
    shop.orders.step(&ROOT, id, pulse_core::order::Step::Cancel).await.unwrap();
    assert_eq!(*heard(&mut told), [sku("B")]);
    assert!(told.try_recv().is_err());
});

db_test!(promotions_apply_in_their_time, |repo| async move {
    let shop = Shop::new(repo);
    let promotion = |code: &str, starts: Option<i64>, ends: Option<i64>, active| StoredPromotion {
        promotion: Promotion { code: code.to_owned(), rule: Rule::Percentage { sku: None, percent: 10 } },
        active,
        starts_at: starts.map(|after| Timestamp(NOW.0 + after)),
        ends_at: ends.map(|after| Timestamp(NOW.0 + after)),
    };
    for stored in [
        promotion("ALWAYS", None, None, true),
        promotion("ENDED", Some(-9), Some(0), true),
        promotion("LATER", Some(1), None, true),
        promotion("NOW", Some(0), Some(1), true),
        promotion("OFF", None, None, false),
    ] {
        shop.catalog.put_promotion(&ROOT, stored).await.unwrap();
    }
    let applying = Catalogue::promotions(&shop.catalog).await.unwrap();
    let codes: Vec<_> = applying.iter().map(|promotion| promotion.code.as_str()).collect();
    assert_eq!(codes, ["ALWAYS", "NOW"]);
    assert_eq!(shop.catalog.promotions(&ROOT).await.unwrap().len(), 5);
    shop.catalog.delete_promotion(&ROOT, "NOW").await.unwrap();
    let gone = shop.catalog.delete_promotion(&ROOT, "NOW").await;
    assert!(matches!(gone, Err(CatalogError::NoPromotion(_))), "{gone:?}");
    let backwards = shop.catalog.put_promotion(&ROOT, promotion("X", Some(1), Some(1), true)).await;
    assert!(matches!(backwards, Err(CatalogError::Invalid(_))), "{backwards:?}");
});

/// A promotion that takes so many per cent off everything.
fn percent_off(code: &str, percent: u8) -> StoredPromotion {
    let promotion = Promotion { code: code.to_owned(), rule: Rule::Percentage { sku: None, percent } };
    StoredPromotion { promotion, active: true, starts_at: None, ends_at: None }
}

db_test!(of_many_who_make_a_promotion_at_once_one_has_the_code, |repo| async move {
    let shop = Shop::new(repo);
    let create = |percent| {
        let catalog = shop.catalog.clone();
        async move { (percent, catalog.create_promotion(&ROOT, percent_off("SPRING", percent)).await) }
    };
    let answers = futures::future::join_all((1..=8).map(create)).await;
    let made: Vec<u8> =
        answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(percent, _)| *percent).collect();
    let [winner] = made[..] else { panic!("{answers:?}") };
    for (percent, answer) in answers.into_iter().filter(|(percent, _)| *percent != winner) {
        let Err(CatalogError::Invalid(errors)) = answer else { panic!("{percent}: {answer:?}") };
        let [error] = &errors.0[..] else { panic!("{errors:?}") };
        assert_eq!((error.field.as_str(), error.code), ("code", "taken"));
    }
    assert_eq!(shop.catalog.promotions(&ROOT).await.unwrap(), [percent_off("SPRING", winner)]);
    // Over it goes whoever means to, and nobody in between is told of an error.
    let put = |percent| {
        let catalog = shop.catalog.clone();
        async move { catalog.put_promotion(&ROOT, percent_off("AUTUMN", percent)).await.unwrap() }
    };
    futures::future::join_all((1..=8).map(put)).await;
    assert_eq!(shop.catalog.promotions(&ROOT).await.unwrap().len(), 2);
});

db_test!(the_shop_keeps_a_hundred_promotions, |repo| async move {
    let shop = Shop::new(repo);
    for n in 0..100 {
        shop.catalog.create_promotion(&ROOT, percent_off(&format!("P{n}"), 1)).await.unwrap();
    }
    for answer in [
        shop.catalog.create_promotion(&ROOT, percent_off("ONE-MORE", 1)).await,
        shop.catalog.put_promotion(&ROOT, percent_off("ONE-MORE", 1)).await,
    ] {
        let Err(CatalogError::Invalid(errors)) = answer else { panic!("{answer:?}") };
        assert_eq!(errors.0[0].code, "full");
    }
    shop.catalog.put_promotion(&ROOT, percent_off("P0", 2)).await.unwrap();
});

db_test!(the_next_turn_is_the_next_beginning_or_end, |repo| async move {
    let shop = Shop::new(repo);
    let planned = |code: &str, starts: Option<i64>, ends: Option<i64>, active| StoredPromotion {
        active,
        starts_at: starts.map(Timestamp),
        ends_at: ends.map(Timestamp),
        ..percent_off(code, 5)
    };
    let next =
        async |after| shop.catalog.next_turn(&ROOT, Timestamp(after)).await.unwrap().map(|turn| turn.0);
    assert_eq!(next(0).await, None);
    for stored in [
        planned("ALWAYS", None, None, true),
        planned("SPRING", Some(10), Some(30), true),
        planned("SALE", None, Some(20), true),
        planned("OFF", Some(15), Some(25), false),
    ] {
        shop.catalog.put_promotion(&ROOT, stored).await.unwrap();
    }
    let mut turns = vec![];
    let mut at = 0;
    while let Some(turn) = next(at).await {
        turns.push(turn);
        at = turn;
    }
    assert_eq!(turns, [10, 20, 30]);
});

db_test!(who_may_do_what_with_the_catalogue, |repo| async move {
    let shop = Shop::with(repo, &[("A", 10, 100)]).await;
    let rule = Rule::BuyNGetM { sku: sku("A"), buy: 2, free: 1 };
    let stored = StoredPromotion {
        promotion: Promotion { code: "P".to_owned(), rule },
        active: true,
        starts_at: None,
        ends_at: None,
    };
    let forbidden = |error: Option<CatalogError>| matches!(error, Some(CatalogError::Forbidden(_)));
    let everybody = [
        Principal::Guest,
        buyer(1),
        user(1, Role::Support),
        user(1, Role::Manager),
        user(1, Role::Admin),
        Principal::System("test"),
    ];
    for (n, who) in everybody.iter().enumerate() {
        let trusted = n >= 3;
        let catalog = &shop.catalog;
        let query = ProductQuery::default();
        let every = ProductQuery { inactive_too: true, ..query.clone() };
        assert!(catalog.list(who, &query).await.is_ok(), "{who}");
        assert!(catalog.get(who, sku("A")).await.is_ok(), "{who}");
        let answers = [
            catalog.list(who, &every).await.err(),
            catalog.create(who, product(&format!("N{n}"), "New", 1)).await.err(),
            catalog.update(who, sku("A"), -1, ProductEdit::default()).await.err(),
            catalog.set_stock(who, sku("A"), 1).await.err(),
            catalog.deliver(who, &format!("d{n}"), vec![]).await.err(),
            catalog.reprice(who, vec![]).await.err(),
            catalog.promotions(who).await.err(),
            catalog.put_promotion(who, stored.clone()).await.err(),
            catalog.create_promotion(who, stored.clone()).await.err(),
            catalog.next_turn(who, NOW).await.err(),
            catalog.delete_promotion(who, "P").await.err(),
        ];
        for (action, answer) in answers.into_iter().enumerate() {
            assert_eq!(forbidden(answer), !trusted, "{who}, action {action}");
        }
    }
});

db_test!(some_products_are_read_at_once_and_hidden_ones_by_editors_alone, |repo| async move {
    let shop = Shop::with(repo, &[("A", 1, 100), ("B", 2, 100), ("C", 3, 100)]).await;
    let hide = ProductEdit { active: Some(false), ..ProductEdit::default() };
    shop.catalog.update(&ROOT, sku("B"), 1, hide).await.unwrap();
    let asked = [sku("C"), sku("NEVER"), sku("B"), sku("A"), sku("A")];
    let seen = async |who: &Principal| {
        let found = shop.catalog.some(who, &asked).await.unwrap();
        found.iter().map(|product| product.sku.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&Principal::Guest).await, ["A", "C"]);
    assert_eq!(seen(&ROOT).await, ["A", "B", "C"]);
    assert_eq!(shop.catalog.some(&ROOT, &[]).await.unwrap(), []);
});

db_test!(shelves_are_told_with_what_is_for_sale_on_them, |repo| async move {
    let shop = Shop::new(repo);
    for (code, shelf, active) in
        [("A", "Tea", true), ("B", "Bags", true), ("C", "Tea", true), ("D", "Old", false)]
    {
        let mut new = product(code, code, 100);
        (new.category, new.active) = (Some(shelf.to_owned()), active);
        shop.catalog.create(&ROOT, new).await.unwrap();
    }
    shop.catalog.create(&ROOT, product("E", "nowhere", 100)).await.unwrap();
    let shelves = shop.catalog.categories(&Principal::Guest).await.unwrap();
    assert_eq!(shelves, [("Bags".to_owned(), 1), ("Tea".to_owned(), 2)]);
});

db_test!(a_delivery_names_the_shelf_of_a_new_product_and_leaves_a_known_one_where_it_is, |repo| async move {
    let shop = Shop::new(repo);
    let on = |shelf: &str, key| {
        let mut line = delivery("A", 1, 100);
        line.category = Some(shelf.to_owned());
        (key, vec![line])
    };
    for (key, lines) in [on(" Tea ", "first"), on("Bags", "second")] {
        shop.catalog.deliver(&ROOT, key, lines).await.unwrap();
    }
    let product = shop.catalog.get(&ROOT, sku("A")).await.unwrap();
    assert_eq!((product.category.as_deref(), product.stock), (Some("Tea"), 2));
    let (key, long) = on(&"x".repeat(61), "third");
    let refused = shop.catalog.deliver(&ROOT, key, long).await;
    assert!(
        matches!(&refused, Err(CatalogError::Invalid(errors)) if errors.0[0].field == "lines.0.category"),
        "{refused:?}"
    );
});
