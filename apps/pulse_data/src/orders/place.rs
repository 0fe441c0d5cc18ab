//! The checkout: a frozen cart becomes an order, in one transaction of few statements.
//!
//! **Invariant.** Order, lines, stock, payment intent, cart, audit row and job commit together or not at all, under the
//! client's key. Locks are taken in one order by everybody: the key, the cart, then products by code. So whoever
//! holds a product never waits for a cart, and nobody waits in a circle. Nothing global is locked.

use std::collections::BTreeSet;

use pulse_core::access::Forbidden;
use pulse_core::cart::{Basis, Price};
use pulse_core::order::{Channel, PaymentMethod, PlaceOrder, PlacedOrder, Shortage, Status, Step};
use pulse_core::ports::PlaceError;
use pulse_core::{OrderId, Permission, Principal, Sku};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Value};
use serde_json::json;

use super::news::{self, Facts};
use super::payments::{self, CAPTURE_SEQ};
use super::{letter, read};
use crate::catalog::MOST_PIECES;
use crate::catalog::product::{basis_name, sku};
use crate::catalog::stock::{Pieces, json as to_json, left};
use crate::webhooks::listened;
use crate::{DbError, Sql as _, audit};

/// Whether this principal may place this order; no database is asked.
pub(super) fn permit(who: &Principal, order: &PlaceOrder) -> Result<(), Forbidden> {
    who.require(Permission::PlaceOrder)?;
    if matches!(who, Principal::Guest | Principal::User { .. }) && who.user() != order.buyer {
        who.require(Permission::FulfilOrders)?;
    }
    let quoted = order.priced.lines().iter().any(|line| line.price.basis == Basis::Quoted);
    if quoted || order.payment == PaymentMethod::OnAccount {
        who.require(Permission::QuotePrice)?;
    }
    if let Channel::Replay { .. } = order.channel {
        who.require(Permission::RunFeeds)?;
    }
    Ok(())
}

/// An order with everything worked out that needs no database.
pub(super) struct Draft {
    who: Principal,
    order: PlaceOrder,
    status: Status,
    /// `[line, sku, quantity, pence, basis]` each.
    lines: String,
    wanted: Pieces,
}

impl Draft {
    /// Checks what the schema would refuse, and adds up the lines of each product.
    pub(super) fn new(who: &Principal, order: PlaceOrder) -> Result<Self, PlaceError> {
        let invalid = |field, message: &str| Err(PlaceError::Invalid { field, message: message.to_owned() });
        if !(1..=60).contains(&order.country.chars().count()) || order.country.contains('\0') {
            return invalid("country", "must have 1 to 60 characters");
        }
        if order
            .email
            .as_ref()
            .is_some_and(|email| email.chars().count() > 254 || !email.contains('@') || email.contains('\0'))
        {
            return invalid("email", "must be an address of at most 254 characters");
        }
        let lines = order.priced.lines();
        if lines.is_empty() {
            return invalid("cart", "is empty");
        }
        let mut wanted = Pieces::new();
        for line in lines {
            let pieces = wanted.entry(line.sku).or_insert(0);
            *pieces = pieces.saturating_add(line.quantity.get());
        }
        if wanted.values().any(|pieces| *pieces > MOST_PIECES) {
            return invalid("cart", "has more pieces of a product than a shop can have");
        }
        let rows: Vec<_> = (1_i64..)
            .zip(lines)
            .map(|(no, line)| {
                let Price { unit, basis } = line.price;
                (no, line.sku.as_str(), line.quantity.get(), unit.pence, basis_name(basis))
            })
            .collect();
        let lines = to_json(&rows)?;
        // What needs no capture is paid from the start.
        let settled = order.payment == PaymentMethod::OnAccount || order.priced.total().pence == 0;
        let status = match Status::Placed.after(Step::Pay) {
            Ok(paid) if settled => paid,
            _ => Status::Placed,
        };
        Ok(Self { who: who.clone(), order, status, lines, wanted })
    }

    /// The products that it takes from.
    pub(super) fn skus(&self) -> impl Iterator<Item = Sku> {
        self.wanted.keys().copied()
    }

    fn receipt(&self, id: OrderId) -> PlacedOrder {
        let PlaceOrder { key, cart, buyer, priced, placed_at, .. } = &self.order;
        PlacedOrder {
            id,
            key: key.clone(),
            cart: *cart,
            buyer: *buyer,
            status: self.status,
            total: priced.total(),
            placed_at: *placed_at,
        }
    }
}

/// What a checkout did.
pub(super) enum Outcome {
    /// It made an order.
    Placed(PlacedOrder),
    /// Its key had made one before; nothing was changed.
    Repeated(PlacedOrder),
}

