//! Pages by key: the next page begins after the last row's key, however many rows came or went meanwhile.
//!
//! **Invariant.** Walking from page to page visits each row that stays exactly once, in order, and each page costs
//! the same, where OFFSET would read all rows before it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where the next page begins. Opaque to clients: they hand back what they were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// A text that is no cursor of this listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one of this listing: start again without it")]
pub struct InvalidCursor;

impl Cursor {
    /// Of a row's key. Put the sort's name into the key where a listing has several sorts.
    pub fn of(key: &impl Serialize) -> Self {
        // A key is a tuple of numbers and texts: those always have a JSON form.
        Self(URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default()))
    }

    /// What a client handed back; whether it is a cursor shows at [`key`](Self::key).
    pub fn from_client(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The key that it was made of.
    pub fn key<K: DeserializeOwned>(&self) -> Result<K, InvalidCursor> {
        let json = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| InvalidCursor)?;
        serde_json::from_slice(&json).map_err(|_| InvalidCursor)
    }

    /// The form for an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some rows of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows, in the listing's order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Rows on a page at most.
    pub const MOST: u32 = 200;

    /// How many rows to ask the database for, to fill a page of `limit` and know whether another follows.
    pub fn fetch(limit: u32) -> u64 {
        u64::from(limit.clamp(1, Self::MOST)) + 1
    }

    /// A page of what [`fetch`](Self::fetch) rows yielded; `key` is what the rows are sorted by, and unique.
    ///
    /// ```
    /// use pulse_data::Page;
    /// let page = Page::of(vec![1, 2, 3], 2, |n| *n);
    /// assert_eq!(page.items, [1, 2]);
    /// assert_eq!(page.next.unwrap().key::<i32>(), Ok(2));
    /// ```
    pub fn of<K: Serialize>(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> K) -> Self {
        let most = usize::try_from(limit.clamp(1, Self::MOST)).unwrap_or(1);
        let more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().filter(|_| more).map(|last| Cursor::of(&key(last)));
        Self { items: rows, next }
    }

    /// The same page of other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

/// Which way a listing runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// The condition "after this key" for a listing by `columns`, whose values are the parameters from `first` on.
/// A comparison of rows, which both databases answer from an index on those columns.
///
/// ```
/// use pulse_data::page::{Direction, after};
/// assert_eq!(after(&["price_pence", "sku"], Direction::Descending, 3), "(price_pence, sku) < ($3, $4)");
/// ```
pub fn after(columns: &[&str], direction: Direction, first: usize) -> String {
    let sign = match direction {
        Direction::Ascending => '>',
        Direction::Descending => '<',
    };
    let parameters: Vec<String> = (first..first + columns.len()).map(|n| format!("${n}")).collect();
    format!("({}) {sign} ({})", columns.join(", "), parameters.join(", "))
}
