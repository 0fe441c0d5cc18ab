//! Files of every form: what they change, and that they change it once.

use std::sync::Arc;

use pulse_core::{Money, Timestamp};
use pulse_data::db_test;
use pulse_data::feeds::{Counts, FeedState, Seen};
use pulse_ingest::feed::{BatchRows, Fed, FeedOptions, FeedProgress, FeedRunError, OpenError, feed_file};

use super::{done, fed, letters, packed, rooms, sku, stock, stock_up, table, written};
use crate::shop::{WHO, close, shelves};

db_test!(a_file_is_fed_once_whatever_it_is_called_and_however_it_is_packed, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 3).await;
    let folder = tempfile::tempdir().unwrap();
    let file = b"sku,delta\nP1,5\nP2,-3\nP1,1\n";
    let first = done(&rooms, &written(folder.path(), "stock-monday.csv", file)).await;
    assert_eq!((first.counts, first.seen), (Counts { changed: 3, unchanged: 0, dead: 0 }, Seen::up_to(3)));
    for (name, content) in [("stock-2.csv", file.to_vec()), ("stock-3.csv.gz", packed(file))] {
        let again = fed(&rooms, &written(folder.path(), name, &content)).await;
        assert!(matches!(again, Fed::Known(ref feed) if feed.id == first.id), "{name}: {again:?}");
    }
    // The same rows with one more line are other content: deltas are what they say.
    done(&rooms, &written(folder.path(), "stock-4.csv", b"sku,delta\nP1,5\nP2,-3\nP1,1\nP3,1\n")).await;
    assert_eq!([stock(&rooms, 1).await, stock(&rooms, 2).await, stock(&rooms, 3).await], [1012, 994, 1001]);
    shelves(&shop).await;
    close(&shop).await;
});

db_test!(every_form_says_the_same, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 2).await;
    let folder = tempfile::tempdir().unwrap();
    let bom = "\u{feff}sku,name,price,at,x_ours\r\n\"P7\",\"Lamp, \"\"tall\"\"\nblack\",12.5,2026-01-01T00:00:00Z,no\r\n";
    done(&rooms, &written(folder.path(), "catalogue.csv", bom.as_bytes())).await;
    let made = rooms.catalog.get(&WHO, sku(7)).await.unwrap();
    assert_eq!((made.name.as_str(), made.price), ("Lamp, \"tall\"\nblack", Money::gbp(1250)));
    assert_eq!(made.priced_at, "2026-01-01T00:00:00Z".parse().unwrap());
    let json = packed(b"{\"sku\":\"p7\",\"price\":12.75,\"at\":\"2026-01-02T00:00:00Z\",\"x_a\":[1]}\n\n{\"sku\":\"P1\",\"price\":\"4.99\"}\n");
    let feed = done(&rooms, &written(folder.path(), "prices.ndjson.gz", &json)).await;
    assert_eq!(feed.counts, Counts { changed: 2, unchanged: 0, dead: 0 });
    assert_eq!(rooms.catalog.get(&WHO, sku(7)).await.unwrap().price, Money::gbp(1275));
    assert_eq!(rooms.catalog.get(&WHO, sku(1)).await.unwrap().price, Money::gbp(499));
    // An older list that comes late changes nothing.
    let late = b"sku,price,at\nP7,1,2026-01-01T12:00:00Z\n";
    let feed = done(&rooms, &written(folder.path(), "prices-late.csv", late)).await;
    assert_eq!(feed.counts, Counts { changed: 0, unchanged: 1, dead: 0 });
    // Only a header; the same header for two kinds of feed is two feeds.
    let feed = done(&rooms, &written(folder.path(), "prices-none.csv", b"sku,price\n")).await;
    assert_eq!((feed.state, feed.counts.rows()), (FeedState::Done, 0));
    close(&shop).await;
});

