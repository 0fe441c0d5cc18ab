//! Feeds: what suppliers and partners send, done once, and the dead letters of what can't be done.
//!
//! **Invariant.** What a batch of rows does, that it was done, its dead letters and its audit row commit together; so a feed
//! that is sent again, or taken up after a crash, does nothing twice. Whoever applies a batch names the version of the
//! feed that it has seen, so two who work on one feed can't both do it.
//!
//! Order events are done by the orders' own context, each under a name of its own, and their batch is noted here after
//! them: then a crash in between does them again, and their names make that nothing.

mod apply;
mod decide;
mod feed;
mod inbox;
mod letters;
mod rows;
mod seen;
mod shelves;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use pulse_core::access::Forbidden;
use pulse_core::ports::Clock;
use pulse_core::{Permission, Principal, Timestamp};

pub use apply::{Applied, Batch};
pub use decide::Ties;
pub use feed::{Counts, Feed, FeedState, Format, Kind, NewFeed, Origin};
pub use inbox::Waiting;
pub use rows::{
    CatalogueRow, Entry, Fault, Goods, MOST_PAYLOAD, NewLetter, Pieces, Place, PriceRow, Reason, StockRow,
};
pub use seen::{InvalidSeen, Seen};

use crate::catalog::Changes;
use crate::changeset::FieldErrors;
use crate::page::{Cursor, InvalidCursor, Page};
use crate::{Backend, DbError, Repo};

/// Why a feed was not taken, moved on or shown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FeedError {
    /// There is no such feed.
    #[error("there is no feed {0}")]
    NotFound(i64),
    /// There is no such dead letter.
    #[error("there is no dead letter {0}")]
    NoLetter(i64),
    /// Somebody else has moved it on meanwhile.
    #[error("feed {} was moved on by somebody else: it is at version {}", .0.id, .0.version)]
    Stale(Box<Feed>),
    /// The letter was closed or tried meanwhile.
    #[error("dead letter {0} was closed or tried meanwhile: look at it again")]
    LetterMoved(i64),
    /// More open dead letters than [`Feeds::MOST_OPEN`].
    #[error("feed {feed} has {open} open dead letters: mend or discard them, then it goes on")]
    TooManyLetters {
        /// Which feed.
        feed: i64,
        /// How many are open.
        open: u64,
    },
    /// A body was posted under this key before, and it was another one.
    #[error("this key was already used for another body: draw a new one")]
    KeyReused,
    /// More posted bodies wait than [`Feeds::MOST_WAITING`].
    #[error("too many posted feeds wait: try again in a moment")]
    Full,
    /// A field has a value that can't be stored.
    #[error(transparent)]
    Invalid(#[from] FieldErrors),
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The cursor is of another list.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Where a dead letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LetterState {
    /// It waits for somebody.
    Open,
    /// What it says was done after all.
    Replayed,
    /// It was dropped.
    Discarded,
}

impl LetterState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Replayed, Self::Discarded];

    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }

    /// The state of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number.
    pub id: i64,
    /// The feed that it is of.
    pub feed: i64,
    /// Whose feed that is.
    pub source: String,
    /// What that tells of.
    pub kind: Kind,
    /// What that is called.
    pub name: String,
    /// Where the row stands in it.
    pub place: Place,
    /// The first thing that is wrong with it.
    pub reason: Reason,
    /// Everything that is wrong with it, as of the last try.
    pub faults: Vec<Fault>,
    /// The row as it was sent, or its beginning.
    pub payload: Vec<u8>,
    /// Whether that is only its beginning.
    pub cut: bool,
    /// What somebody made of it.
    pub mended: Option<Vec<u8>>,
    /// Where it stands.
    pub state: LetterState,
    /// How often it was tried again.
    pub tries: i64,
    /// When it was buried.
    pub buried_at: Timestamp,
    /// When it was tried last.
    pub tried_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<String>,
}

/// Open letters of one source and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterCount {
    /// Whose feeds.
    pub source: String,
    /// Why.
    pub reason: Reason,
    /// How many.
    pub letters: u64,
}

/// What waits for somebody, or for its turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Open dead letters; at most one entry a reason.
    pub open: Vec<(Reason, u64)>,
    /// Posted bodies that are not fed to their end.
    pub waiting: u64,
    /// When the oldest of them was posted.
    pub oldest: Option<Timestamp>,
}

/// Which letters; oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterQuery {
    /// Where they stand.
    pub state: LetterState,
    /// Only these.
    pub reason: Option<Reason>,
    /// Only of this source.
    pub source: Option<String>,
    /// Only of this feed.
    pub feed: Option<i64>,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// Rows a page.
    pub limit: u32,
}

impl Default for LetterQuery {
    fn default() -> Self {
        Self { state: LetterState::Open, reason: None, source: None, feed: None, after: None, limit: 50 }
    }
}

/// Which feeds; that of which something became last comes first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedQuery {
    /// Only of this source.
    pub source: Option<String>,
    /// Only those that stand here.
    pub state: Option<FeedState>,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// Rows a page.
    pub limit: u32,
}

