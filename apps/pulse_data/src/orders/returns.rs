//! Goods that come back: credit notes, with an order or without one.
//!
//! **Invariant.** A line gives back at most what it sold, and all returns of an order together refund at most what was
//! paid for it, to the penny when everything is back. Booking a note's line again changes nothing.

use std::collections::BTreeMap;

use pulse_core::cart::Basis;
use pulse_core::order::{Step, WrongStep};
use pulse_core::{Currency, Money, OrderId, Principal, Quantity, Sku, Timestamp, UserId};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::read::{self, CreditNote, Order, OrderLine};
use super::{OrderError, life, payments};
use crate::catalog::product::sku;
use crate::catalog::sql::Dialects;
use crate::catalog::stock::{Pieces, json as to_json, put_back};
use crate::{DbError, Sql as _, audit};

/// Goods of an order that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodsBack {
    /// The client's name for this return: booking it again answers the same note. 1 to 128 characters.
    pub key: String,
    /// Whose goods they were.
    pub order: OrderId,
    /// How many of which lines.
    pub lines: Vec<(i64, Quantity)>,
}

/// A return from another shop's books, whose sale may be unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BooksReturn {
    /// The credit note's number there; notes that come in several parts are one.
    pub invoice: String,
    /// Who brought the goods.
    pub buyer: Option<UserId>,
    /// From where.
    pub country: String,
    /// When, by its first line.
    pub returned_at: Timestamp,
    /// The currency of its lines.
    pub currency: Currency,
    /// What came back.
    pub lines: Vec<BooksLine>,
}

/// A line of a [`BooksReturn`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BooksLine {
    /// The source's name for this line (file and row): booked at most once.
    pub key: String,
    /// The product.
    pub sku: Sku,
    /// So many pieces.
    pub quantity: Quantity,
    /// Given back for each, in pence.
    pub unit_pence: i64,
}

/// Books goods of an order whose row is held. The note's key says who named it: `order:` and a client's own key, or
/// `request:` and the number of a request.
pub(super) async fn of_order(
    tx: &impl ConnectionTrait,
    who: &Principal,
    order: Order,
    note_key: &str,
    goods: &[(i64, Quantity)],
    now: Timestamp,
) -> Result<CreditNote, OrderError> {
    if let Some(known) = read::note_of(tx, note_key).await? {
        return if known.order == Some(order.id) { Ok(known) } else { Err(OrderError::KeyReused) };
    }
    if order.status.after(Step::Return).is_err() {
        return Err(WrongStep { from: order.status, step: Step::Return }.into());
    }
    let lines = read::lines(tx, order.id, order.total.currency).await?;
    let wanted = wanted(&order, &lines, goods)?;
    let refund = refund_of(&order, &lines, &wanted);

    let note = Note {
        key: note_key,
        order: Some(order.id),
        invoice: None,
        buyer: order.buyer,
        country: &order.country,
        currency: order.total.currency,
        at: now,
    };
    // The key may be taken by a return of another order at this very moment.
    let id = note.open(tx).await?.ok_or(OrderError::KeyReused)?;
    let rows: Vec<Row> = lines
        .iter()
        .filter_map(|line| {
            let pieces = *wanted.get(&line.line)?;
            let refund_pence = refund.get(&line.line).copied().unwrap_or_default();
            Some(Row { key: line.line.to_string(), sku: line.sku, quantity: pieces, refund_pence })
        })
        .collect();
    let (_, sum) = book(tx, id, &rows).await?;
    let returned: Vec<(i64, i64)> = wanted.iter().map(|(line, pieces)| (*line, *pieces)).collect();
    let values = vec![to_json(&returned)?.into(), order.id.0.into()];
    tx.exec(RETURNED.of(tx), values).await?;
    let amount = Money { pence: sum, currency: order.total.currency };
    payments::refund(tx, &order, amount, now).await?;
    let details = json!({ "note": id, "pence": sum, "lines": returned });
    audit::record(tx, who, "order.return", &format!("order:{}", order.id), details).await?;
    let all = lines
        .iter()
        .all(|line| line.returned + wanted.get(&line.line).copied().unwrap_or_default() == line.quantity);
    let order_id = order.id;
    if all {
        life::advance(tx, who, order, Step::Return, now).await?;
    }
    Ok(CreditNote { id, key: note_key.to_owned(), order: Some(order_id), refund: amount, returned_at: now })
}