db_test!(a_file_that_is_no_feed_is_refused_as_a_whole_and_says_why, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let mut cut = packed("sku,delta\nP1,5\n".repeat(500).as_bytes());
    cut.truncate(cut.len() - 9);
    for (name, content, why) in [
        ("stock-empty.csv", b"".as_slice(), "it is empty"),
        ("stock-header.csv", b"sku,amount\nP1,5\n", "\"amount\" is no column"),
        ("stock-twice.csv", b"sku,delta,sku\nP1,5,P1\n", "sku twice"),
        ("prices-none.csv", b"sku\nP1\n", "no column price"),
        ("stock-cut.csv.gz", &cut, "breaks off before its end"),
        ("stock-binary.csv", b"\x7fELF\x00\x01", "is no column"),
    ] {
        let refused = fed(&rooms, &written(folder.path(), name, content)).await;
        let Fed::Refused(feed) = refused else { panic!("{name}: {refused:?}") };
        assert!(feed.why.as_deref().unwrap_or_default().contains(why), "{name}: {:?}", feed.why);
        assert_eq!(
            (feed.state, feed.counts.rows()),
            (FeedState::Refused, 0),
            "{name}: nothing of it is done"
        );
    }
    assert_eq!(stock(&rooms, 1).await, 1000);
    let nameless = written(folder.path(), "monday.csv", b"sku,delta\n");
    let error = feed_file(&rooms, &nameless, &FeedOptions::default(), &Arc::default(), 0).await.unwrap_err();
    assert!(matches!(error, FeedRunError::Open(OpenError::Kind(_))), "{error}");
    close(&shop).await;
});

db_test!(a_feed_that_is_stopped_again_and_again_ends_the_same, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 50).await;
    let folder = tempfile::tempdir().unwrap();
    let file = table("sku,delta", 30_000, |n| format!("P{},1", n % 50 + 1));
    let path = written(folder.path(), "stock.csv", &file);
    let mut stops = 0;
    loop {
        let (options, progress) = (FeedOptions::default(), Arc::new(FeedProgress::default()));
        let (stop, watched) = (options.stop.clone(), Arc::clone(&progress));
        let stopper = tokio::spawn(async move {
            while watched.look().counts.rows() == 0 {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        });
        let ended = feed_file(&rooms, &path, &options, &progress, 0).await.unwrap();
        stopper.abort();
        match ended {
            Fed::Stopped(feed) => assert!(feed.seen.mark() > 0 && feed.state == FeedState::Running),
            Fed::Done(feed) => {
                assert_eq!(feed.counts, Counts { changed: 30_000, unchanged: 0, dead: 0 });
                break;
            }
            other => panic!("{other:?}"),
        }
        stops += 1;
    }
    assert!(stops > 0, "it was stopped at least once");
    for n in 1..=50 {
        assert_eq!(stock(&rooms, n).await, 1600, "P{n}");
    }
    assert!(letters(&rooms).await.is_empty());
    close(&shop).await;
});

db_test!(a_batch_is_as_large_as_is_wished_or_as_suits_the_database, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 3_000).await;
    let folder = tempfile::tempdir().unwrap();
    for (wished, most) in [(Some(100), 100), (Some(700), 700), (None, BatchRows::usual(repo.backend()).get())]
    {
        let name = format!("stock-{most}.csv");
        // Each row another product, and each file another content.
        let path =
            written(folder.path(), &name, &table("sku,delta", 3_000, |n| format!("P{},{most}", n + 1)));
        let batch = wished.map(|rows| BatchRows::new(rows).unwrap());
        let options = FeedOptions { batch, ..FeedOptions::default() };
        let ended = feed_file(&rooms, &path, &options, &Arc::default(), 0).await.unwrap();
        let Fed::Done(feed) = ended else { panic!("{ended:?}") };
        let batches = rooms.feeds.changes_of(&WHO, feed.id, 1_000).await.unwrap();
        let rows: Vec<usize> = batches
            .iter()
            .map(|(_, lines)| serde_json::from_str::<Vec<serde_json::Value>>(lines).unwrap().len())
            .collect();
        assert_eq!(rows.iter().sum::<usize>(), 3_000, "{rows:?}");
        // Rows that come slowly make smaller ones.
        assert!(rows.iter().all(|rows| *rows <= most), "{rows:?}");
    }
    close(&shop).await;
});

db_test!(a_million_duplicates_change_one_thing, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 1).await;
    let folder = tempfile::tempdir().unwrap();
    // An unoptimised build takes its time: the million is fed by the release build's soak.
    let many: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let path =
        written(folder.path(), "prices.csv", format!("sku,price\n{}", "P1,4.50\n".repeat(many)).as_bytes());
    let feed = done(&rooms, &path).await;
    let rest = many as u64 - 1;
    assert_eq!(feed.counts, Counts { changed: 1, unchanged: rest, dead: 0 });
    assert_eq!(rooms.catalog.get(&WHO, sku(1)).await.unwrap().version, 2);
    assert!(rooms.catalog.get(&WHO, sku(1)).await.unwrap().priced_at > Timestamp(5));
    close(&shop).await;
});
