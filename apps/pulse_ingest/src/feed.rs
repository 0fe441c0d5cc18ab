//! Feeds of suppliers and partners: products, prices, stock, and what happens to orders.
//!
//! **Invariant.** Each row of a feed is done once, or is a dead letter that says what is wrong with which field; killed at
//! any instant and fed again, it ends the same.
//!
//! # How a feed goes
//!
//! 1. *Open.* The file is read once for its hash, which with its source is what it is known by. One that was done is not
//!    done again; one that breaks off is refused as a whole.
//! 2. *Judge.* Its rows go through a [`pipeline`]: each is read into what it says, or into everything that is wrong with it.
//! 3. *Do.* A batch of rows changes the goods, buries its dead letters and moves the feed's mark in one transaction. While
//!    it is on its way to the disk, the next is judged.
//! 4. *End.* When every row is dealt with, the feed is done.
//!
//! | module | what it is |
//! |---|---|
//! | `schema`, `cells`, `parse` | what rows may say; pure |
//! | `raw`, `csv`, `ndjson`, `open` | rows as they were sent, and where they come from |
//! | `reader`, `apply`, `run`, `batch` | the pipeline: its producer, its callbacks, its life, and how much it does at once |
//! | `events` | order events, through the front door |
//! | `letters` | dead letters, tried again |
//! | `folder`, `inbox`, `stream` | where feeds arrive while the shop runs |
//! | `generate` | made-up feeds of any length |

mod apply;
mod batch;
mod cells;
mod csv;
mod events;
mod folder;
mod generate;
mod inbox;
mod letters;
mod ndjson;
mod open;
mod parse;
mod progress;
mod raw;
mod reader;
mod run;
mod schema;
mod stream;

pub use batch::BatchRows;
pub use cells::Happened;
pub use folder::{FeedFile, Watch, files_of};
pub use generate::generate;
pub use inbox::{feed_waiting, follow_posts};
pub use letters::{Retried, discard_all, retry, retry_all};
pub use open::{MOST_UNPACKED, OpenError, TooLarge, content_of, format_of, kind_of};
pub use parse::{NewOrder, OrderEvent, OrderName, Parsed, Reading};
pub use progress::{FeedEnds, FeedProgress, FeedStanding};
pub use raw::{MOST_ROW, RawRow};
pub use run::{Fed, FeedOptions, FeedRooms, FeedRunError, feed_body, feed_file};
pub use schema::{Column, Layout, columns, describe};
pub use stream::{InvalidAddress, StreamAddress, feed_stream};