/// Everything that is not back yet comes back.
pub(super) async fn all(
    tx: &impl ConnectionTrait,
    who: &Principal,
    order: Order,
    now: Timestamp,
) -> Result<Order, OrderError> {
    let id = order.id;
    let lines = read::lines(tx, id, order.total.currency).await?;
    let rest = |line: &OrderLine| Some((line.line, Quantity::new(line.quantity - line.returned).ok()?));
    let goods: Vec<(i64, Quantity)> = lines.iter().filter_map(rest).collect();
    let note_key = format!("order:{}:all", order.key);
    of_order(tx, who, order, &note_key, &goods, now).await?;
    read::find(tx, id).await?.ok_or(OrderError::NotFound(id))
}

/// Adds up what is to come back by line, and refuses what was never sold or is back already.
pub(super) fn wanted(
    order: &Order,
    lines: &[OrderLine],
    goods: &[(i64, Quantity)],
) -> Result<BTreeMap<i64, i64>, OrderError> {
    let mut wanted = BTreeMap::new();
    for (line, quantity) in goods {
        let pieces: &mut i64 = wanted.entry(*line).or_insert(0);
        *pieces = pieces.saturating_add(quantity.get());
    }
    if wanted.is_empty() {
        return Err(OrderError::NothingToReturn(order.id));
    }
    for (no, pieces) in &wanted {
        let left = lines.iter().find(|line| line.line == *no).map_or(0, |line| line.quantity - line.returned);
        if *pieces > left {
            return Err(OrderError::TooManyBack { line: *no, wanted: *pieces, left });
        }
    }
    Ok(wanted)
}

/// What is given back for each line, in pence.
///
/// A discount was taken off the listed lines as a whole; each returned piece carries its share. The shares are
/// differences of one rounded-down running sum, so they never add up to more than the discount, and to all of it
/// when all listed lines are back.
fn refund_of(order: &Order, lines: &[OrderLine], wanted: &BTreeMap<i64, i64>) -> BTreeMap<i64, i64> {
    let listed = |line: &&OrderLine| matches!(line.basis, Basis::Listed(_));
    let gross = |pieces: i64, line: &OrderLine| i128::from(pieces) * i128::from(line.unit.pence);
    let whole: i128 = lines.iter().filter(listed).map(|line| gross(line.quantity, line)).sum();
    let mut back: i128 = lines.iter().filter(listed).map(|line| gross(line.returned, line)).sum();
    let share = |back: i128| {
        if whole == 0 { 0 } else { i128::from(order.discount.pence) * back / whole }
    };
    let mut refunds = BTreeMap::new();
    for line in lines {
        let Some(pieces) = wanted.get(&line.line) else { continue };
        let amount = gross(*pieces, line);
        let off = if listed(&line) {
            let before = share(back);
            back += amount;
            share(back) - before
        } else {
            0
        };
        // At most the line's gross, which fitted the order's total.
        refunds.insert(line.line, i64::try_from(amount - off).unwrap_or(i64::MAX).max(0));
    }
    refunds
}

/// Books a return from another shop's books.
pub(super) async fn of_books(
    tx: &impl ConnectionTrait,
    who: &Principal,
    books: &BooksReturn,
) -> Result<CreditNote, OrderError> {
    let key = format!("books:{}", books.invoice);
    let note = Note {
        key: &key,
        order: None,
        invoice: Some(&books.invoice),
        buyer: books.buyer,
        country: &books.country,
        currency: books.currency,
        at: books.returned_at,
    };
    let id = match note.open(tx).await? {
        Some(id) => id,
        None => known(read::note_of(tx, &key).await?, &key)?.id,
    };
    let rows = books
        .lines
        .iter()
        .map(|line| {
            let refund_pence =
                Money { pence: line.unit_pence, currency: books.currency }.times(line.quantity)?;
            let (key, quantity) = (line.key.clone(), line.quantity.get());
            Ok(Row { key, sku: line.sku, quantity, refund_pence: refund_pence.pence })
        })
        .collect::<Result<Vec<Row>, OrderError>>()?;
    let (booked, sum) = book(tx, id, &rows).await?;
    if booked > 0 {
        let details = json!({ "invoice": books.invoice, "pence": sum, "lines": booked });
        audit::record(tx, who, "books.return", &format!("note:{id}"), details).await?;
    }
    Ok(known(read::note_of(tx, &key).await?, &key)?)
}

