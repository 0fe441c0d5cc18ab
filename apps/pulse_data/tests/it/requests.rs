//! Requests for returns: who may ask, what is refused, and what an answer books.

#![expect(clippy::unwrap_used, reason = "a test: to panic is to fail")]

use pulse_core::order::Status;
use pulse_core::{OrderId, Principal, Role};
use pulse_data::orders::{
    AskReturn, MOST_REQUESTS, OrderError, Outcome, RequestId, RequestQuery, ReturnRequest,
};
use pulse_data::{DbError, Sql as _, db_test};

use crate::shop::{ROOT, Shop, buyer, listed, pieces, user};

fn ask(order: OrderId, lines: &[(i64, i64)]) -> AskReturn {
    let lines = lines.iter().map(|(line, n)| (*line, pieces(*n))).collect();
    AskReturn { order, lines, reason: " It is too small. ".to_owned() }
}

fn support() -> Principal {
    user(1, Role::Support)
}

/// An order of four pieces of A and one of B, delivered to buyer 7.
async fn delivered(shop: &Shop) -> OrderId {
    let id = shop.sell(1, &buyer(7), &[listed("A", 4, 100), listed("B", 1, 250)]).await.id;
    shop.fulfil(id).await;
    id
}

async fn opening(repo: pulse_data::Repo) -> Shop {
    Shop::with(repo, &[("A", 10, 100), ("B", 10, 250)]).await
}

async fn numbers(shop: &Shop, who: &Principal, query: &RequestQuery) -> Vec<i64> {
    let page = shop.orders.requests(who, query).await.unwrap();
    page.items.iter().map(|request: &ReturnRequest| request.id.0).collect()
}

db_test!(an_accepted_request_books_the_goods_once, |repo| async move {
    let shop = opening(repo).await;
    let id = delivered(&shop).await;
    let asked = shop.orders.ask_return(&buyer(7), ask(id, &[(1, 1), (2, 1), (1, 1)])).await.unwrap();
    assert_eq!((asked.reason.as_str(), &asked.outcome), ("It is too small.", &Outcome::Open));
    let lines: Vec<_> = asked.lines.iter().map(|line| (line.line, line.sku.as_str(), line.pieces)).collect();
    assert_eq!(lines, [(1, "A", 2), (2, "B", 1)]);
    assert_eq!(shop.stock("A").await, 6, "asking moves nothing");

    let accepted = shop.orders.accept_return(&support(), asked.id).await.unwrap();
    let Outcome::Accepted { refund, by, .. } = accepted.outcome else { panic!("{accepted:?}") };
    assert_eq!((refund.pence, by.as_str()), (450, "user:1"));
    assert_eq!((shop.stock("A").await, shop.stock("B").await), (8, 10));
    assert_eq!(shop.number("SELECT COUNT(*) FROM jobs WHERE worker = 'payment.refund'").await, 1);
    let again = shop.orders.accept_return(&support(), asked.id).await;
    assert!(matches!(again, Err(OrderError::RequestDecided(_))), "{again:?}");
    let late = shop.orders.decline_return(&support(), asked.id, "no").await;
    assert!(matches!(late, Err(OrderError::RequestDecided(_))), "{late:?}");
    assert_eq!((shop.stock("A").await, shop.stock("B").await), (8, 10));

    let rest = shop.orders.ask_return(&buyer(7), ask(id, &[(1, 2)])).await.unwrap();
    shop.orders.accept_return(&support(), rest.id).await.unwrap();
    assert_eq!(shop.orders.get(&ROOT, id).await.unwrap().order.status, Status::Returned);
    let audit = "SELECT COUNT(*) FROM audit_log WHERE action IN ('return.ask', 'return.accept')";
    assert_eq!(shop.number(audit).await, 4);
    shop.assert_balanced().await;
});

db_test!(a_declined_request_says_why_and_may_be_followed_by_another, |repo| async move {
    let shop = opening(repo).await;
    let id = delivered(&shop).await;
    let asked = shop.orders.ask_return(&buyer(7), ask(id, &[(1, 1)])).await.unwrap();
    let second = shop.orders.ask_return(&buyer(7), ask(id, &[(2, 1)])).await;
    assert!(matches!(second, Err(OrderError::ReturnAsked(order)) if order == id), "{second:?}");
    let silent = shop.orders.decline_return(&support(), asked.id, "  ").await;
    assert!(matches!(silent, Err(OrderError::Invalid { field: "answer", .. })), "{silent:?}");
    let declined = shop.orders.decline_return(&support(), asked.id, "It was worn.").await.unwrap();
    assert!(matches!(&declined.outcome, Outcome::Declined { answer, .. } if answer == "It was worn."));
    assert_eq!(shop.stock("A").await, 6);
    for _ in 1..MOST_REQUESTS {
        let asked = shop.orders.ask_return(&buyer(7), ask(id, &[(1, 1)])).await.unwrap();
        shop.orders.decline_return(&support(), asked.id, "No.").await.unwrap();
    }
    let too_many = shop.orders.ask_return(&buyer(7), ask(id, &[(1, 1)])).await;
    assert!(matches!(too_many, Err(OrderError::TooManyRequests(_))), "{too_many:?}");
});

