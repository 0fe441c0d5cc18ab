//! A row's verdict: what it says, or everything that is wrong with it.
//!
//! **Invariant.** Total, and it looks at one row only: the same text gets the same verdict wherever it stands. All faults of
//! a row are found at once, each with its field.

use std::borrow::Cow;

use pulse_core::{Currency, Money, Sku, Timestamp};
use pulse_data::feeds::{CatalogueRow, Fault, Feed, Format, Kind, Pieces, PriceRow, Reason, StockRow};

use super::cells::{self, Cell, Happened};
use super::ndjson::{self, Value};
use super::raw::{MOST_ROW, RawRow};
use super::schema::{self, Layout, MOST_COLUMNS};
use super::{csv, schema::columns};

/// How the rows of a feed are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    kind: Kind,
    format: Format,
    layout: Layout,
    times: Times,
}

/// What the times of rows are measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// The time of rows that have none of their own.
    pub(super) fed_at: Timestamp,
    /// Rows of a later time are refused.
    pub(super) latest: Timestamp,
}

/// What happened to an order, as a partner tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEvent {
    /// What.
    pub happened: Happened,
    /// To which order, by the shop's number or the partner's name.
    pub order: OrderName,
    /// When.
    pub at: Timestamp,
}

/// How an event names its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderName {
    /// By the shop's number.
    Number(pulse_core::OrderId),
    /// By the partner's name.
    Reference(String),
    /// It is a new one, of the partner's name.
    New(Box<NewOrder>),
}

/// An order that was placed with a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The partner's name of it.
    pub reference: String,
    /// Code, pieces and price of each line; 1 to 30 of them.
    pub lines: Vec<(Sku, i64, Money)>,
    /// Where it goes.
    pub country: String,
    /// Where confirmations go.
    pub email: Option<String>,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// Of a product.
    Catalogue(CatalogueRow),
    /// Of a price.
    Price(PriceRow),
    /// Of pieces.
    Stock(StockRow),
    /// Of an order.
    Order(OrderEvent),
}

impl Reading {
    /// Of a feed. Rows of a time after `latest` are refused. An error is one of the header: of the whole feed.
    pub fn of(feed: &Feed, latest: Timestamp) -> Result<Self, String> {
        let layout = match feed.format {
            Format::Csv => Layout::of(feed.kind, &feed.columns)?,
            Format::Ndjson => Layout::of(
                feed.kind,
                &columns(feed.kind).iter().map(|c| c.name.to_owned()).collect::<Vec<_>>(),
            )?,
        };
        let times = Times { fed_at: feed.fed_at, latest };
        Ok(Self { kind: feed.kind, format: feed.format, layout, times })
    }

    /// The verdict on a row. O(its bytes).
    pub fn parse(&self, row: &RawRow) -> Result<Parsed, Vec<Fault>> {
        self.parse_as_of(row, self.times)
    }

    /// The same for a row that comes at another time than its feed, as those of a stream do.
    pub(super) fn parse_as_of(&self, row: &RawRow, times: Times) -> Result<Parsed, Vec<Fault>> {
        if row.cut {
            let why = format!("is larger than {MOST_ROW} bytes: is a quote never closed?");
            return Err(vec![Fault::row(why)]);
        }
        let mut cells = Cells::new(self.kind, times);
        match self.format {
            Format::Csv => self.csv(&row.text, &mut cells)?,
            Format::Ndjson => self.ndjson(&row.text, &mut cells)?,
        }
        let parsed = match self.kind {
            Kind::Catalogue => Self::catalogue(&mut cells).map(Parsed::Catalogue),
            Kind::Prices => Self::price(&mut cells).map(Parsed::Price),
            Kind::Stock => Self::stock(&mut cells).map(Parsed::Stock),
            Kind::Orders => Self::order(&mut cells).map(Parsed::Order),
        };
        match parsed {
            Some(parsed) if cells.faults.is_empty() => Ok(parsed),
            _ => Err(cells.faults),
        }
    }

