//! Orders, what they are made of, what happened to them, their money, and what came back.
//!
//! **Invariant.** A checkout key makes one order; a line never gives back more than it sold; a note's line is booked
//! once. The database refuses whatever would break that, whoever writes.

use super::Migration;
use super::m0001_catalog::spell;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0003_orders", up, down };

fn up(backend: Backend) -> String {
    spell(backend, UP)
}

fn down(_: Backend) -> String {
    DOWN.to_owned()
}

// A line keeps its product's code and name as they were sold, and needs no foreign key to products: an order is
// history. Nor does it refer to users: an account may be erased, the sale stays.
const UP: &str = "
CREATE TABLE orders (
    id             {id} NOT NULL,
    checkout_key   TEXT {bytes} NOT NULL,
    cart_id        TEXT   NOT NULL,
    buyer          BIGINT,
    email          TEXT,
    country        TEXT {bytes} NOT NULL,
    payment        TEXT   NOT NULL,
    -- The invoice number where the order was replayed from another shop's books.
    invoice        TEXT {bytes},
    status         TEXT   NOT NULL,
    currency       TEXT   NOT NULL,
    subtotal_pence BIGINT NOT NULL,
    discount_pence BIGINT NOT NULL,
    vat_pence      BIGINT NOT NULL,
    total_pence    BIGINT NOT NULL,
    placed_at      BIGINT NOT NULL,
    -- Counts the steps of its life; each has a row in order_events.
    version        BIGINT NOT NULL,
    CONSTRAINT pk_orders PRIMARY KEY (id),
    CONSTRAINT uq_orders_checkout_key UNIQUE (checkout_key),
    CONSTRAINT ck_orders_country CHECK (length(country) BETWEEN 1 AND 60),
    CONSTRAINT ck_orders_email CHECK (length(email) <= 254),
    CONSTRAINT ck_orders_payment CHECK (payment IN ('card', 'on_account')),
    CONSTRAINT ck_orders_status CHECK (status IN
        ('placed', 'paid', 'packed', 'shipped', 'delivered', 'cancelled', 'returned')),
    CONSTRAINT ck_orders_total_pence CHECK
        (discount_pence >= 0 AND total_pence >= 0 AND total_pence = subtotal_pence - discount_pence)
);
CREATE INDEX ix_orders_buyer ON orders (buyer, id) WHERE buyer IS NOT NULL;
CREATE INDEX ix_orders_invoice ON orders (invoice, id) WHERE invoice IS NOT NULL;

CREATE TABLE order_lines (
    order_id   BIGINT NOT NULL,
    line_no    BIGINT NOT NULL,
    sku        TEXT {bytes} NOT NULL,
    name       TEXT   NOT NULL,
    quantity   BIGINT NOT NULL,
    unit_pence BIGINT NOT NULL,
    -- Who set the price: the list with this VAT rate, or a quote.
    basis      TEXT   NOT NULL,
    returned   BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_order_lines PRIMARY KEY (order_id, line_no),
    CONSTRAINT fk_order_lines_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT ck_order_lines_quantity CHECK (quantity >= 1),
    CONSTRAINT ck_order_lines_unit_pence CHECK (unit_pence >= 0),
    CONSTRAINT ck_order_lines_basis CHECK (basis IN ('standard', 'reduced', 'zero', 'quoted')),
    CONSTRAINT ck_order_lines_returned CHECK (returned BETWEEN 0 AND quantity)
) {by_key};

CREATE TABLE order_events (
    order_id BIGINT NOT NULL,
    version  BIGINT NOT NULL,
    status   TEXT   NOT NULL,
    who      TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    CONSTRAINT pk_order_events PRIMARY KEY (order_id, version),
    CONSTRAINT fk_order_events_order_id FOREIGN KEY (order_id) REFERENCES orders (id)
) {by_key};

CREATE TABLE payments (
    order_id     BIGINT NOT NULL,
    -- 0 is the intent that the checkout made; refunds count on from there.
    seq          BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    amount_pence BIGINT NOT NULL,
    state        TEXT   NOT NULL,
    reference    TEXT,
    changed_at   BIGINT NOT NULL,
    CONSTRAINT pk_payments PRIMARY KEY (order_id, seq),
    CONSTRAINT fk_payments_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT ck_payments_kind CHECK (kind IN ('capture', 'refund') AND (kind = 'capture') = (seq = 0)),
    CONSTRAINT ck_payments_amount_pence CHECK (amount_pence >= 0),
    CONSTRAINT ck_payments_state CHECK (state IN ('pending', 'settled', 'declined', 'void'))
) {by_key};

CREATE TABLE credit_notes (
    id           {id} NOT NULL,
    note_key     TEXT {bytes} NOT NULL,
    order_id     BIGINT,
    invoice      TEXT {bytes},
    buyer        BIGINT,
    country      TEXT {bytes} NOT NULL,
    currency     TEXT   NOT NULL,
    refund_pence BIGINT NOT NULL,
    returned_at  BIGINT NOT NULL,
    CONSTRAINT pk_credit_notes PRIMARY KEY (id),
    CONSTRAINT uq_credit_notes_note_key UNIQUE (note_key),
    CONSTRAINT fk_credit_notes_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT ck_credit_notes_refund_pence CHECK (refund_pence >= 0),
    CONSTRAINT ck_credit_notes_country CHECK (length(country) BETWEEN 1 AND 60)
);
CREATE INDEX ix_credit_notes_order_id ON credit_notes (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE credit_lines (
    note_id      BIGINT NOT NULL,
    -- The source's name for the line; booking it again changes nothing.
    line_key     TEXT {bytes} NOT NULL,
    sku          TEXT {bytes} NOT NULL,
    quantity     BIGINT NOT NULL,
    refund_pence BIGINT NOT NULL,
    CONSTRAINT pk_credit_lines PRIMARY KEY (note_id, line_key),
    CONSTRAINT fk_credit_lines_note_id FOREIGN KEY (note_id) REFERENCES credit_notes (id),
    CONSTRAINT ck_credit_lines_quantity CHECK (quantity >= 1),
    CONSTRAINT ck_credit_lines_refund_pence CHECK (refund_pence >= 0)
) {by_key};
";

const DOWN: &str = "
DROP TABLE credit_lines;
DROP TABLE credit_notes;
DROP TABLE payments;
DROP TABLE order_events;
DROP TABLE order_lines;
DROP TABLE orders;
";
