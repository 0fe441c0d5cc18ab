//! Lab M6, an orders desk: pages and programs that follow the same orders, on `channels` and `live` alone.
//!
//! Invariant: whoever follows the desk, by page or by channel, sees every change once and in order; one who does not
//! read holds up nobody.
//!
//! | module | what it is |
//! |---|---|
//! | [`order`] | the pure part: what an order is, what a form may ask for, what may follow what |
//! | [`book`] | the pure part: all orders under versions, and the changes since one |
//! | [`desk`] | the shell: one book, changed under a lock, and each change told to all |
//! | [`feed`] | the channel for programs: state at the join, then changes |
//! | [`lobby`] | presence: who has the desk open |
//! | [`page`] | the live page: list, form, who is here |
//! | [`site`] | all of it behind one router |

pub mod book;
pub mod desk;
pub mod feed;
pub mod lobby;
pub mod order;
pub mod page;
pub mod site;
