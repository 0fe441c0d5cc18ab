//! Dead letters: rows of feeds that can't be used, by reason and source.
//!
//! **Invariant.** The address says which. What is done with all of them is done beside the page, letter by letter, and the
//! list is read again at its end.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, TaskCrashed, html};
use pulse_data::feeds::{FeedError, Letter, LetterQuery, LetterState, Reason};
use pulse_data::page::{Cursor, Page as Found};
use pulse_ingest::feed::{Retried, discard_all, retry_all};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::super::parts::{Choice, Time, filter};
use super::super::roll::Roll;
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, ended, halt, tell};
use crate::news::News;

/// Letters that are read at a time.
const PAGE: u32 = 50;

/// What the address says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    state: String,
    reason: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The end of the list comes into view.
    More,
    /// Another filter.
    Look(Wanted),
    /// Try all of them again.
    Retry,
    /// Drop all of them.
    Discard,
}

pub(crate) enum Info {
    News(Arc<News>),
    Retried(Result<Result<Retried, FeedError>, TaskCrashed>),
    Discarded(Result<Result<u64, FeedError>, TaskCrashed>),
}

pub(crate) struct Letters {
    desk: Desk,
    wanted: Wanted,
    rows: Roll<Letter>,
    /// All of them are being tried or dropped.
    busy: bool,
}

/// A reason in words.
pub(super) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreadable => "unreadable",
        Reason::Missing => "field missing",
        Reason::Invalid => "field wrong",
        Reason::UnknownField => "unknown field",
        Reason::UnknownProduct => "unknown product",
        Reason::NotEnough => "not enough pieces",
        Reason::TooMany => "too many pieces",
        Reason::UnknownOrder => "unknown order",
        Reason::WrongStep => "wrong step",
        Reason::OutOfStock => "out of stock",
        Reason::Refused => "refused",
    }
}

/// The open letters of a reason and a source.
pub(super) fn to_letters(reason: Option<Reason>, source: Option<&str>) -> LocalPath {
    let wanted = Wanted {
        state: String::new(),
        reason: reason.map_or("", Reason::name).to_owned(),
        source: source.unwrap_or_default().to_owned(),
    };
    wanted.path()
}

impl Wanted {
    fn query(&self) -> Option<LetterQuery> {
        let state =
            if self.state.is_empty() { Some(LetterState::Open) } else { LetterState::from_name(&self.state) };
        let reason = match self.reason.as_str() {
            "" => None,
            name => Some(Reason::from_name(name)?),
        };
        let source = Some(self.source.trim()).filter(|source| !source.is_empty()).map(str::to_owned);
        Some(LetterQuery { state: state?, reason, source, limit: PAGE, ..LetterQuery::default() })
    }

    fn path(&self) -> LocalPath {
        let all = [("state", &self.state), ("reason", &self.reason), ("source", &self.source)];
        let filled = all.into_iter().filter(|(_, text)| !text.trim().is_empty());
        filled.fold(LocalPath::of("/office/letters"), |path, (name, text)| path.query(name, text.trim()))
    }

    /// Whether letters are shown with which something can be done.
    fn is_open(&self) -> bool {
        self.state.is_empty() || self.state == LetterState::Open.name()
    }
}

impl Letters {
    async fn read(&self, after: Option<Cursor>) -> Result<Found<Letter>, FeedError> {
        let nothing = Found { items: Vec::new(), next: None };
        let (Ok(who), Some(query)) = (self.desk.visitor().who().await, self.wanted.query()) else {
            return Ok(nothing);
        };
        self.desk.rooms().feeds.feeds.letters(&who, &LetterQuery { after, ..query }).await
    }

    async fn begin(&mut self) -> Result<(), FeedError> {
        self.rows.begin(self.read(None).await?);
        Ok(())
    }

    async fn begin_again(&mut self, cx: &mut Ctx<'_, Self>) {
        self.busy = false;
        tell(self.begin().await, cx);
    }

    async fn all(&mut self, discard: bool, cx: &mut Ctx<'_, Self>) {
        let (Some(who), Some(query)) = (self.desk.who(cx).await, self.wanted.query()) else { return };
        let (rooms, stop) = (self.desk.rooms().feeds.clone(), CancellationToken::new());
        self.busy = true;
        if discard {
            let drop_them = async move { discard_all(&rooms, &who, &query, &stop).await };
            cx.start_async("all", drop_them, Info::Discarded);
        } else {
            let retry = async move { retry_all(&rooms, &who, &query, &stop).await };
            cx.start_async("all", retry, Info::Retried);
        }
    }
}

impl LiveView for Letters {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Info;

