//! Feeds: batches done once, dead letters, posted bodies.
//!
//! **Invariant.** Whatever is repeated, raced or taken up again, a row does what it says once.

use std::sync::Arc;

use pulse_core::pricing::VatRate;
use pulse_core::{Money, Principal, Sku, Timestamp};
use pulse_data::catalog::{Catalog, DeliveryLine};
use pulse_data::feeds::{
    Batch, CatalogueRow, Counts, Entry, Fault, Feed, FeedError, FeedQuery, FeedState, Feeds, Format, Goods,
    Kind, LetterQuery, LetterState, NewFeed, NewLetter, Origin, Pieces, Place, PriceRow, Reason, Seen,
    StockRow,
};
use pulse_data::{Repo, Sql as _, SystemClock, db_test};

const WHO: Principal = Principal::System("ingest");

fn open(repo: &Repo) -> (Catalog, Feeds) {
    let catalog = Catalog::new(repo.clone(), Arc::new(SystemClock));
    let feeds = Feeds::new(repo.clone(), catalog.changes(), Arc::new(SystemClock));
    (catalog, feeds)
}

fn sku(n: u64) -> Sku {
    Sku::new(&format!("P{n}")).unwrap()
}

async fn stock_up(catalog: &Catalog, products: u64) {
    let line = |n| DeliveryLine {
        sku: sku(n),
        name: format!("Product {n}"),
        category: None,
        pieces: 10,
        price: Money::gbp(500),
        vat: VatRate::Standard,
        priced_at: Timestamp(5),
    };
    catalog.deliver(&WHO, "first", (1..=products).map(line).collect()).await.unwrap();
}

fn new(kind: Kind, content: &str) -> NewFeed {
    NewFeed {
        source: "acme".to_owned(),
        kind,
        origin: Origin::File,
        name: "feed.csv".to_owned(),
        content: content.to_owned(),
        format: Format::Csv,
        columns: vec!["sku".to_owned(), "price".to_owned()],
        fed_at: Some(Timestamp(100)),
    }
}

fn entry<T>(row: u64, data: T) -> Entry<T> {
    Entry { place: Place { row, line: row + 1 }, text: Box::from(*b"as,sent"), row: data }
}

fn moves(rows: impl IntoIterator<Item = (u64, u64, i64)>) -> Goods {
    let row = |(row, n, pieces)| {
        entry(row, StockRow { sku: sku(n), pieces: Pieces::Moved(pieces), at: Timestamp(100) })
    };
    Goods::Stock(rows.into_iter().map(row).collect())
}

fn batch(feed: &Feed, seen: &str, goods: Goods) -> Batch {
    let (version, seen) = (feed.version, seen.parse().unwrap());
    Batch { feed: feed.id, version, seen, goods: Some(goods), letters: Vec::new(), done: Counts::default() }
}

async fn stock(catalog: &Catalog, n: u64) -> i64 {
    catalog.get(&WHO, sku(n)).await.unwrap().stock
}

async fn audited(repo: &Repo, action: &str) -> i64 {
    let row =
        repo.reader().row("SELECT COUNT(*) FROM audit_log WHERE action = $1", vec![action.into()]).await;
    row.unwrap().unwrap().try_get_by_index(0).unwrap()
}

db_test!(a_batch_is_done_once_however_often_it_is_tried, |repo| async move {
    let (catalog, feeds) = open(&repo);
    stock_up(&catalog, 3).await;
    let (feed, known) = feeds.begin(&WHO, new(Kind::Stock, "a")).await.unwrap();
    assert!(!known && feed.state == FeedState::Running && feed.fed_at == Timestamp(100));
    let first = batch(&feed, "1-4", moves([(1, 1, 5), (2, 2, -3), (3, 1, 1), (4, 9, 1)]));
    let applied = feeds.apply(&WHO, first.clone()).await.unwrap();
    assert_eq!(applied.counts, Counts { changed: 3, unchanged: 0, dead: 1 });
    // The same batch again, as after a crash before its acknowledgement.
    let Err(FeedError::Stale(now)) = feeds.apply(&WHO, first).await else { panic!("it was done before") };
    assert_eq!((now.seen.mark(), now.version), (4, 1));
    assert_eq!([stock(&catalog, 1).await, stock(&catalog, 2).await, stock(&catalog, 3).await], [16, 7, 10]);
    let (again, known) = feeds.begin(&WHO, NewFeed { fed_at: None, ..new(Kind::Stock, "a") }).await.unwrap();
    assert!(known);
    assert_eq!((again.seen, again.fed_at), (Seen::up_to(4), Timestamp(100)), "it keeps its own time");
    feeds.finish(&WHO, feed.id).await.unwrap();
    feeds.finish(&WHO, feed.id).await.unwrap();
    let done = feeds.get(&WHO, feed.id).await.unwrap();
    assert_eq!((done.state, done.counts), (FeedState::Done, Counts { changed: 3, unchanged: 0, dead: 1 }));
    let late = Batch { version: 1, ..batch(&done, "5", moves([(5, 1, 1)])) };
    assert!(matches!(feeds.apply(&WHO, late).await, Err(FeedError::Stale(_))), "what is done takes no more");
    assert_eq!([audited(&repo, "feed.batch").await, audited(&repo, "feed.done").await], [1, 1]);
    let other =
        feeds.begin(&WHO, NewFeed { source: "other".to_owned(), ..new(Kind::Stock, "a") }).await.unwrap();
    assert!(!other.1, "another source's feed is another feed");
});