    fn csv<'a>(&self, text: &'a [u8], cells: &mut Cells<'a>) -> Result<(), Vec<Fault>> {
        let (fields, slots) = (csv::fields(text), self.layout.slots());
        if fields.len() != slots.len() {
            let (found, wanted) = (fields.len(), slots.len());
            return Err(vec![Fault::row(format!("has {found} fields, and the header has {wanted}"))]);
        }
        for (field, slot) in fields.into_iter().zip(slots) {
            let Some(slot) = *slot else { continue };
            let text = match field {
                Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).ok(),
                Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
            };
            match text {
                Some(text) => cells.put(slot, text),
                None => cells.fault(slot, Reason::Unreadable, "holds bytes that are no UTF-8"),
            }
        }
        Ok(())
    }

    fn ndjson<'a>(&self, text: &'a [u8], cells: &mut Cells<'a>) -> Result<(), Vec<Fault>> {
        let Ok(text) = std::str::from_utf8(text) else {
            return Err(vec![Fault::row("holds bytes that are no UTF-8")]);
        };
        let fields =
            ndjson::fields(text).map_err(|error| vec![Fault::row(format!("is no JSON object: {error}"))])?;
        for (name, value) in fields {
            let Some(slot) = schema::place(self.kind, &name) else {
                if !name.starts_with(schema::OWN) {
                    let name: String = name.chars().filter(|c| *c != '\0').take(60).collect();
                    let words = schema::unknown(self.kind, &name);
                    cells.faults.push(Fault::of(Reason::UnknownField, name, words));
                }
                continue;
            };
            match value {
                _ if cells.given[slot] => cells.fault(slot, Reason::Invalid, "stands in the object twice"),
                Value::Absent => cells.given[slot] = true,
                Value::Text(text) => cells.put(slot, text),
                Value::Nested(_) => {
                    cells.fault(slot, Reason::Invalid, "is a list or an object, and a plain value is wanted");
                }
            }
        }
        Ok(())
    }

    fn price(cells: &mut Cells<'_>) -> Option<PriceRow> {
        let (sku, pence) = (cells.need("sku", cells::sku), cells.need("price", cells::pence));
        let (currency, at) = (cells.read("currency", cells::currency), cells.at());
        let currency = currency?.unwrap_or(Currency::Gbp);
        Some(PriceRow { sku: sku?, price: cells::money(pence?, currency), at: at? })
    }

    fn stock(cells: &mut Cells<'_>) -> Option<StockRow> {
        let sku = cells.need("sku", cells::sku);
        let (counted, moved) = (cells.read("stock", cells::counted), cells.read("delta", cells::moved));
        let at = cells.at();
        let pieces = match (counted?, moved?) {
            (Some(pieces), None) => Pieces::Counted(pieces),
            (None, Some(pieces)) => Pieces::Moved(pieces),
            (None, None) => {
                cells.named("stock", Reason::Missing, "is needed, or delta");
                return None;
            }
            (Some(_), Some(_)) => {
                cells.named("delta", Reason::Invalid, "stands beside stock, and a row has one of them");
                return None;
            }
        };
        Some(StockRow { sku: sku?, pieces, at: at? })
    }

    fn catalogue(cells: &mut Cells<'_>) -> Option<CatalogueRow> {
        let sku = cells.need("sku", cells::sku);
        let name = cells.read("name", |text| cells::words(text, 200));
        let category = cells.read("category", |text| cells::words(text, 60));
        let description = cells.read("description", |text| cells::words(text, 4000));
        let (pence, currency) = (cells.read("price", cells::pence), cells.read("currency", cells::currency));
        let (vat, active) = (cells.read("vat", cells::vat), cells.read("active", cells::flag));
        let at = cells.at();
        let currency = currency?.unwrap_or(Currency::Gbp);
        Some(CatalogueRow {
            sku: sku?,
            name: name?,
            category: category?,
            description: description?,
            price: pence?.map(|pence| cells::money(pence, currency)),
            vat: vat?,
            active: active?,
            at: at?,
        })
    }

    fn order(cells: &mut Cells<'_>) -> Option<OrderEvent> {
        let happened = cells.need("event", cells::happened);
        let (order, reference) =
            (cells.read("order", cells::order), cells.read("reference", |text| cells::words(text, 100)));
        let (lines, email) = (cells.read("lines", cells::lines), cells.read("email", cells::email));
        let country = cells.read("country", |text| cells::words(text, 60));
        let (currency, at) = (cells.read("currency", cells::currency), cells.at());
        let name = if happened? == Happened::Placed {
            for (missing, name) in [
                (matches!(reference, Some(None)), "reference"),
                (matches!(lines, Some(None)), "lines"),
                (matches!(country, Some(None)), "country"),
            ] {
                if missing {
                    cells.named(name, Reason::Missing, "is needed of an order that was placed");
                }
            }
            let currency = currency?.unwrap_or(Currency::Gbp);
            let line = |(sku, pieces, pence)| (sku, pieces, cells::money(pence, currency));
            OrderName::New(Box::new(NewOrder {
                reference: reference??,
                lines: lines??.into_iter().map(line).collect(),
                country: country??,
                email: email?,
            }))
        } else {
            match (order?, reference?) {
                (Some(number), _) => OrderName::Number(number),
                (None, Some(reference)) => OrderName::Reference(reference),
                (None, None) => {
                    cells.named("order", Reason::Missing, "is needed, or reference");
                    return None;
                }
            }
        };
        Some(OrderEvent { happened: happened?, order: name, at: at? })
    }
}

