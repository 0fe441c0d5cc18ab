//! The rows of requests for returns.
//!
//! **Invariant.** A row's outcome is read as one value, so a state without what belongs to it is refused here too.

use std::collections::BTreeMap;

use pulse_core::{Money, OrderId, Principal, Timestamp, UserId};
use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::{Outcome, RequestId, RequestLine, RequestQuery, ReturnRequest};
use crate::catalog::product::{currency, sku};
use crate::catalog::sql::Dialects;
use crate::catalog::stock::json as to_json;
use crate::page::Page;
use crate::{DbError, Sql as _};

/// How many requests an order has.
pub(super) struct Counts {
    pub(super) all: i64,
    pub(super) open: i64,
}

pub(super) async fn counts(db: &impl ConnectionTrait, order: OrderId) -> Result<Counts, DbError> {
    let sql = "SELECT COUNT(*), COUNT(CASE WHEN state = 'open' THEN 1 END) FROM return_requests \
               WHERE order_id = $1";
    let row = db.row(sql, vec![order.0.into()]).await?;
    let row = row.ok_or_else(|| DbError::Corrupt("a count without a row".to_owned()))?;
    Ok(Counts { all: row.try_get_by_index(0)?, open: row.try_get_by_index(1)? })
}

const LINES: Dialects = Dialects {
    sqlite: "INSERT INTO return_request_lines (request_id, line_no, pieces) \
             SELECT $2, value ->> 0, value ->> 1 FROM json_each($1)",
    postgres: "INSERT INTO return_request_lines (request_id, line_no, pieces) \
               SELECT $2, (e ->> 0)::bigint, (e ->> 1)::bigint FROM jsonb_array_elements($1::jsonb) e",
};

pub(super) async fn insert(
    tx: &impl ConnectionTrait,
    order: OrderId,
    buyer: UserId,
    reason: &str,
    now: Timestamp,
    lines: &BTreeMap<i64, i64>,
) -> Result<RequestId, DbError> {
    let sql = "INSERT INTO return_requests (order_id, buyer, reason, state, asked_at) \
               VALUES ($1, $2, $3, 'open', $4) RETURNING id";
    let row = tx.row(sql, vec![order.0.into(), buyer.0.into(), reason.into(), now.0.into()]).await?;
    let row = row.ok_or_else(|| DbError::Corrupt("a new request without a number".to_owned()))?;
    let id = RequestId(row.try_get_by_index(0)?);
    let list: Vec<_> = lines.iter().collect();
    tx.exec(LINES.of(tx), vec![to_json(&list)?.into(), id.0.into()]).await?;
    Ok(id)
}

pub(super) async fn decide(
    tx: &impl ConnectionTrait,
    id: RequestId,
    state: &'static str,
    note: Option<i64>,
    answer: Option<&str>,
    who: &Principal,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = "UPDATE return_requests SET state = $2, note_id = $3, answer = $4, decided_by = $5, decided_at = $6 \
               WHERE id = $1 AND state = 'open'";
    let values = vec![
        id.0.into(),
        state.into(),
        note.into(),
        answer.map(str::to_owned).into(),
        who.to_string().into(),
        now.0.into(),
    ];
    tx.exec(sql, values).await.map(drop)
}

pub(super) async fn order_of(db: &impl ConnectionTrait, id: RequestId) -> Result<Option<OrderId>, DbError> {
    let row = db.row("SELECT order_id FROM return_requests WHERE id = $1", vec![id.0.into()]).await?;
    row.map(|row| Ok(OrderId(row.try_get_by_index(0)?))).transpose()
}

const SELECT: &str = "SELECT r.id, r.order_id, r.buyer, r.reason, r.asked_at, r.state, r.decided_at, r.decided_by, \
                      r.answer, n.id, n.refund_pence, n.currency \
                      FROM return_requests r LEFT JOIN credit_notes n ON n.id = r.note_id";

