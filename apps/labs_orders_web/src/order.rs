//! What an order is, and what a form may ask for.
//!
//! Invariant: an [`Order`] is made only from a [`Wish`] that was checked, and its status only goes forward.

use live::FieldErrors;
use serde::{Deserialize, Serialize};

/// The longest name of a customer or an item, in characters.
pub const MAX_NAME: usize = 60;
/// The most pieces of one order.
pub const MAX_PIECES: u32 = 99;

/// An order's number: 1, 2, 3, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderNo(pub u32);

impl std::fmt::Display for OrderNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Taken in; nothing is packed.
    Placed,
    /// In its box.
    Packed,
    /// On its way. The end.
    Shipped,
}

impl Status {
    /// What follows; `None` at the end.
    ///
    /// ```
    /// use labs_orders_web::order::Status;
    /// assert_eq!(Status::Placed.next(), Some(Status::Packed));
    /// assert_eq!(Status::Shipped.next(), None);
    /// ```
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Placed => Some(Self::Packed),
            Self::Packed => Some(Self::Shipped),
            Self::Shipped => None,
        }
    }

    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
        }
    }
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// Its number.
    pub no: OrderNo,
    /// Who gets it.
    pub customer: String,
    /// What they get.
    pub item: String,
    /// How many of it, from 1 to [`MAX_PIECES`].
    pub pieces: u32,
    /// How far it is.
    pub status: Status,
}

/// What the form's fields hold, not yet judged.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// Who gets it.
    #[serde(default)]
    pub customer: String,
    /// What they get.
    #[serde(default)]
    pub item: String,
    /// How many. Text: what is no number is the field's error, not the form's.
    #[serde(default)]
    pub pieces: String,
}

/// An order as it may be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    customer: String,
    item: String,
    pieces: u32,
}

impl Wish {
    /// Judges every field, so that all errors are known at once.
    ///
    /// ```
    /// use labs_orders_web::order::{Typed, Wish};
    /// let typed = Typed { customer: "Ada".into(), item: "".into(), pieces: "many".into() };
    /// let errors = Wish::check(&typed).unwrap_err();
    /// assert_eq!(errors.fields().collect::<Vec<_>>(), ["item", "pieces"]);
    /// ```
    pub fn check(typed: &Typed) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let customer = name(&typed.customer, "customer", &mut errors);
        let item = name(&typed.item, "item", &mut errors);
        let pieces = typed.pieces.trim().parse().ok().filter(|n| (1..=MAX_PIECES).contains(n));
        if pieces.is_none() {
            errors.add("pieces", format!("must be a number from 1 to {MAX_PIECES}"));
        }
        match (customer, item, pieces) {
            (Some(customer), Some(item), Some(pieces)) => Ok(Self { customer, item, pieces }),
            _ => Err(errors),
        }
    }

    /// The order that it becomes.
    pub fn placed(self, no: OrderNo) -> Order {
        let Self { customer, item, pieces } = self;
        Order { no, customer, item, pieces, status: Status::Placed }
    }
}

fn name(typed: &str, field: &str, errors: &mut FieldErrors) -> Option<String> {
    let trimmed = typed.trim();
    if trimmed.is_empty() {
        errors.add(field, "must be filled in");
        return None;
    }
    if trimmed.chars().count() > MAX_NAME {
        errors.add(field, format!("must have at most {MAX_NAME} characters"));
        return None;
    }
    Some(trimmed.to_owned())
}