/// Runs the checkout inside the caller's transaction, which must be rolled back upon an error.
pub(super) async fn place(tx: &impl ConnectionTrait, draft: &Draft) -> Result<Outcome, PlaceError> {
    let Some(Opened { id, listened }) = open(tx, draft).await? else {
        return repeated(tx, draft).await;
    };
    take(tx, draft, id).await?;
    let PlaceOrder { key, priced, payment, .. } = &draft.order;
    let details = json!({
        "key": key.as_str(),
        "pence": priced.total().pence,
        "lines": priced.lines().len(),
        "payment": payment.name(),
    });
    audit::record(tx, &draft.who, "order.place", &format!("order:{id}"), details).await?;
    if draft.status == Status::Placed {
        payments::enqueue(tx, payments::Kind::Capture, id, CAPTURE_SEQ).await?;
    }
    if draft.order.channel == Channel::Web {
        tell(tx, draft, id, listened).await?;
    }
    Ok(Outcome::Placed(draft.receipt(id)))
}

/// What is told of a new order. Where nobody listens and the payment comes later, that is no statement at all.
async fn tell(tx: &impl ConnectionTrait, draft: &Draft, id: OrderId, listened: bool) -> Result<(), DbError> {
    if listened {
        let PlaceOrder { priced, country, placed_at, .. } = &draft.order;
        let status = draft.status;
        let facts = Facts { id, status, total: priced.total(), country, placed_at: *placed_at };
        news::placed(tx, facts).await?;
    }
    // What is paid from the start has no payment that would confirm it.
    if draft.status == Status::Paid
        && draft.order.email.is_some()
        && let Some(order) = read::find(tx, id).await?
    {
        letter::paid(tx, &order).await?;
    }
    Ok(())
}

/// A new order.
struct Opened {
    id: OrderId,
    /// Whether other programs may want to be told.
    listened: bool,
}

const ORDER: &str = concat!(
    "INSERT INTO orders (checkout_key, cart_id, buyer, email, country, payment, invoice, status, \
     currency, subtotal_pence, discount_pence, vat_pence, total_pence, placed_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1) \
     ON CONFLICT (checkout_key) DO NOTHING RETURNING id, ",
    listened!()
);

const CART: &str =
    "UPDATE carts SET body = '{\"l\":[]}', version = version + 1 WHERE id = $1 AND version = $2";

const INTENT: &str = "INSERT INTO payments (order_id, seq, kind, amount_pence, state, changed_at) \
                      VALUES ($1, 0, 'capture', $2, $3, $4)";

const EVENT: &str =
    "INSERT INTO order_events (order_id, version, status, who, at) VALUES ($1, 1, $2, $3, $4)";

/// The four above as one round trip: the cart only once the key is won.
const OPEN_POSTGRES: &str = concat!(
    "WITH placed AS (\
     INSERT INTO orders (checkout_key, cart_id, buyer, email, country, payment, invoice, status, \
     currency, subtotal_pence, discount_pence, vat_pence, total_pence, placed_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1) \
     ON CONFLICT (checkout_key) DO NOTHING RETURNING id), \
     emptied AS (UPDATE carts SET body = '{\"l\":[]}', version = version + 1 \
     WHERE id = $2 AND version = $15 AND EXISTS (SELECT FROM placed) RETURNING id), \
     intent AS (INSERT INTO payments (order_id, seq, kind, amount_pence, state, changed_at) \
     SELECT id, 0, 'capture', $13, $16, $14 FROM placed), \
     event AS (INSERT INTO order_events (order_id, version, status, who, at) \
     SELECT id, 1, $8, $17, $14 FROM placed) \
     SELECT id, ",
    listened!(),
    ", (SELECT COUNT(*) FROM emptied) FROM placed"
);

/// The order, its cart, its payment intent and its first event. `None` where the key has an order already.
async fn open(tx: &impl ConnectionTrait, draft: &Draft) -> Result<Option<Opened>, PlaceError> {
    let order = &draft.order;
    let (priced, at) = (&order.priced, order.placed_at.0);
    let cart: Value = order.cart.to_string().into();
    let version: Value = i64::try_from(order.cart_version.0).unwrap_or(i64::MAX).into();
    let state = if draft.status == Status::Placed { "pending" } else { "settled" };
    let invoice = match &order.channel {
        Channel::Web => None,
        Channel::Replay { invoice } => Some(invoice.clone()),
    };
    let values: Vec<Value> = vec![
        order.key.as_str().into(),
        cart.clone(),
        order.buyer.map(|buyer| buyer.0).into(),
        order.email.clone().into(),
        order.country.as_str().into(),
        order.payment.name().into(),
        invoice.into(),
        draft.status.name().into(),
        priced.total().currency.code().into(),
        priced.subtotal().pence.into(),
        priced.discount().pence.into(),
        priced.vat().pence.into(),
        priced.total().pence.into(),
        at.into(),
    ];
    let who: Value = draft.who.to_string().into();
    let (opened, emptied) = if tx.get_database_backend() == DbBackend::Postgres {
        let values = values.into_iter().chain([version, state.into(), who]).collect();
        let Some(row) = tx.row(OPEN_POSTGRES, values).await? else { return Ok(None) };
        (opened(&row)?, row.try_get_by_index::<i64>(2).map_err(DbError::from)?)
    } else {
        let Some(row) = tx.row(ORDER, values).await? else { return Ok(None) };
        let opened = opened(&row)?;
        let id = opened.id;
        let emptied = tx.exec(CART, vec![cart, version]).await?;
        tx.exec(INTENT, vec![id.0.into(), priced.total().pence.into(), state.into(), at.into()]).await?;
        tx.exec(EVENT, vec![id.0.into(), draft.status.name().into(), who, at.into()]).await?;
        (opened, i64::try_from(emptied).unwrap_or(i64::MAX))
    };
    if emptied == 1 { Ok(Some(opened)) } else { Err(PlaceError::CartChanged) }
}