/// The cells of a row by column, and what is wrong with them so far.
struct Cells<'a> {
    kind: Kind,
    times: Times,
    texts: [Option<Cow<'a, str>>; MOST_COLUMNS],
    given: [bool; MOST_COLUMNS],
    /// Columns that have a fault already: what is not there because of it is not missing, too.
    faulty: [bool; MOST_COLUMNS],
    faults: Vec<Fault>,
}

impl<'a> Cells<'a> {
    fn new(kind: Kind, times: Times) -> Self {
        Self {
            kind,
            times,
            texts: Default::default(),
            given: [false; MOST_COLUMNS],
            faulty: [false; MOST_COLUMNS],
            faults: Vec::new(),
        }
    }

    /// Blanks around a cell do not count, and an empty one is absent.
    fn put(&mut self, slot: usize, text: Cow<'a, str>) {
        self.given[slot] = true;
        if text.contains('\0') {
            return self.fault(slot, Reason::Unreadable, "holds a NUL character");
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return;
        }
        self.texts[slot] =
            Some(if trimmed.len() == text.len() { text } else { Cow::Owned(trimmed.to_owned()) });
    }

    fn fault(&mut self, slot: usize, reason: Reason, words: impl Into<String>) {
        self.faulty[slot] = true;
        let field = columns(self.kind).get(slot).map_or("", |column| column.name);
        self.faults.push(Fault::of(reason, field, words));
    }

    fn named(&mut self, name: &'static str, reason: Reason, words: &str) {
        self.faults.push(Fault::of(reason, name, words));
    }

    /// A cell that may be absent. `None` where it has a fault.
    #[expect(clippy::option_option, reason = "faulty and absent are two things here")]
    fn read<T>(&mut self, name: &'static str, read: impl Fn(&str) -> Cell<T>) -> Option<Option<T>> {
        let slot = schema::place(self.kind, name)?;
        if self.faulty[slot] {
            return None;
        }
        match self.texts[slot].as_deref().map(read) {
            None => Some(None),
            Some(Ok(value)) => Some(Some(value)),
            Some(Err(words)) => {
                self.fault(slot, Reason::Invalid, words);
                None
            }
        }
    }

    /// When it holds.
    fn at(&mut self) -> Option<Timestamp> {
        let Times { fed_at, latest } = self.times;
        self.read("at", |text| cells::at(text, latest)).map(|at| at.unwrap_or(fed_at))
    }

    /// A cell that must be there.
    fn need<T>(&mut self, name: &'static str, read: impl Fn(&str) -> Cell<T>) -> Option<T> {
        let value = self.read(name, read)?;
        if value.is_none() {
            self.named(name, Reason::Missing, "is needed");
        }
        value
    }
}
