//! Feeds and their dead letters: followed, filtered, mended, dropped; by those who may.

use std::sync::Arc;

use pulse_core::{Principal, Role, Sku};
use pulse_data::db_test;
use pulse_data::feeds::{Kind, LetterQuery, LetterState, NewFeed, Origin};
use pulse_data::imports::{DeadLetter, ImportLetterQuery, LetterKey};
use pulse_ingest::feed::{FeedOptions, feed_waiting};

use crate::stage::{SYSTEM, Shop};

async fn fed(shop: &Shop, source: &str, kind: Kind, rows: &[u8]) {
    let new = NewFeed {
        source: source.to_owned(),
        kind,
        origin: Origin::Post,
        name: format!("{} of {source}", kind.name()),
        content: format!("{source} {rows:?}").chars().take(400).collect(),
        format: pulse_data::feeds::Format::Csv,
        columns: Vec::new(),
        fed_at: None,
    };
    shop.rooms.feeds.feeds.post(&SYSTEM, new, rows.to_vec()).await.unwrap();
    feed_waiting(&shop.rooms.feeds, &FeedOptions::default(), &Arc::default()).await.unwrap();
}

async fn stock(shop: &Shop, sku: &str) -> i64 {
    shop.rooms.catalog.get(&Principal::Guest, Sku::new(sku).unwrap()).await.unwrap().stock
}

db_test!(feeds_are_followed_as_they_come, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(2, 5).await;
    let mut page = shop.browser_of(Role::Manager).await.open("/office/feeds").await;
    assert_eq!((page.count("#feeds tr"), page.text("#dead")), (0, "Every row could be used.".to_owned()));
    fed(&shop, "acme", Kind::Stock, b"sku,delta\nA1,3\nNOPE,1\nA2,x\n").await;
    while page.count("#feeds tr") == 0 || page.texts("#feeds .tag") != ["Done"] {
        page.next_message().await;
    }
    assert_eq!(page.texts("#feeds td.num"), ["3", "1", "2"]);
    assert_eq!(page.texts("#reasons a"), ["acme: 1 field wrong", "acme: 1 unknown product"]);
    fed(&shop, "acme", Kind::Stock, b"sku,amount\n").await;
    while page.texts("#feeds .tag").first().map(String::as_str) != Some("Refused") {
        page.next_message().await;
    }
    assert!(page.text("#feeds").contains("is no column"), "{}", page.html());
    for role in [Role::Buyer, Role::Support] {
        for path in ["/office/feeds", "/office/letters", "/office/letters/1", "/office/imports"] {
            assert_eq!(shop.browser_of(role).await.get(path).await.status, 403, "{role} {path}");
        }
    }
});

db_test!(a_letter_is_mended_on_its_page, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    fed(&shop, "acme", Kind::Stock, b"sku,delta\nA1,three\n\"A1\xff\",1\n").await;
    let list = shop.browser_of(Role::Manager).await.open("/office/letters").await;
    assert_eq!(list.count("#letters tr"), 2);
    let mut page = shop.browser_of(Role::Manager).await.open("/office/letters/1").await;
    assert_eq!(
        (page.text("#place"), page.text("#header")),
        ("row 1, line 2".to_owned(), "sku,delta".to_owned())
    );
    assert!(
        page.text("#faults").contains("delta") && page.text("#faults").contains("\"three\""),
        "{}",
        page.html()
    );
    assert_eq!(page.text("#letter_text"), "A1,three");
    page.submit("#mend", &[]).await;
    assert_eq!((page.text("#state"), stock(&shop, "A1").await), ("Open".to_owned(), 5), "nothing was mended");
    page.submit("#mend", &[("letter[text]", "A1,3")]).await;
    assert_eq!((page.text("#state"), stock(&shop, "A1").await), ("Replayed".to_owned(), 8));
    assert!(!page.has("#mend"), "it is closed");
    assert_eq!(page.text("#row"), "A1,3");
    page.forge("retry", serde_json::json!({ "letter": { "text": "A1,100" } })).await;
    assert_eq!(stock(&shop, "A1").await, 8, "what is closed is not done again");

    let mut other = shop.browser_of(Role::Manager).await.open("/office/letters/2").await;
    other.submit("#mend", &[]).await;
    assert!(other.text("#faults").contains("UTF-8"), "untouched, it is sent as it came: {}", other.html());
    other.click("#discard").await;
    let closed = shop.rooms.feeds.feeds.letter(&SYSTEM, 2).await.unwrap();
    assert_eq!((closed.state, closed.tries), (LetterState::Discarded, 1));
    assert!(closed.closed_by.is_some_and(|who| who.starts_with("user:")));
    assert_eq!(shop.browser_of(Role::Manager).await.get("/office/letters/99").await.status, 404);
});

