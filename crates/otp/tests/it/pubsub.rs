//! Topics: delivery, bounds, and cleaning by monitors.

use std::sync::Arc;

use otp::{PubSub, Published};

use crate::cart::settle;

type Stock = PubSub<String, u32>;

#[tokio::test(start_paused = true)]
async fn a_payload_reaches_each_subscriber_of_its_topic_once_and_is_shared() {
    let stock = Stock::new();
    let (one, mut first) = otp::inbox::<Arc<u32>>(8);
    let (two, mut second) = otp::inbox::<(u8, Arc<u32>)>(8);
    stock.subscribe("tea".to_owned(), &one, |left| left);
    stock.subscribe("tea".to_owned(), &one, |left| left);
    stock.subscribe("tea".to_owned(), &two, |left| (7, left));
    stock.subscribe("milk".to_owned(), &two, |left| (8, left));
    assert_eq!(stock.publish("tea", 41), Published { delivered: 2, overloaded: 0 });
    assert_eq!(stock.publish("sugar", 1), Published::default());
    let a = first.recv().await.unwrap();
    let (7, b) = second.recv().await.unwrap() else { panic!() };
    assert_eq!(*a, 41);
    assert!(Arc::ptr_eq(&a, &b));
    assert!(first.try_recv().is_none() && second.try_recv().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_full_subscriber_misses_out_and_is_counted_and_nobody_waits() {
    let stock = Stock::new();
    let (slow, _inbox) = otp::inbox::<Arc<u32>>(1);
    let (quick, mut inbox) = otp::inbox::<Arc<u32>>(100);
    stock.subscribe("tea".to_owned(), &slow, |left| left);
    stock.subscribe("tea".to_owned(), &quick, |left| left);
    for n in 0..10 {
        stock.publish("tea", n);
    }
    assert_eq!(stock.overloaded_count(), 9);
    for n in 0..10 {
        assert_eq!(inbox.try_recv().as_deref(), Some(&n));
    }
}

#[tokio::test(start_paused = true)]
async fn the_dead_and_the_unsubscribed_are_in_no_topic() {
    let stock = Stock::new();
    let (stays, _inbox) = otp::inbox::<Arc<u32>>(8);
    let (goes, dying) = otp::inbox::<Arc<u32>>(8);
    for topic in ["tea", "milk"] {
        stock.subscribe(topic.to_owned(), &stays, |left| left);
        stock.subscribe(topic.to_owned(), &goes, |left| left);
    }
    assert_eq!((stock.topic_count(), stock.subscriber_count("tea")), (2, 2));
    drop(dying);
    settle().await;
    assert_eq!((stock.topic_count(), stock.subscriber_count("tea")), (2, 1));
    assert!(stock.unsubscribe("tea", &stays) && !stock.unsubscribe("tea", &stays));
    assert_eq!(stays.info().monitored_by, 1, "only the other topic's");
    stock.subscribe("tea".to_owned(), &goes, |left| left);
    assert_eq!(stock.topic_count(), 1, "the dead do not subscribe");
}