    async fn mount(_: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Feeds, cx, Info::News).await?;
        cx.set_title("Dead letters");
        let rows = Roll::new(cx.stream("letters", |letter: &Letter| format!("letter-{}", letter.id)));
        Ok(Self { desk, wanted: Wanted::default(), rows, busy: false })
    }

    async fn handle_params(&mut self, wanted: Wanted, _: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        if wanted.query().is_none() {
            return Err(Halt::NOT_FOUND);
        }
        self.wanted = wanted;
        self.begin().await.map_err(halt)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::More => {
                let Some(next) = self.rows.next() else { return };
                if let Some(page) = tell(self.read(Some(next)).await, cx) {
                    self.rows.go_on(page);
                }
            }
            Event::Look(wanted) => cx.push_patch(wanted.path()),
            Event::Retry if !self.busy => self.all(false, cx).await,
            Event::Discard if !self.busy => self.all(true, cx).await,
            Event::Retry | Event::Discard => {}
        }
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => return self.desk.heard(&news).await,
            Info::Retried(work) => {
                if let Some(Retried { done, still, .. }) = ended(work, cx) {
                    cx.put_flash("info", format!("{done} done, {still} still can't be used."));
                }
            }
            Info::Discarded(work) => {
                if let Some(dropped) = ended(work, cx) {
                    cx.put_flash("info", format!("{dropped} dropped."));
                }
            }
        }
        self.begin_again(cx).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let states: Vec<_> = [("", "Open"), ("replayed", "Replayed"), ("discarded", "Dropped")].into();
        let mut reasons = vec![("", "All")];
        reasons.extend(Reason::ALL.map(|one| (one.name(), reason(one))));
        let Wanted { state, reason, source } = &self.wanted;
        let offered = self.wanted.is_open() && !self.rows.is_empty();
        let content = html! {
            <div class="row apart">
                <h1>Dead letters</h1>
                <div class="row" hidden={!offered}>
                    <button class="btn" id="retry-all" type="button" phx-click="retry" disabled={self.busy}>{if self.busy { "At work…" } else { "Try all of these again" }}</button>
                    <button class="btn quiet" id="discard-all" type="button" phx-click="discard" disabled={self.busy} data-confirm="Drop all of these? What they say is not done.">Drop them</button>
                </div>
            </div>
            <form id="look" class="row" role="search" aria-label="Dead letters" phx-change="look" phx-submit="look">
                <Choice field={filter("state", state)} label="State" options={&states}/>
                <Choice field={filter("reason", reason)} label="Reason" options={&reasons}/>
                <div class="field">
                    <label for="source">Source</label>
                    <input id="source" type="search" name="source" value={source.as_str()} placeholder="acme" maxlength="60" autocomplete="off" phx-debounce="300"/>
                </div>
            </form>
            {self.rows.is_empty().then(|| html! { <p class="soft">There is no such letter.</p> })}
            <table class="cards sheet" hidden={self.rows.is_empty()}>
                <thead><tr><th scope="col">Letter</th><th scope="col">Buried</th><th scope="col">Feed</th><th scope="col">Where</th><th scope="col">What is wrong</th><th scope="col" class="num">Tries</th></tr></thead>
                <tbody id="letters" phx-update="stream" phx-viewport-bottom={self.rows.more()}>
                    {self.rows.render(row)}
                </tbody>
            </table>
        };
        self.desk.around(page, content)
    }
}

/// Where a row stands, in words.
pub(super) fn place(letter: &Letter) -> String {
    match letter.place.line {
        0 => format!("message {}", letter.place.row),
        line => format!("row {}, line {line}", letter.place.row),
    }
}

fn row(id: &str, letter: &Letter) -> Rendered {
    let first = letter.faults.first();
    let field = first.map_or("", |fault| fault.field.as_ref());
    let words = first.map_or("", |fault| fault.words.as_str());
    let more = letter.faults.len().saturating_sub(1);
    html! {
        <tr id={id}>
            <td data-label="Letter">{Go { to: LocalPath::of("/office/letters").segment(letter.id), text: &letter.id.to_string(), class: "" }.render()}</td>
            <td data-label="Buried"><Time id={format!("{id}-at").into()} at={letter.buried_at}/></td>
            <td data-label="Feed"><span>{&letter.source}" "<span class="soft small">{&letter.name}</span></span></td>
            <td data-label="Where">{place(letter)}</td>
            <td data-label="What is wrong"><span><span class="tag bad">{reason(letter.reason)}</span>" "<strong>{field}</strong>" "{words}{(more > 0).then(|| html! { <span class="soft small">" and "{more}" more"</span> })}</span></td>
            <td data-label="Tries" class="num">{letter.tries}</td>
        </tr>
    }
}