fn read(row: &QueryResult) -> Result<ReturnRequest, DbError> {
    let id = RequestId(row.try_get_by_index(0)?);
    let state: String = row.try_get_by_index(5)?;
    let decision = (row.try_get_by_index::<Option<i64>>(6)?, row.try_get_by_index::<Option<String>>(7)?);
    let outcome = match (state.as_str(), decision) {
        ("open", (None, None)) => Outcome::Open,
        ("accepted", (Some(at), Some(by))) => Outcome::Accepted {
            note: row.try_get_by_index(9)?,
            refund: Money {
                pence: row.try_get_by_index(10)?,
                currency: currency(&row.try_get_by_index::<String>(11)?)?,
            },
            at: Timestamp(at),
            by,
        },
        ("declined", (Some(at), Some(by))) => {
            Outcome::Declined { answer: row.try_get_by_index(8)?, at: Timestamp(at), by }
        }
        _ => return Err(DbError::Corrupt(format!("request {id} is {state:?} without what belongs to it"))),
    };
    Ok(ReturnRequest {
        id,
        order: OrderId(row.try_get_by_index(1)?),
        buyer: UserId(row.try_get_by_index(2)?),
        reason: row.try_get_by_index(3)?,
        asked_at: Timestamp(row.try_get_by_index(4)?),
        outcome,
        lines: Vec::new(),
    })
}

const LINES_OF: Dialects = Dialects {
    sqlite: "SELECT r.id, l.line_no, o.sku, o.name, l.pieces FROM json_each($1) ids \
             JOIN return_requests r ON r.id = ids.value JOIN return_request_lines l ON l.request_id = r.id \
             JOIN order_lines o ON o.order_id = r.order_id AND o.line_no = l.line_no ORDER BY r.id, l.line_no",
    postgres: "SELECT r.id, l.line_no, o.sku, o.name, l.pieces FROM jsonb_array_elements_text($1::jsonb) ids \
               JOIN return_requests r ON r.id = ids.value::bigint \
               JOIN return_request_lines l ON l.request_id = r.id \
               JOIN order_lines o ON o.order_id = r.order_id AND o.line_no = l.line_no ORDER BY r.id, l.line_no",
};

/// Fills in the lines of all of them, in one statement.
async fn with_lines(
    db: &impl ConnectionTrait,
    mut requests: Vec<ReturnRequest>,
) -> Result<Vec<ReturnRequest>, DbError> {
    if requests.is_empty() {
        return Ok(requests);
    }
    let ids: Vec<RequestId> = requests.iter().map(|request| request.id).collect();
    let mut lines: BTreeMap<RequestId, Vec<RequestLine>> = BTreeMap::new();
    for row in db.rows(LINES_OF.of(db), vec![to_json(&ids)?.into()]).await? {
        lines.entry(RequestId(row.try_get_by_index(0)?)).or_default().push(RequestLine {
            line: row.try_get_by_index(1)?,
            sku: sku(&row.try_get_by_index::<String>(2)?)?,
            name: row.try_get_by_index(3)?,
            pieces: row.try_get_by_index(4)?,
        });
    }
    for request in &mut requests {
        request.lines = lines.remove(&request.id).unwrap_or_default();
    }
    Ok(requests)
}

pub(super) async fn find(db: &impl ConnectionTrait, id: RequestId) -> Result<Option<ReturnRequest>, DbError> {
    let row = db.row(&format!("{SELECT} WHERE r.id = $1"), vec![id.0.into()]).await?;
    let request = row.as_ref().map(read).transpose()?;
    Ok(with_lines(db, request.into_iter().collect()).await?.pop())
}

/// One page, newest first; one row more than asked for where there are more.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    buyer: Option<UserId>,
    query: &RequestQuery,
    after: Option<RequestId>,
) -> Result<Vec<ReturnRequest>, DbError> {
    let mut wheres: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut compare = |condition: &str, value: Option<i64>| {
        if let Some(value) = value {
            values.push(value.into());
            wheres.push(format!("{condition} ${}", values.len()));
        }
    };
    compare("r.buyer =", buyer.map(|buyer| buyer.0));
    compare("r.order_id =", query.order.map(|order| order.0));
    compare("r.id <", after.map(|id| id.0));
    if query.open {
        wheres.push("r.state = 'open'".to_owned());
    }
    let wheres = if wheres.is_empty() { "TRUE".to_owned() } else { wheres.join(" AND ") };
    values.push(Page::<ReturnRequest>::fetch(query.limit).into());
    let sql = format!("{SELECT} WHERE {wheres} ORDER BY r.id DESC LIMIT ${}", values.len());
    let rows = db.rows(&sql, values).await?;
    with_lines(db, rows.iter().map(read).collect::<Result<_, _>>()?).await
}