fn opened(row: &QueryResult) -> Result<Opened, DbError> {
    Ok(Opened { id: OrderId(row.try_get_by_index(0)?), listened: row.try_get_by_index(1)? })
}

const TAKE_SQLITE: &str = "UPDATE products SET stock = stock - w.pieces \
     FROM (SELECT value ->> 1 AS sku, SUM(value ->> 2) AS pieces FROM json_each($1) GROUP BY 1) w \
     WHERE products.sku = w.sku AND active AND stock >= w.pieces RETURNING sku";

const LINES_SQLITE: &str = "INSERT INTO order_lines (order_id, line_no, sku, name, quantity, unit_pence, basis) \
     SELECT $2, value ->> 0, sku, name, value ->> 2, value ->> 3, value ->> 4 \
     FROM json_each($1) JOIN products ON sku = value ->> 1";

/// Both in one round trip; `= ANY (ARRAY (…))` keeps the planner at the index, as in the catalogue's statements.
const TAKE_POSTGRES: &str = "WITH line AS (\
     SELECT (e ->> 0)::bigint AS line_no, (e ->> 1) COLLATE \"C\" AS sku, (e ->> 2)::bigint AS quantity, \
     (e ->> 3)::bigint AS unit_pence, e ->> 4 AS basis FROM jsonb_array_elements($1::jsonb) e), \
     wanted AS (SELECT sku, SUM(quantity)::bigint AS pieces FROM line GROUP BY sku), \
     locked AS (SELECT p.sku FROM products p WHERE p.sku = ANY (ARRAY(SELECT sku FROM wanted)) AND p.active \
     ORDER BY p.sku FOR UPDATE), \
     taken AS (UPDATE products p SET stock = p.stock - w.pieces FROM wanted w \
     WHERE p.sku = ANY (ARRAY(SELECT sku FROM locked)) AND p.sku = w.sku AND p.stock >= w.pieces \
     RETURNING p.sku, p.name), \
     sold AS (INSERT INTO order_lines (order_id, line_no, sku, name, quantity, unit_pence, basis) \
     SELECT $2, l.line_no, l.sku, t.name, l.quantity, l.unit_pence, l.basis FROM line l JOIN taken t ON t.sku = l.sku) \
     SELECT sku FROM taken";

/// The goods leave the shelf and become the order's lines, or every shortage is told.
async fn take(tx: &impl ConnectionTrait, draft: &Draft, id: OrderId) -> Result<(), PlaceError> {
    let lines: Value = draft.lines.as_str().into();
    let postgres = tx.get_database_backend() == DbBackend::Postgres;
    let taken = if postgres {
        tx.rows(TAKE_POSTGRES, vec![lines.clone(), id.0.into()]).await?
    } else {
        tx.rows(TAKE_SQLITE, vec![lines.clone()]).await?
    };
    if taken.len() < draft.wanted.len() {
        return Err(PlaceError::OutOfStock(shortages(tx, draft, &taken).await?));
    }
    if !postgres {
        tx.exec(LINES_SQLITE, vec![lines, id.0.into()]).await?;
    }
    Ok(())
}

async fn shortages(
    tx: &impl ConnectionTrait,
    draft: &Draft,
    taken: &[QueryResult],
) -> Result<Vec<Shortage>, DbError> {
    let taken = taken
        .iter()
        .map(|row| sku(&row.try_get_by_index::<String>(0)?))
        .collect::<Result<BTreeSet<Sku>, DbError>>()?;
    let missing: Vec<Sku> = draft.skus().filter(|sku| !taken.contains(sku)).collect();
    let left = left(tx, &missing).await?;
    let shortage = |sku: &Sku| Shortage {
        sku: *sku,
        wanted: draft.wanted.get(sku).copied().unwrap_or_default(),
        left: left.get(sku).copied().unwrap_or_default(),
    };
    Ok(missing.iter().map(shortage).collect())
}

/// The order of a key that was used before, if it is the same checkout.
async fn repeated(tx: &impl ConnectionTrait, draft: &Draft) -> Result<Outcome, PlaceError> {
    let PlaceOrder { key, cart, buyer, .. } = &draft.order;
    match read::receipt(tx, key).await? {
        Some(placed) if placed.cart == *cart && placed.buyer == *buyer => Ok(Outcome::Repeated(placed)),
        Some(_) => Err(PlaceError::KeyReused),
        // Orders are never deleted.
        None => Err(DbError::Corrupt(format!("the order of checkout {key} is gone")).into()),
    }
}