/// The context of feeds. Cheap to clone.
#[derive(Clone)]
pub struct Feeds {
    repo: Repo,
    changes: Changes,
    clock: Arc<dyn Clock>,
}

impl Feeds {
    /// Open dead letters of one feed, at most: then it waits until somebody has looked at them.
    pub const MOST_OPEN: u64 = 10_000;
    /// Posted bodies that wait, at most.
    pub const MOST_WAITING: i64 = 1_000;

    /// Feeds of a database. `changes` is the catalogue's: a feed changes prices and stock.
    pub fn new(repo: Repo, changes: Changes, clock: Arc<dyn Clock>) -> Self {
        Self { repo, changes, clock }
    }

    /// Which database it is: how much is best done at once differs.
    pub fn backend(&self) -> Backend {
        self.repo.backend()
    }

    /// Begins a feed, or finds it where it was begun before: then the second answer is `true`. Needs
    /// [`Permission::RunFeeds`], as all of this context does.
    pub async fn begin(&self, who: &Principal, new: NewFeed) -> Result<(Feed, bool), FeedError> {
        who.require(Permission::RunFeeds)?;
        inbox::check(&new)?;
        let input = (who.clone(), new, self.clock.now());
        let begin = self.repo.write_with(input, |tx, (who, new, now)| {
            async move { Ok::<_, FeedError>(store::begin(tx, who, new, *now).await?) }.boxed()
        });
        begin.await
    }

    /// Does what a batch of rows says and moves its feed on, in one transaction: the goods, the dead letters, the mark,
    /// and the audit row. [`FeedError::Stale`] where the feed is not at the version that the batch was made for.
    /// O(rows log products), in a number of statements that does not depend on the rows.
    pub async fn apply(&self, who: &Principal, batch: impl Into<Arc<Batch>>) -> Result<Applied, FeedError> {
        who.require(Permission::RunFeeds)?;
        let input = (who.clone(), batch.into(), self.clock.now());
        let (applied, told) = self
            .repo
            .write_in_bulk(input, |tx, (who, batch, now)| apply::apply(tx, who, batch, *now).boxed())
            .await?;
        self.changes.tell(told);
        Ok(applied)
    }

    /// Keeps the header of a posted feed, which is found when it is opened: its dead letters are read by it.
    pub async fn headed(&self, who: &Principal, feed: i64, columns: &[String]) -> Result<(), FeedError> {
        who.require(Permission::RunFeeds)?;
        let headed = self.repo.write_with((feed, columns.to_vec()), |tx, (feed, columns)| {
            async move { Ok::<_, FeedError>(store::headed(tx, *feed, columns).await?) }.boxed()
        });
        headed.await
    }

    /// All rows of a feed are dealt with. Again changes nothing.
    pub async fn finish(&self, who: &Principal, feed: i64) -> Result<(), FeedError> {
        self.end(who, feed, None).await
    }

    /// A feed can't be used as a whole, for this reason.
    pub async fn refuse(&self, who: &Principal, feed: i64, why: &str) -> Result<(), FeedError> {
        let why: String = why.chars().filter(|c| *c != '\0').take(1000).collect();
        self.end(who, feed, Some(why)).await
    }

    async fn end(&self, who: &Principal, feed: i64, why: Option<String>) -> Result<(), FeedError> {
        who.require(Permission::RunFeeds)?;
        let input = (who.clone(), feed, why, self.clock.now());
        let end = self.repo.write_with(input, |tx, (who, feed, why, now)| {
            async move { Ok::<_, FeedError>(store::end(tx, who, *feed, why.as_deref(), *now).await?) }.boxed()
        });
        end.await
    }

    /// One feed.
    pub async fn get(&self, who: &Principal, feed: i64) -> Result<Feed, FeedError> {
        who.require(Permission::RunFeeds)?;
        store::get(self.repo.reader(), feed).await?.ok_or(FeedError::NotFound(feed))
    }

    /// A page of feeds.
    pub async fn list(&self, who: &Principal, query: &FeedQuery) -> Result<Page<Feed>, FeedError> {
        who.require(Permission::RunFeeds)?;
        let after = query.after.as_ref().map(Cursor::key::<(i64, i64)>).transpose()?;
        if query.source.as_ref().is_some_and(|source| source.contains('\0')) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let feeds = store::list(self.repo.reader(), query, after, Page::<Feed>::fetch(query.limit)).await?;
        Ok(Page::of(feeds, query.limit, |last| (last.touched_at.0, last.id)))
    }

    /// One dead letter.
    pub async fn letter(&self, who: &Principal, letter: i64) -> Result<Letter, FeedError> {
        who.require(Permission::RunFeeds)?;
        letters::get(self.repo.reader(), letter).await?.ok_or(FeedError::NoLetter(letter))
    }