/// Notes are never deleted.
fn known(note: Option<CreditNote>, key: &str) -> Result<CreditNote, DbError> {
    note.ok_or_else(|| DbError::Corrupt(format!("credit note {key} is gone")))
}

struct Note<'a> {
    key: &'a str,
    order: Option<OrderId>,
    invoice: Option<&'a str>,
    buyer: Option<UserId>,
    country: &'a str,
    currency: Currency,
    at: Timestamp,
}

impl Note<'_> {
    /// The new note's number; `None` where the key has a note already.
    async fn open(&self, tx: &impl ConnectionTrait) -> Result<Option<i64>, DbError> {
        let sql = "INSERT INTO credit_notes (note_key, order_id, invoice, buyer, country, currency, refund_pence, \
                   returned_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7) \
                   ON CONFLICT (note_key) DO NOTHING RETURNING id";
        let values = vec![
            self.key.into(),
            self.order.map(|order| order.0).into(),
            self.invoice.map(str::to_owned).into(),
            self.buyer.map(|buyer| buyer.0).into(),
            self.country.into(),
            self.currency.code().into(),
            self.at.0.into(),
        ];
        let row = tx.row(sql, values).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
    }
}

struct Row {
    key: String,
    sku: Sku,
    quantity: i64,
    refund_pence: i64,
}

const BOOK: Dialects = Dialects {
    sqlite: "INSERT INTO credit_lines (note_id, line_key, sku, quantity, refund_pence) \
             SELECT $2, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1) WHERE TRUE \
             ON CONFLICT (note_id, line_key) DO NOTHING RETURNING sku, quantity, refund_pence",
    postgres: "INSERT INTO credit_lines (note_id, line_key, sku, quantity, refund_pence) \
               SELECT $2, e ->> 0, e ->> 1, (e ->> 2)::bigint, (e ->> 3)::bigint \
               FROM jsonb_array_elements($1::jsonb) e \
               ON CONFLICT (note_id, line_key) DO NOTHING RETURNING sku, quantity, refund_pence",
};

const RETURNED: Dialects = Dialects {
    sqlite: "UPDATE order_lines SET returned = returned + b.pieces \
             FROM (SELECT value ->> 0 AS line_no, value ->> 1 AS pieces FROM json_each($1)) b \
             WHERE order_id = $2 AND order_lines.line_no = b.line_no",
    postgres: "UPDATE order_lines l SET returned = l.returned + b.pieces \
               FROM (SELECT (e ->> 0)::bigint AS line_no, (e ->> 1)::bigint AS pieces \
               FROM jsonb_array_elements($1::jsonb) e) b \
               WHERE l.order_id = $2 AND l.line_no = b.line_no",
};

/// Books lines that are not booked yet, puts their goods back and adds their refunds to the note. Answers how many
/// were new, and their sum in pence.
async fn book(tx: &impl ConnectionTrait, note: i64, rows: &[Row]) -> Result<(usize, i64), OrderError> {
    let list: Vec<_> =
        rows.iter().map(|row| (&row.key, row.sku.as_str(), row.quantity, row.refund_pence)).collect();
    let values = vec![to_json(&list)?.into(), note.into()];
    let booked = tx.rows(BOOK.of(tx), values).await?;
    if booked.is_empty() {
        return Ok((0, 0));
    }
    let mut goods = Pieces::new();
    let mut sum: i64 = 0;
    for row in &booked {
        let get = |index| row.try_get_by_index::<i64>(index).map_err(DbError::from);
        let sku = sku(&row.try_get_by_index::<String>(0).map_err(DbError::from)?)?;
        let pieces = goods.entry(sku).or_insert(0);
        *pieces = pieces.saturating_add(get(1)?);
        sum = sum.checked_add(get(2)?).ok_or(pulse_core::MoneyError::Overflow)?;
    }
    let known = put_back(tx, &goods).await?;
    if let Some(unknown) = goods.keys().find(|sku| !known.contains(sku)) {
        return Err(OrderError::UnknownProduct(*unknown));
    }
    let sql = "UPDATE credit_notes SET refund_pence = refund_pence + $2 WHERE id = $1";
    tx.exec(sql, vec![note.into(), sum.into()]).await?;
    Ok((booked.len(), sum))
}