db_test!(two_who_work_on_one_feed_do_each_row_once, |repo| async move {
    let (catalog, feeds) = open(&repo);
    stock_up(&catalog, 1).await;
    let (feed, _) = feeds.begin(&WHO, new(Kind::Stock, "a")).await.unwrap();
    let work = |feeds: Feeds, mut feed: Feed| async move {
        while feed.seen.mark() < 50 {
            let row = feed.seen.mark() + 1;
            feed = match feeds.apply(&WHO, batch(&feed, &row.to_string(), moves([(row, 1, 1)]))).await {
                Ok(applied) => applied.feed,
                Err(FeedError::Stale(now)) => *now,
                Err(error) => panic!("{error}"),
            };
        }
    };
    tokio::join!(
        work(feeds.clone(), feed.clone()),
        work(feeds.clone(), feed.clone()),
        work(feeds.clone(), feed)
    );
    assert_eq!(stock(&catalog, 1).await, 60);
});

db_test!(the_newest_price_stands_and_only_what_has_changed_is_told, |repo| async move {
    let (catalog, feeds) = open(&repo);
    stock_up(&catalog, 3).await;
    let mut told = catalog.changes().subscribe();
    let (feed, _) = feeds.begin(&WHO, new(Kind::Prices, "a")).await.unwrap();
    let price =
        |row, n, pence, at| entry(row, PriceRow { sku: sku(n), price: Money::gbp(pence), at: Timestamp(at) });
    let rows = vec![price(1, 1, 450, 200), price(2, 2, 500, 200), price(3, 3, 400, 4), price(4, 1, 440, 150)];
    let applied = feeds.apply(&WHO, batch(&feed, "1-4", Goods::Prices(rows))).await.unwrap();
    assert_eq!(applied.counts, Counts { changed: 1, unchanged: 3, dead: 0 });
    assert_eq!(told.try_recv().unwrap().as_ref(), [sku(1)]);
    let product = catalog.get(&WHO, sku(1)).await.unwrap();
    assert_eq!((product.price, product.priced_at, product.version), (Money::gbp(450), Timestamp(200), 2));
    let confirmed = catalog.get(&WHO, sku(2)).await.unwrap();
    assert_eq!((confirmed.priced_at, confirmed.version), (Timestamp(200), 1), "nobody's edit is made stale");
    let changes = feeds.changes_of(&WHO, feed.id, 10).await.unwrap();
    assert_eq!(changes, [(1, r#"[["P1",500,450,200]]"#.to_owned())]);
    let row = repo.reader().row("SELECT details FROM audit_log WHERE action = 'feed.batch'", vec![]).await;
    let details: String = row.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert!(details.contains(r#""changes":""#), "the hash of what was changed is in the trail: {details}");
    assert_eq!(feeds.prune(&WHO, std::time::Duration::from_hours(1)).await.unwrap(), 0);
});

db_test!(a_count_replaces_an_older_one_and_the_balance_holds, |repo| async move {
    let (catalog, feeds) = open(&repo);
    stock_up(&catalog, 2).await;
    let (feed, _) = feeds.begin(&WHO, new(Kind::Stock, "a")).await.unwrap();
    let count = |row, n, pieces, at| {
        entry(row, StockRow { sku: sku(n), pieces: Pieces::Counted(pieces), at: Timestamp(at) })
    };
    let rows = vec![count(1, 1, 7, 50), count(2, 1, 9, 40), count(3, 2, 10, 50)];
    let applied = feeds.apply(&WHO, batch(&feed, "1-3", Goods::Stock(rows))).await.unwrap();
    assert_eq!(applied.counts, Counts { changed: 1, unchanged: 2, dead: 0 });
    let more = vec![count(4, 1, 3, 49)];
    let applied = feeds.apply(&WHO, batch(&applied.feed, "4", Goods::Stock(more))).await.unwrap();
    assert_eq!((applied.counts.unchanged, stock(&catalog, 1).await), (1, 7), "the count of 50 is newer");
    let sql = "SELECT COUNT(*) FROM products WHERE stock <> delivered + adjusted";
    let row = repo.reader().row(sql, vec![]).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0);
});

db_test!(a_catalogue_makes_products_and_changes_what_it_names, |repo| async move {
    let (catalog, feeds) = open(&repo);
    stock_up(&catalog, 1).await;
    let (feed, _) = feeds.begin(&WHO, new(Kind::Catalogue, "a")).await.unwrap();
    let row = |row, n, name: Option<&str>, pence: Option<i64>| {
        let (name, price) = (name.map(str::to_owned), pence.map(Money::gbp));
        let category = Some("Lamps".to_owned());
        let (sku, at) = (sku(n), Timestamp(100));
        entry(
            row,
            CatalogueRow { sku, name, category, description: None, price, vat: None, active: None, at },
        )
    };
    let rows = vec![row(1, 1, None, None), row(2, 7, Some("Été"), Some(250)), row(3, 8, Some("Free"), None)];
    let applied = feeds.apply(&WHO, batch(&feed, "1-3", Goods::Catalogue(rows))).await.unwrap();
    assert_eq!(applied.counts, Counts { changed: 2, unchanged: 0, dead: 1 });
    let known = catalog.get(&WHO, sku(1)).await.unwrap();
    assert_eq!(
        (known.name.as_str(), known.category.as_deref(), known.stock),
        ("Product 1", Some("Lamps"), 10)
    );
    let made = catalog.get(&WHO, sku(7)).await.unwrap();
    assert_eq!((made.name.as_str(), made.price, made.stock, made.active), ("Été", Money::gbp(250), 0, true));
    let letters = feeds.letters(&WHO, &LetterQuery::default()).await.unwrap().items;
    assert_eq!((letters[0].reason, letters[0].faults[0].field.as_ref()), (Reason::Missing, "price"));
});

db_test!(a_letter_is_mended_once, |repo| async move {
    let (catalog, feeds) = open(&repo);
    stock_up(&catalog, 1).await;
    let (feed, _) = feeds.begin(&WHO, new(Kind::Stock, "a")).await.unwrap();
    let faults = vec![
        Fault::of(Reason::Invalid, "delta", "is no number"),
        Fault::of(Reason::Missing, "sku", "is needed"),
    ];
    let bad = NewLetter::new(Place { row: 2, line: 3 }, b"P1,\xff", false, faults.clone());
    let dirty = Batch { letters: vec![bad], ..batch(&feed, "1-2", moves([(1, 4, 5)])) };
    let applied = feeds.apply(&WHO, dirty).await.unwrap();
    assert_eq!(applied.counts, Counts { changed: 0, unchanged: 0, dead: 2 });
    let letters = feeds.letters(&WHO, &LetterQuery::default()).await.unwrap().items;
    assert_eq!(letters.len(), 2);
    let by = |row| letters.iter().find(|letter| letter.place.row == row).unwrap().clone();
    let (unknown, unreadable) = (by(1), by(2));
    assert_eq!((unreadable.payload.as_slice(), &unreadable.faults), (b"P1,\xff".as_slice(), &faults));
    assert_eq!(
        (unknown.reason, unknown.source.as_str(), unknown.payload.as_slice()),
        (Reason::UnknownProduct, "acme", b"as,sent".as_slice())
    );
    let counts = feeds.letter_counts(&WHO).await.unwrap();
    assert_eq!(
        counts.iter().map(|count| (count.reason, count.letters)).collect::<Vec<_>>(),
        [(Reason::Invalid, 1), (Reason::UnknownProduct, 1)]
    );

    // The product is still unknown; then somebody names another.
    let still = feeds.replay(&WHO, &unknown, Some(moves([(1, 4, 5)])), None).await.unwrap();
    assert_eq!(still[0].reason, Reason::UnknownProduct);
    assert_eq!(audited(&repo, "feed.letter.replay").await, 0, "nothing was done");
    assert!(matches!(
        feeds.replay(&WHO, &unknown, Some(moves([(1, 1, 5)])), None).await,
        Err(FeedError::LetterMoved(_))
    ));
    let unknown = feeds.letter(&WHO, unknown.id).await.unwrap();
    assert_eq!((unknown.tries, unknown.state), (1, LetterState::Open));
    let text = b"P1,5".to_vec();
    let one = feeds.replay(&WHO, &unknown, Some(moves([(1, 1, 5)])), Some(text.clone()));
    let other = feeds.replay(&WHO, &unknown, Some(moves([(1, 1, 5)])), None);
    let (one, other) = tokio::join!(one, other);
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1, "{one:?} {other:?}");
    assert_eq!(stock(&catalog, 1).await, 15);
    let closed = feeds.letter(&WHO, unknown.id).await.unwrap();
    assert_eq!((closed.state, closed.closed_by.as_deref()), (LetterState::Replayed, Some("system:ingest")));

    feeds.tried(&WHO, &unreadable, vec![Fault::row("is no UTF-8")], None).await.unwrap();
    let unreadable = feeds.letter(&WHO, unreadable.id).await.unwrap();
    assert_eq!((unreadable.tries, unreadable.reason), (1, Reason::Unreadable));
    feeds.discard(&WHO, &unreadable).await.unwrap();
    assert!(matches!(feeds.discard(&WHO, &unreadable).await, Err(FeedError::LetterMoved(_))));
    assert!(feeds.letters(&WHO, &LetterQuery::default()).await.unwrap().items.is_empty());
});

db_test!(a_feed_of_dirt_alone_waits_for_somebody, |repo| async move {
    let (_, feeds) = open(&repo);
    let (mut feed, _) = feeds.begin(&WHO, new(Kind::Prices, "a")).await.unwrap();
    let letters = |from: u64, to: u64| {
        let letter =
            |row| NewLetter::new(Place { row, line: 0 }, b"x", false, vec![Fault::row("is nothing")]);
        (from..=to).map(letter).collect()
    };
    let dirt = |feed: &Feed, from: u64, to: u64| Batch {
        goods: None,
        letters: letters(from, to),
        ..batch(feed, &format!("{from}-{to}"), moves([]))
    };
    for n in 0..2 {
        feed = feeds.apply(&WHO, dirt(&feed, n * 5000 + 1, (n + 1) * 5000)).await.unwrap().feed;
    }
    let refused = feeds.apply(&WHO, dirt(&feed, 10_001, 10_001)).await;
    assert!(matches!(refused, Err(FeedError::TooManyLetters { open: 10_000, .. })), "{refused:?}");
    let first = feeds.letters(&WHO, &LetterQuery { limit: 1, ..LetterQuery::default() }).await.unwrap();
    feeds.discard(&WHO, &first.items[0]).await.unwrap();
    feeds.apply(&WHO, dirt(&feed, 10_001, 10_001)).await.unwrap();
    let second = LetterQuery { limit: 1, after: first.next, ..LetterQuery::default() };
    assert_eq!(feeds.letters(&WHO, &second).await.unwrap().items[0].place.row, 2);
});

db_test!(a_posted_body_waits_until_it_is_fed, |repo| async move {
    let (_, feeds) = open(&repo);
    let posted = |content: &str, name: &str| NewFeed {
        origin: Origin::Post,
        name: name.to_owned(),
        ..new(Kind::Prices, content)
    };
    let (feed, known) = feeds.post(&WHO, posted("key:1", "sha-1"), b"sku,price\n".to_vec()).await.unwrap();
    assert!(!known && feed.state == FeedState::Waiting);
    let (again, known) = feeds.post(&WHO, posted("key:1", "sha-1"), b"sku,price\n".to_vec()).await.unwrap();
    assert!(known && again.id == feed.id);
    let reused = feeds.post(&WHO, posted("key:1", "sha-2"), b"other".to_vec()).await;
    assert!(matches!(reused, Err(FeedError::KeyReused)), "{reused:?}");
    let (second, _) = feeds.post(&WHO, posted("key:2", "sha-2"), b"two".to_vec()).await.unwrap();
    let waiting = feeds.waiting(&WHO, 0).await.unwrap().unwrap();
    assert_eq!((waiting.feed.id, waiting.body.as_slice()), (feed.id, b"sku,price\n".as_slice()));
    feeds.finish(&WHO, feed.id).await.unwrap();
    assert_eq!(feeds.waiting(&WHO, 0).await.unwrap().unwrap().feed.id, second.id);
    feeds.refuse(&WHO, second.id, "it is no feed\0").await.unwrap();
    assert_eq!(feeds.waiting(&WHO, 0).await.unwrap(), None);
    assert_eq!(feeds.get(&WHO, second.id).await.unwrap().why.as_deref(), Some("it is no feed"));
    let listed = feeds.list(&WHO, &FeedQuery { limit: 1, ..FeedQuery::default() }).await.unwrap();
    let more =
        feeds.list(&WHO, &FeedQuery { limit: 1, after: listed.next, ..FeedQuery::default() }).await.unwrap();
    assert_eq!([listed.items[0].id, more.items[0].id].iter().sum::<i64>(), feed.id + second.id);
});

db_test!(buyers_have_no_business_with_feeds, |repo| async move {
    let (_, feeds) = open(&repo);
    let buyer = Principal::User { id: pulse_core::UserId(7), role: pulse_core::Role::Support };
    for who in [Principal::Guest, buyer] {
        assert!(matches!(feeds.begin(&who, new(Kind::Prices, "a")).await, Err(FeedError::Forbidden(_))));
        assert!(matches!(feeds.letter_counts(&who).await, Err(FeedError::Forbidden(_))));
    }
});