db_test!(only_its_buyer_asks_and_only_staff_answers, |repo| async move {
    let shop = opening(repo).await;
    let early = shop.sell(2, &buyer(7), &[listed("A", 1, 100)]).await.id;
    let id = delivered(&shop).await;
    for who in [buyer(8), support(), Principal::Guest, ROOT] {
        let hidden = shop.orders.ask_return(&who, ask(id, &[(1, 1)])).await;
        assert!(matches!(hidden, Err(OrderError::NotFound(_))), "{who}: {hidden:?}");
    }
    let wrong = shop.orders.ask_return(&buyer(7), ask(early, &[(1, 1)])).await;
    assert!(matches!(wrong, Err(OrderError::WrongStep(_))), "{wrong:?}");
    let greedy = shop.orders.ask_return(&buyer(7), ask(id, &[(1, 5)])).await;
    assert!(matches!(greedy, Err(OrderError::TooManyBack { line: 1, wanted: 5, left: 4 })), "{greedy:?}");
    let empty = shop.orders.ask_return(&buyer(7), ask(id, &[])).await;
    assert!(matches!(empty, Err(OrderError::NothingToReturn(_))), "{empty:?}");

    let asked = shop.orders.ask_return(&buyer(7), ask(id, &[(1, 1)])).await.unwrap();
    for who in [buyer(7), Principal::Guest] {
        let refused = shop.orders.accept_return(&who, asked.id).await;
        assert!(matches!(refused, Err(OrderError::Forbidden(_))), "{who}: {refused:?}");
        let refused = shop.orders.decline_return(&who, asked.id, "No.").await;
        assert!(matches!(refused, Err(OrderError::Forbidden(_))), "{who}: {refused:?}");
    }
    let unknown = shop.orders.accept_return(&support(), RequestId(99)).await;
    assert!(matches!(unknown, Err(OrderError::NoRequest(RequestId(99)))), "{unknown:?}");

    let query = RequestQuery { limit: 10, ..RequestQuery::default() };
    assert_eq!(numbers(&shop, &buyer(7), &query).await, [asked.id.0]);
    assert!(numbers(&shop, &buyer(8), &query).await.is_empty());
    assert!(numbers(&shop, &Principal::Guest, &query).await.is_empty());
    let all = RequestQuery { everybody: true, open: true, ..query.clone() };
    assert_eq!(numbers(&shop, &support(), &all).await, [asked.id.0]);
    let refused = shop.orders.requests(&buyer(7), &all).await;
    assert!(matches!(refused, Err(OrderError::Forbidden(_))), "{refused:?}");
    let other = RequestQuery { order: Some(early), ..query };
    assert!(numbers(&shop, &buyer(7), &other).await.is_empty());
});

db_test!(requests_come_in_pages_newest_first, |repo| async move {
    let shop = opening(repo).await;
    let id = delivered(&shop).await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        let request = shop.orders.ask_return(&buyer(7), ask(id, &[(1, 1)])).await.unwrap().id;
        shop.orders.decline_return(&support(), request, "No.").await.unwrap();
        asked.insert(0, request.0);
    }
    let mut query = RequestQuery { limit: 2, ..RequestQuery::default() };
    let mut walked = Vec::new();
    loop {
        let page = shop.orders.requests(&buyer(7), &query).await.unwrap();
        walked.extend(page.items.iter().map(|request| request.id.0));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(walked, asked);
});

db_test!(the_database_refuses_a_second_open_request, |repo| async move {
    let shop = opening(repo).await;
    let id = delivered(&shop).await;
    shop.orders.ask_return(&buyer(7), ask(id, &[(1, 1)])).await.unwrap();
    let sql = "INSERT INTO return_requests (order_id, buyer, reason, state, asked_at) \
               VALUES ($1, 7, 'r', 'open', 0)";
    let twice: Result<u64, DbError> = shop
        .repo
        .write_with(id, move |tx, id| Box::pin(async move { tx.exec(sql, vec![id.0.into()]).await }))
        .await;
    assert!(matches!(twice, Err(DbError::Unique(_))), "{twice:?}");
    let sql = "UPDATE return_requests SET state = 'accepted'";
    let half: Result<u64, DbError> =
        shop.repo.write_with((), move |tx, ()| Box::pin(async move { tx.exec(sql, vec![]).await })).await;
    assert!(half.as_ref().is_err_and(|error| error.violates("ck_return_requests_state")), "{half:?}");
});
