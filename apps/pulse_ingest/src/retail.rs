//! The rows of the *Online Retail* data set: reading them, and the rules that say what each one is.
//!
//! **Invariant.** Every data row gets exactly one verdict: a sale, a return, or dead with a reason; no input makes
//! this code panic, and its memory does not grow with the input. Nothing here knows of databases or of time passing.
//!
//! ```
//! use pulse_ingest::retail::{Records, Row, classify};
//!
//! let file = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
//!             536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n";
//! let mut records = Records::new(file.as_bytes());
//! let record = records.next().unwrap().unwrap();
//! let Row::Sale(line) = classify(&record) else { panic!("a sale") };
//! assert_eq!((line.sku.as_str(), line.quantity.get(), line.price.pence), ("85123A", 6, 255));
//! assert!(records.next().unwrap().is_none());
//! ```

mod fields;
mod records;
mod rules;

pub(crate) use fields::{pounds, whole};
pub use records::{MAX_RECORD, Record, Records};
pub use rules::{COLUMNS, Line, Reason, Row, classify};
