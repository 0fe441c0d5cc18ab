//! Laws of the book.

use std::collections::BTreeMap;

use gate::proptest::collection::vec;
use labs_orders_web::book::{Book, KEPT_CHANGES, Missed, Refused};
use labs_orders_web::order::{OrderNo, Status};

use crate::client::wish;

/// Whoever reads at any moment and applies what it has missed since, has what a fresh reader has.
///
/// Holes: `write`, `since`.
#[test]
fn what_was_missed_makes_up_the_difference() {
    gate::law(100, (vec(0_u32..20, 0..120), 0_usize..120), |(acts, left_at)| {
        let mut book = Book::default();
        let mut known = (book.version(), book.newest(usize::MAX));
        for (n, act) in acts.iter().enumerate() {
            // Ten of twenty acts move an order on, where there is one.
            let moved = (*act < 10).then(|| {
                let order = book.newest(usize::MAX).into_iter().nth(*act as usize)?;
                book.advance(order.no, order.status).ok()
            });
            if moved.flatten().is_none() {
                book.place(wish("Ada")).unwrap();
            }
            if n + 1 == left_at {
                known = (book.version(), book.newest(usize::MAX));
            }
        }
        let (version, orders) = known;
        let Missed::Changes(changes) = book.since(version) else {
            panic!("fewer than {KEPT_CHANGES} were missed")
        };
        let mut mine: BTreeMap<_, _> = orders.into_iter().map(|order| (order.no, order)).collect();
        let versions: Vec<_> = changes.iter().map(|change| change.version).collect();
        assert_eq!(versions, (version + 1..=book.version()).collect::<Vec<_>>());
        mine.extend(changes.into_iter().map(|change| (change.order.no, change.order)));
        let fresh: Vec<_> = book.newest(usize::MAX);
        assert_eq!(mine.into_values().rev().collect::<Vec<_>>(), fresh);
    });
}

/// Who was away for too long, or knows a version of another book, reads everything anew.
///
/// Hole: `since`.
#[test]
fn who_was_away_for_too_long_or_knows_another_book_reads_anew() {
    gate::check(|| {
        let mut book = Book::default();
        for _ in 0..=KEPT_CHANGES {
            book.place(wish("Ada")).unwrap();
        }
        assert_eq!(book.since(0), Missed::Everything);
        assert!(matches!(book.since(1), Missed::Changes(all) if all.len() == KEPT_CHANGES));
        assert_eq!(book.since(book.version()), Missed::Changes(Vec::new()));
        assert_eq!(book.since(book.version() + 1), Missed::Everything);
    });
}

/// An order moves one step from where the caller saw it: two who press the same button move it once.
///
/// Hole: `advance`.
#[test]
fn two_who_press_the_same_button_move_an_order_once() {
    gate::check(|| {
        let mut book = Book::default();
        let no = book.place(wish("Ada")).unwrap().order.no;
        assert_eq!(book.advance(no, Status::Placed).unwrap().order.status, Status::Packed);
        let second = book.advance(no, Status::Placed);
        assert_eq!(second, Err(Refused::Moved { no, from: Status::Placed, now: Status::Packed }));
        assert_eq!(book.advance(OrderNo(9), Status::Placed), Err(Refused::Unknown(OrderNo(9))));
    });
}

/// At its end an order goes nowhere, and nothing is told of it.
///
/// Hole: `advance`.
#[test]
fn an_order_at_its_end_goes_nowhere() {
    gate::check(|| {
        let mut book = Book::default();
        let no = book.place(wish("Ada")).unwrap().order.no;
        book.advance(no, Status::Placed).unwrap();
        book.advance(no, Status::Packed).unwrap();
        let beyond = book.advance(no, Status::Shipped);
        assert_eq!(beyond, Err(Refused::Moved { no, from: Status::Shipped, now: Status::Shipped }));
        assert_eq!(book.version(), 3, "changes of an order that was placed, packed and shipped");
    });
}
