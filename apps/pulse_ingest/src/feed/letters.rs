//! Dead letters, tried again: as they were sent, or as somebody has mended them.
//!
//! **Invariant.** A letter is read by the rules of its own feed, with that feed's time; what it says is done once, however
//! many try it at the same time.

use pulse_core::{Principal, Timestamp};
use pulse_data::feeds::{Entry, Fault, Feed, FeedError, Goods, Letter, LetterQuery, MOST_PAYLOAD, Origin};
use tokio_util::sync::CancellationToken;

use super::events::{EventError, Events};
use super::parse::{Parsed, Reading};
use super::raw::RawRow;
use super::run::{AHEAD, FeedRooms};

/// Letters that are read at a time.
const PAGE: u32 = 200;

/// What became of letters that were tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retried {
    /// What they say was done.
    pub done: u64,
    /// Something still stands against them.
    pub still: u64,
    /// Somebody else was faster.
    pub moved: u64,
}

/// Tries a letter again: `edited` in the place of what was sent, where it is there. Answers what still stands against it;
/// nothing where it is done.
pub async fn retry(
    rooms: &FeedRooms,
    who: &Principal,
    letter: &Letter,
    edited: Option<&str>,
) -> Result<Vec<Fault>, FeedError> {
    let mut feed = rooms.feeds.get(who, letter.feed).await?;
    if feed.origin == Origin::Stream {
        // Its rows are of the time at which they came, and so is this one.
        feed.fed_at = letter.buried_at;
    }
    let known = letter.mended.as_deref().unwrap_or(&letter.payload);
    let mended = edited.map(str::as_bytes).filter(|edited| *edited != known);
    let text = mended.unwrap_or(known);
    let faults = match read(&feed, letter, text, mended.is_some(), rooms.clock.now()) {
        Err(faults) => faults,
        Ok(Parsed::Order(event)) => {
            let events = Events { who: who.clone(), door: rooms.door.clone(), orders: rooms.orders.clone() };
            match events.one(&feed.source, &event).await {
                Ok(Ok(_)) => return rooms.feeds.replay(who, letter, None, mended.map(<[u8]>::to_vec)).await,
                Ok(Err(fault)) => vec![fault],
                Err(EventError::Passing(error)) => return Err(error.into()),
            }
        }
        Ok(parsed) => {
            let goods = goods(letter, text, parsed);
            return rooms.feeds.replay(who, letter, goods, mended.map(<[u8]>::to_vec)).await;
        }
    };
    rooms.feeds.tried(who, letter, faults.clone(), mended.map(<[u8]>::to_vec)).await?;
    Ok(faults)
}

fn read(
    feed: &Feed,
    letter: &Letter,
    text: &[u8],
    edited: bool,
    now: Timestamp,
) -> Result<Parsed, Vec<Fault>> {
    if text.len() > MOST_PAYLOAD {
        return Err(vec![Fault::row(format!("is larger than the {MOST_PAYLOAD} bytes that a letter keeps"))]);
    }
    if letter.cut && !edited && letter.mended.is_none() {
        return Err(vec![Fault::row("is only the beginning of what was sent: write the whole row")]);
    }
    let reading = Reading::of(feed, now.after(AHEAD)).map_err(|why| vec![Fault::row(why)])?;
    reading.parse(&RawRow { place: letter.place, text: text.into(), cut: false })
}

fn goods(letter: &Letter, text: &[u8], parsed: Parsed) -> Option<Goods> {
    let (place, text) = (letter.place, text.into());
    Some(match parsed {
        Parsed::Catalogue(row) => Goods::Catalogue(vec![Entry { place, text, row }]),
        Parsed::Price(row) => Goods::Prices(vec![Entry { place, text, row }]),
        Parsed::Stock(row) => Goods::Stock(vec![Entry { place, text, row }]),
        Parsed::Order(_) => return None,
    })
}

/// Tries every letter again that the query finds, oldest first, each once.
pub async fn retry_all(
    rooms: &FeedRooms,
    who: &Principal,
    query: &LetterQuery,
    stop: &CancellationToken,
) -> Result<Retried, FeedError> {
    let (mut retried, mut query) = (Retried::default(), LetterQuery { limit: PAGE, ..query.clone() });
    loop {
        let page = rooms.feeds.letters(who, &query).await?;
        for letter in &page.items {
            if stop.is_cancelled() {
                return Ok(retried);
            }
            match retry(rooms, who, letter, None).await {
                Ok(faults) if faults.is_empty() => retried.done += 1,
                Ok(_) => retried.still += 1,
                Err(FeedError::LetterMoved(_)) => retried.moved += 1,
                Err(error) => return Err(error),
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(retried),
        }
    }
}

/// Drops every letter that the query finds. Answers how many.
pub async fn discard_all(
    rooms: &FeedRooms,
    who: &Principal,
    query: &LetterQuery,
    stop: &CancellationToken,
) -> Result<u64, FeedError> {
    let (mut dropped, mut query) = (0, LetterQuery { limit: PAGE, ..query.clone() });
    loop {
        let page = rooms.feeds.letters(who, &query).await?;
        for letter in &page.items {
            if stop.is_cancelled() {
                return Ok(dropped);
            }
            match rooms.feeds.discard(who, letter).await {
                Ok(()) => dropped += 1,
                Err(FeedError::LetterMoved(_)) => {}
                Err(error) => return Err(error),
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(dropped),
        }
    }
}
