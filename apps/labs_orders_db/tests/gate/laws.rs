//! What holds for any input and any course of events.

use gate::proptest::collection::{btree_map, hash_map, vec};
use gate::proptest::prelude::{Just, Strategy, any};
use gate::proptest::prop_oneof;
use labs_orders_db::edit::{cancel, deliver};
use labs_orders_db::place::{PlaceError, place};
use labs_orders_db::{NewOrder, OrderId};
use serde_json::{Value, json};

use crate::desk::{held, now_on_both, order, orders, stock, stocked};

const SKUS: [&str; 4] = ["A", "B", "C", "D"];

#[derive(Debug, Clone)]
enum Event {
    Deliver(usize, i64),
    Place(u8, Vec<(usize, i64)>),
    Cancel(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let lines = btree_map(0..SKUS.len(), 1..6_i64, 1..4);
    prop_oneof![
        1 => (0..SKUS.len(), 0..10_i64).prop_map(|(sku, pieces)| Event::Deliver(sku, pieces)),
        4 => (0..12_u8, lines).prop_map(|(key, lines)| Event::Place(key, lines.into_iter().collect())),
        2 => (0..12_usize).prop_map(Event::Cancel),
    ]
}

/// What is in stock and what open orders hold add up to what was delivered, after any course of events.
///
/// Holes: `take`, `cancel`.
#[test]
fn pieces_are_neither_lost_nor_made() {
    gate::law(10, vec(event(), 1..30), |events| {
        now_on_both(async |db| {
            stocked(db, &SKUS.map(|sku| (sku, 8))).await;
            let mut delivered = [8; 4];
            for event in &events {
                match event {
                    Event::Deliver(sku, pieces) => {
                        deliver(db, SKUS[*sku], "again", 100, *pieces).await.expect("delivered");
                        delivered[*sku] += pieces;
                    }
                    Event::Place(key, lines) => {
                        let lines: Vec<_> = lines.iter().map(|(sku, n)| (SKUS[*sku], *n)).collect();
                        match place(db, &order(&key.to_string(), &lines)).await {
                            Ok(_) | Err(PlaceError::Short(_) | PlaceError::KeyReused) => {}
                            Err(PlaceError::Db(error)) => panic!("{error}"),
                        }
                    }
                    Event::Cancel(n) => {
                        let id = orders(db).await.get(*n).map_or(OrderId(-1), |order| order.id);
                        let _ = cancel(db, id).await;
                    }
                }
            }
            for (sku, delivered) in SKUS.iter().zip(delivered) {
                let (stock, held) = (stock(db, sku).await, held(db, sku).await);
                assert_eq!(
                    stock + held,
                    delivered,
                    "{sku}: {stock} in stock and {held} in orders of {delivered}"
                );
            }
        });
    });
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,70}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 6, |inner| {
        let field = prop_oneof![Just("key"), Just("buyer"), Just("lines"), Just("sku"), Just("quantity")];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            hash_map(field.prop_map(str::to_owned), inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

/// Whatever is sent is an order or has mistakes; nothing panics, nothing is both.
///
/// Hole: `items`.
#[test]
fn whatever_is_sent_is_an_order_or_has_mistakes() {
    // Most get as far as their lines.
    let sent = (json_value(), vec(json_value(), 0..4)).prop_map(|(mut sent, lines)| {
        if let Some(fields) = sent.as_object_mut() {
            fields.insert("lines".to_owned(), Value::from(lines));
        }
        sent
    });
    gate::law(256, sent, |sent| match NewOrder::cast(&sent) {
        Ok(order) => assert!(!order.lines().is_empty(), "an order without lines of {sent}"),
        Err(errors) => assert!(!errors.0.is_empty(), "refused without a reason: {sent}"),
    });
}

/// Whoever takes several rows takes them in one order, or two such people wait for each other.
///
/// Hole: `items`.
#[test]
fn lines_are_in_the_order_of_their_codes() {
    let lines =
        btree_map("[A-Z]{1,8}", 1..1_000_i64, 1..20).prop_map(|map| map.into_iter().collect::<Vec<_>>());
    gate::law(64, lines.prop_shuffle(), |lines| {
        let lines: Vec<_> = lines.iter().map(|(sku, n)| (sku.as_str(), *n)).collect();
        let order = order("k", &lines);
        assert!(order.lines().is_sorted_by(|a, b| a.sku < b.sku), "the lines of {order:?}");
        assert_eq!(order.lines().len(), lines.len(), "the lines of {order:?}");
    });
}
