//! Bursts of messages to one view: few renders, one order.

use std::sync::Arc;

use live::testing::Browser;

use crate::app::{Bus, Info, keys, live, live_with};

#[tokio::test]
async fn a_thousand_messages_share_few_renders_and_the_last_word_is_shown() {
    let live = live();
    let mut page = Browser::new(&live).open("/").await;
    page.send_all((1..=1_000).map(|n| Info::Stock(Arc::new(n)))).await;
    assert_eq!((page.text("#count"), page.text("#big")), ("1000".into(), "1000 is big".into()));
    let stats = live.stats();
    assert_eq!(stats.infos, 1_000, "each had its handler");
    assert!(stats.renders <= 4 && stats.diffs == stats.renders, "{stats:?}");
}

#[tokio::test]
async fn a_burst_from_the_bus_is_one_diff_for_each_page() {
    let bus = Bus::new();
    let live = live_with(keys(&[1]), &bus);
    let (mut one, mut two) = (Browser::new(&live).open("/").await, Browser::new(&live).open("/").await);
    for n in 1..=50 {
        bus.publish(&"stock", n);
    }
    one.settle().await;
    two.settle().await;
    assert_eq!((one.text("#count"), two.text("#count")), ("50".into(), "50".into()));
    assert_eq!((live.stats().infos, live.stats().diffs), (100, 2));
}