db_test!(all_letters_of_a_filter_are_tried_or_dropped, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    fed(&shop, "acme", Kind::Stock, b"sku,delta\nB1,1\nB1,2\nA1,x\n").await;
    fed(&shop, "other", Kind::Stock, b"sku,delta\nB1,4\n").await;
    let mut page =
        shop.browser_of(Role::Manager).await.open("/office/letters?reason=unknown_product&source=acme").await;
    assert_eq!(page.count("#letters tr"), 2);
    // The cause is mended: the product is there.
    fed(&shop, "acme", Kind::Catalogue, b"sku,name,price\nB1,Bowl,2.50\n").await;
    page.click("#retry-all").await;
    while page.count("#letters tr") != 0 {
        page.next_message().await;
    }
    assert_eq!(stock(&shop, "B1").await, 3, "those of the other source still wait");
    page.change("#look", &[("reason", ""), ("source", "")]).await;
    assert_eq!((page.path(), page.count("#letters tr")), ("/office/letters", 2));
    page.click("#discard-all").await;
    while page.count("#letters tr") != 0 {
        page.next_message().await;
    }
    let dropped = LetterQuery { state: LetterState::Discarded, ..LetterQuery::default() };
    assert_eq!(shop.rooms.feeds.feeds.letters(&SYSTEM, &dropped).await.unwrap().items.len(), 2);
    page.change("#look", &[("state", "discarded")]).await;
    assert_eq!(page.count("#letters tr"), 2);
    assert_eq!(shop.browser_of(Role::Manager).await.get("/office/letters?reason=nonsense").await.status, 404);
});

/// A replayed file with as many dead letters, by turns of two reasons.
async fn replayed(shop: &Shop, rows: u64) -> i64 {
    let imports = &shop.rooms.imports;
    let (file, _) = imports.begin(&SYSTEM, &"a".repeat(64), "year.csv").await.unwrap();
    let letter = |row: u64| DeadLetter {
        row,
        reason: if row % 2 == 1 { "not_goods" } else { "no_price" }.to_owned(),
        payload: format!("536365,POST,POSTAGE {row}"),
    };
    imports.bury(&SYSTEM, file.id, (1..=rows).map(letter).collect()).await.unwrap();
    file.id
}

db_test!(a_letter_of_a_replay_is_dismissed_with_a_note, |repo| async move {
    let shop = Shop::open(repo).await;
    let file = replayed(&shop, 3).await;
    let feeds = shop.browser_of(Role::Manager).await.open("/office/feeds").await;
    assert_eq!(feeds.texts("#import-reasons a"), ["1 no price", "2 no goods"]);
    let path = "/office/imports?reason=not_goods";
    let mut page = shop.browser_of(Role::Manager).await.open(path).await;
    let mut late = shop.browser_of(Role::Manager).await.open(path).await;
    assert_eq!(page.texts("#imports .hash"), ["536365,POST,POSTAGE 1", "536365,POST,POSTAGE 3"]);

    let first = format!("#row-{file}-1 button");
    page.click(&first).await;
    assert!(page.has("#dismissal .error"), "a note is asked for: {}", page.html());
    assert_eq!(page.count("#imports tr"), 2);
    page.change("#dismissal", &[("dismissal[note]", "postage is no product")]).await;
    page.click(&first).await;
    assert_eq!(page.texts("#imports .hash"), ["536365,POST,POSTAGE 3"]);

    // Another page that still shows it is told who was faster, and then shows what is left.
    late.change("#dismissal", &[("dismissal[note]", "me too")]).await;
    late.click(&first).await;
    assert!(late.html().contains("was dismissed by user:"), "{}", late.html());
    assert_eq!(late.texts("#imports .hash"), ["536365,POST,POSTAGE 3"]);

    late.change("#look", &[("state", "dismissed")]).await;
    let told = late.texts("#imports tr");
    assert!(told.len() == 1 && told[0].contains("postage is no product by user:"), "{told:?}");
    assert!(late.attr("#dismissal", "hidden").is_some(), "nothing is to be dismissed there");
    assert_eq!(shop.browser_of(Role::Manager).await.get("/office/imports?reason=nonsense").await.status, 404);
    assert_eq!(shop.browser_of(Role::Manager).await.get("/office/imports?state=nonsense").await.status, 404);
});

db_test!(all_letters_of_a_replays_reason_are_dismissed, |repo| async move {
    let shop = Shop::open(repo).await;
    let file = replayed(&shop, 240).await;
    let mut page = shop.browser_of(Role::Manager).await.open("/office/imports").await;
    assert_eq!(page.count("#imports tr"), 50);
    page.forge("more", serde_json::json!({})).await;
    assert_eq!(page.count("#imports tr"), 100, "the list goes on where it ended");
    page.change("#look", &[("reason", "not_goods")]).await;
    page.submit("#dismissal", &[("dismissal[note]", "postage is no product")]).await;
    while page.count("#imports tr") != 0 {
        page.next_message().await;
    }
    let left = shop.rooms.imports.letters(&SYSTEM, &ImportLetterQuery::default()).await.unwrap().items;
    assert_eq!(left[0].key, LetterKey { file, row: 2 });
    assert_eq!(shop.rooms.imports.open_letters(&SYSTEM).await.unwrap(), [("no_price".to_owned(), 120)]);
});
