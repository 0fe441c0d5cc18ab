//! Order events of carriers and partners, through the front door.

use pulse_core::OrderId;
use pulse_core::order::Status;
use pulse_data::db_test;
use pulse_data::feeds::{Counts, Reason};
use pulse_data::orders::OrderQuery;

use super::{done, letters, rooms, stock, stock_up, written};
use crate::shop::{WHO, close, shelves};

db_test!(what_a_partner_sells_and_a_carrier_brings_is_told_to_the_shop_once, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, 2).await;
    let folder = tempfile::tempdir().unwrap();
    let placed = "event,reference,lines,country,email,order\n\
                  placed,M-1,P1*2@4.50 P2*1@3.00,United Kingdom,ada@example.com,\n\
                  placed,M-1,P1*2@4.50 P2*1@3.00,United Kingdom,ada@example.com,\n\
                  placed,M-2,P1*5000@4.50,France,,\n\
                  placed,M-3,NOPE*1@1,France,,\n\
                  placed,,,,,\n\
                  shipped,M-1,,,,\n\
                  packed,M-1,,,,\n\
                  shipped,M-1,,,,\n\
                  shipped,M-1,,,,\n\
                  delivered,M-9,,,,\n\
                  delivered,,,,,4711\n";
    let feed = done(&rooms, &written(folder.path(), "orders-shop.csv", placed.as_bytes())).await;
    assert_eq!(feed.counts, Counts { changed: 3, unchanged: 2, dead: 6 });
    let mut found: Vec<_> = letters(&rooms)
        .await
        .into_iter()
        .map(|letter| {
            let fields: Vec<String> = letter.faults.iter().map(|fault| fault.field.to_string()).collect();
            (letter.place.row, letter.reason, fields.join(" "))
        })
        .collect();
    found.sort_unstable();
    let expected = [
        (3, Reason::OutOfStock, "lines"),
        (4, Reason::OutOfStock, "lines"),
        (5, Reason::Missing, "reference lines country"),
        (6, Reason::WrongStep, "event"),
        (10, Reason::UnknownOrder, "reference"),
        (11, Reason::UnknownOrder, "order"),
    ];
    assert_eq!(found, expected.map(|(row, reason, fields)| (row, reason, fields.to_owned())));
    let query = OrderQuery { everybody: true, limit: 10, ..OrderQuery::default() };
    let orders = rooms.orders.list(&WHO, &query).await.unwrap().items;
    assert_eq!(orders.len(), 1, "told twice, it is one order");
    assert_eq!((orders[0].status, orders[0].total.pence), (Status::Shipped, 1200));
    assert_eq!([stock(&rooms, 1).await, stock(&rooms, 2).await], [998, 999]);
    // The carrier's own feed names the shop's number; told again in another file, it is no news.
    for (name, changed) in [("orders-a.ndjson", 1), ("orders-b.ndjson", 0)] {
        let text =
            format!("{{\"event\":\"delivered\",\"order\":{},\"x_file\":\"{name}\"}}\n", orders[0].id.0);
        let feed = done(&rooms, &written(folder.path(), name, text.as_bytes())).await;
        assert_eq!(feed.counts.changed, changed);
    }
    let detail = rooms.orders.get(&WHO, OrderId(orders[0].id.0)).await.unwrap();
    assert_eq!(detail.order.status, Status::Delivered);
    shelves(&shop).await;
    close(&shop).await;
});