    /// A page of dead letters.
    pub async fn letters(&self, who: &Principal, query: &LetterQuery) -> Result<Page<Letter>, FeedError> {
        who.require(Permission::RunFeeds)?;
        let after = query.after.as_ref().map(Cursor::key::<i64>).transpose()?;
        if query.source.as_ref().is_some_and(|source| source.contains('\0')) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let found =
            letters::page(self.repo.reader(), query, after, Page::<Letter>::fetch(query.limit)).await?;
        Ok(Page::of(found, query.limit, |last| last.id))
    }

    /// How many letters are open, by source and reason.
    pub async fn letter_counts(&self, who: &Principal) -> Result<Vec<LetterCount>, FeedError> {
        who.require(Permission::RunFeeds)?;
        Ok(letters::counts(self.repo.reader()).await?)
    }

    /// What waits, all sources together: for whoever watches over the shop.
    pub async fn backlog(&self, who: &Principal) -> Result<Backlog, FeedError> {
        let mut open = BTreeMap::new();
        for count in self.letter_counts(who).await? {
            *open.entry(count.reason).or_insert(0) += count.letters;
        }
        let (waiting, oldest) = inbox::backlog(self.repo.reader()).await?;
        Ok(Backlog { open: open.into_iter().collect(), waiting, oldest })
    }

    /// Does what a dead letter says after all, and closes it, in one transaction. `goods` is the one row that its text
    /// was read as, or none where the orders have done it; `mended` is the text where somebody has changed it.
    /// Answers what still stands against it: then it stays open, with that as its faults.
    pub async fn replay(
        &self,
        who: &Principal,
        letter: &Letter,
        goods: Option<Goods>,
        mended: Option<Vec<u8>>,
    ) -> Result<Vec<Fault>, FeedError> {
        who.require(Permission::RunFeeds)?;
        let input = (who.clone(), letter.clone(), goods, mended, self.clock.now());
        let (faults, told) = self
            .repo
            .write_with(input, |tx, (who, letter, goods, mended, now)| {
                apply::replay(tx, who, letter, goods.as_ref(), mended.as_deref(), *now).boxed()
            })
            .await?;
        self.changes.tell(told);
        Ok(faults)
    }

    /// Notes that a letter was tried and that these things still stand against it.
    pub async fn tried(
        &self,
        who: &Principal,
        letter: &Letter,
        faults: Vec<Fault>,
        mended: Option<Vec<u8>>,
    ) -> Result<(), FeedError> {
        who.require(Permission::RunFeeds)?;
        let input = (letter.clone(), faults, mended, self.clock.now());
        let tried = self.repo.write_with(input, |tx, (letter, faults, mended, now)| {
            async move {
                letters::take(tx, letter, mended.as_deref(), *now).await?;
                Ok::<_, FeedError>(letters::blame(tx, letter, faults).await?)
            }
            .boxed()
        });
        tried.await
    }

    /// Drops a letter: what it says is not done.
    pub async fn discard(&self, who: &Principal, letter: &Letter) -> Result<(), FeedError> {
        who.require(Permission::RunFeeds)?;
        let discard = self.repo.write_with((who.clone(), letter.clone()), |tx, (who, letter)| {
            letters::close(tx, who, letter, letter.tries, LetterState::Discarded, &[]).boxed()
        });
        discard.await
    }

    /// Keeps a posted body until it is fed; durable when this returns. The same body of the same source, or another one
    /// under the same `key`, finds the feed that it made: then the second answer is `true`.
    pub async fn post(
        &self,
        who: &Principal,
        new: NewFeed,
        body: Vec<u8>,
    ) -> Result<(Feed, bool), FeedError> {
        who.require(Permission::RunFeeds)?;
        inbox::check(&new)?;
        let input = (who.clone(), new, body, self.clock.now());
        let post = self
            .repo
            .write_with(input, |tx, (who, new, body, now)| inbox::post(tx, who, new, body, *now).boxed());
        post.await
    }

    /// The oldest posted body that is not fed to its end, after the feed of that number.
    pub async fn waiting(&self, who: &Principal, after: i64) -> Result<Option<Waiting>, FeedError> {
        who.require(Permission::RunFeeds)?;
        Ok(inbox::waiting(self.repo.reader(), after).await?)
    }

    /// Forgets what batches have changed that are older than this; their audit rows stay. Answers how many.
    pub async fn prune(&self, who: &Principal, keep: Duration) -> Result<u64, FeedError> {
        who.require(Permission::RunFeeds)?;
        let before = self.clock.now().0.saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        let prune = self.repo.write(move |tx| {
            async move { Ok::<_, FeedError>(apply::prune(tx, Timestamp(before)).await?) }.boxed()
        });
        prune.await
    }

    /// What the batches of a feed have changed, newest first, at most so many batches. Each is the version of the feed that
    /// it made and its lines; the SHA-256 of those lines stands in the batch's audit row.
    pub async fn changes_of(
        &self,
        who: &Principal,
        feed: i64,
        most: u32,
    ) -> Result<Vec<(i64, String)>, FeedError> {
        who.require(Permission::RunFeeds)?;
        Ok(apply::changes_of(self.repo.reader(), feed, most).await?)
    }
}
