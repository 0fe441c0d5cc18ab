//! What an order and a product are, without a database.
//!
//! **Invariant.** A [`NewOrder`] has at least one line, each product at most once, in the order of their codes, and
//! every quantity is within its bounds: [`NewOrder::cast`] is the only way to one.

use serde_json::Value;

use crate::changeset::{Changeset, FieldErrors};

/// Names an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId(pub i64);

/// A product as it lies in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its code.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Pence a piece.
    pub price: i64,
    /// Pieces that can be sold.
    pub stock: i64,
    /// Counts the edits by people; a sale is no edit.
    pub version: i64,
}

/// What somebody wants of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    /// The product's code.
    pub sku: String,
    /// Pieces, 1 to 1,000.
    pub quantity: i64,
}

/// An order that passed its checks and is not placed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    key: String,
    buyer: String,
    lines: Vec<NewLine>,
}

/// An order as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// The key under which it was placed.
    pub key: String,
    /// Who bought.
    pub buyer: String,
    /// Pence in all.
    pub total: i64,
    /// Whether it was called off and its pieces are back in stock.
    pub cancelled: bool,
    /// Its lines, in the order of their codes.
    pub lines: Vec<Line>,
}

/// A line of a stored order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product's code.
    pub sku: String,
    /// Pieces.
    pub quantity: i64,
    /// Pence a piece, as it was when the order was placed.
    pub price: i64,
}

impl NewOrder {
    /// Lines of an order, at most.
    pub const MOST_LINES: usize = 50;

    /// Checks what a client sent: `{"key": …, "buyer": …, "lines": [{"sku": …, "quantity": …}, …]}`.
    ///
    /// ```
    /// use labs_orders_db::NewOrder;
    /// use serde_json::json;
    ///
    /// let order = NewOrder::cast(&json!({
    ///     "key": "k-1", "buyer": "ann", "lines": [{ "sku": "MUG", "quantity": 2 }, { "sku": "CUP", "quantity": 1 }],
    /// }))?;
    /// assert_eq!(order.lines()[0].sku, "CUP");
    /// # Ok::<(), labs_orders_db::FieldErrors>(())
    /// ```
    pub fn cast(sent: &Value) -> Result<Self, FieldErrors> {
        let mut checks = Changeset::new(sent);
        let key = checks.text("key", 1..=64);
        let buyer = checks.text("buyer", 1..=100);
        let mut lines = checks.list("lines", 1..=Self::MOST_LINES, |line| {
            let sku = line.text("sku", 1..=20);
            let quantity = line.integer("quantity", 1..=1_000);
            Some(NewLine { sku: sku?, quantity: quantity? })
        });
        if let Some(lines) = &mut lines {
            for (n, line) in lines.iter().enumerate() {
                if lines.iter().take(n).any(|before| before.sku == line.sku) {
                    checks.refuse(&format!("lines[{n}].sku"), "twice", "is in the order already");
                }
            }
            // Whoever takes several rows takes them in one order, or two such people wait for each other.
            lines.sort_by(|a, b| a.sku.cmp(&b.sku));
        }
        let (key, buyer, lines) = checks.finish(|| Some((key?, buyer?, lines?)))?;
        Ok(Self { key, buyer, lines })
    }

    /// The client's name for this order: sent again, it is the same order.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Who buys.
    pub fn buyer(&self) -> &str {
        &self.buyer
    }

    /// The lines, in the order of their codes.
    pub fn lines(&self) -> &[NewLine] {
        &self.lines
    }

    /// Whether a stored order is this one: the same buyer wants the same pieces of the same products.
    pub fn is(&self, stored: &Order) -> bool {
        let wanted = self.lines.iter().map(|line| (line.sku.as_str(), line.quantity));
        self.buyer == stored.buyer
            && wanted.eq(stored.lines.iter().map(|line| (line.sku.as_str(), line.quantity)))
    }
}
