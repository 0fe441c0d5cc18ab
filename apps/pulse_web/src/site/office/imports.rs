//! Dead letters of replays: rows of old books that made no sense, and what was found about them.
//!
//! **Invariant.** A row is not mended here, for its file is replayed as it is: whoever has looked at one says why it may
//! stay undone, and it is closed under that person's name.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, LocalPath, Page, Params, Rendered, TaskCrashed, html};
use pulse_data::imports::{Closed, ImportError, ImportLetter, ImportLetterQuery, LetterKey};
use pulse_data::page::{Cursor, Page as Found};
use pulse_ingest::retail::Reason;
use serde::Deserialize;

use super::super::parts::{Choice, TextField, Time, filter, grouped};
use super::super::roll::Roll;
use super::super::visitor::Visitor;
use super::desk::{Desk, Tab, ended, halt, said, tell};
use crate::news::News;

/// Letters that are read at a time.
const PAGE: u32 = 50;

/// What the address says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    state: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The end of the list comes into view.
    More,
    /// Another filter.
    Look(Wanted),
    /// The note is being written.
    Note(Params),
    /// Dismiss one, with the note as it stands.
    Dismiss { file: i64, row: u64 },
    /// Dismiss all of them.
    All(Params),
}

pub(crate) enum Info {
    News(Arc<News>),
    Dismissed(Result<Result<u64, ImportError>, TaskCrashed>),
}

pub(crate) struct Imports {
    desk: Desk,
    wanted: Wanted,
    rows: Roll<ImportLetter>,
    note: Form,
    /// All of them are being dismissed.
    busy: bool,
}

/// A stored reason in words.
pub(super) fn reason(name: &str) -> &str {
    match Reason::ALL.into_iter().find(|reason| reason.name() == name) {
        Some(Reason::Malformed) => "unreadable",
        Some(Reason::NoDescription) => "no description",
        Some(Reason::NoPrice) => "no price",
        Some(Reason::PricePrecision) => "parts of a penny",
        Some(Reason::NotGoods) => "no goods",
        Some(Reason::BadReturn) => "takes nothing back",
        Some(Reason::BadQuantity) => "no pieces",
        Some(Reason::Refused) => "no room in its cart",
        None => name,
    }
}

/// The open letters of a reason.
pub(super) fn to_imports(reason: &str) -> LocalPath {
    Wanted { state: String::new(), reason: reason.to_owned() }.path()
}

fn dom_id(key: LetterKey) -> String {
    format!("row-{}-{}", key.file, key.row)
}

fn note() -> Form {
    Form::new("dismissal")
}

impl Wanted {
    fn query(&self) -> Option<ImportLetterQuery> {
        let dismissed = match self.state.as_str() {
            "" => false,
            "dismissed" => true,
            _ => return None,
        };
        let reason = match self.reason.as_str() {
            "" => None,
            name => Some(Reason::ALL.into_iter().find(|reason| reason.name() == name)?.name().to_owned()),
        };
        Some(ImportLetterQuery { reason, dismissed, limit: PAGE, after: None })
    }

    fn path(&self) -> LocalPath {
        let all = [("state", &self.state), ("reason", &self.reason)];
        let filled = all.into_iter().filter(|(_, text)| !text.is_empty());
        filled.fold(LocalPath::of("/office/imports"), |path, (name, text)| path.query(name, text))
    }
}

impl Imports {
    async fn read(&self, after: Option<Cursor>) -> Result<Found<ImportLetter>, ImportError> {
        let (Ok(who), Some(query)) = (self.desk.visitor().who().await, self.wanted.query()) else {
            return Ok(Found { items: Vec::new(), next: None });
        };
        self.desk.rooms().imports.letters(&who, &ImportLetterQuery { after, ..query }).await
    }

    async fn begin(&mut self) -> Result<(), ImportError> {
        self.rows.begin(self.read(None).await?);
        Ok(())
    }

    async fn dismiss(&mut self, key: LetterKey, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        let text = self.note.values().at("note").text().to_owned();
        match self.desk.rooms().imports.dismiss(&who, key, &text).await {
            Ok(()) => self.rows.delete_by_id(dom_id(key)),
            Err(error) => {
                self.refused(error, cx);
                tell(self.begin().await, cx);
            }
        }
    }

    async fn dismiss_all(&mut self, cx: &mut Ctx<'_, Self>) {
        let (Some(who), Some(query)) = (self.desk.who(cx).await, self.wanted.query()) else { return };
        let text = self.note.values().at("note").text().to_owned();
        let imports = self.desk.rooms().imports.clone();
        self.busy = true;
        let all = async move { imports.dismiss_all(&who, &query, &text).await };
        cx.start_async("all", all, Info::Dismissed);
    }

    /// Shows what is wrong with the note beside it; whatever else is told above the page.
    fn refused(&mut self, error: ImportError, page: &mut Page) {
        match error {
            ImportError::Invalid(errors) => {
                self.note = self.note.clone().submitted(&self.note.values().clone());
                errors.0.into_iter().for_each(|error| self.note.errors.add(error.field, error.message));
            }
            error => page.put_flash("error", said(error)),
        }
    }
}

impl LiveView for Imports {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Info;

    async fn mount(_: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Feeds, cx, Info::News).await?;
        cx.set_title("Dead letters of replays");
        let rows = Roll::new(cx.stream("imports", |letter: &ImportLetter| dom_id(letter.key)));
        Ok(Self { desk, wanted: Wanted::default(), rows, note: note(), busy: false })
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
            Event::Note(typed) => self.note = self.note.clone().typed(&typed),
            Event::Dismiss { file, row } => self.dismiss(LetterKey { file, row }, cx).await,
            Event::All(typed) => {
                self.note = self.note.clone().submitted(&typed);
                if !self.busy {
                    self.dismiss_all(cx).await;
                }
            }
        }
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => return self.desk.heard(&news).await,
            Info::Dismissed(Ok(Err(error))) => self.refused(error, cx),
            Info::Dismissed(work) => {
                if let Some(letters) = ended(work, cx) {
                    self.note = note();
                    cx.put_flash("info", format!("{} dismissed.", grouped(letters)));
                }
            }
        }
        self.busy = false;
        tell(self.begin().await, cx);
    }

    fn render(&self, page: &Page) -> Rendered {
        let mut reasons = vec![("", "All")];
        reasons.extend(Reason::ALL.map(|one| (one.name(), reason(one.name()))));
        let Wanted { state, reason } = &self.wanted;
        let (open, none) = (state.is_empty(), self.rows.is_empty());
        let content = html! {
            <h1>Dead letters of replays</h1>
            <p class="soft">Rows of the files that <code>pulse replay</code> read and could not use. They stay in its report, dismissed or not.</p>
            <form id="look" class="row" aria-label="Dead letters" phx-change="look" phx-submit="look">
                <Choice field={filter("state", state)} label="State" options={&[("", "Open"), ("dismissed", "Dismissed")]}/>
                <Choice field={filter("reason", reason)} label="Reason" options={&reasons}/>
            </form>
            <form id="dismissal" class="sheet fields" phx-change="note" phx-submit="all" hidden={!open || none}>
                <TextField field={self.note.field("note")} label="Why they may stay undone" kind="text" autocomplete={Some("off")} hint={Some("Such as: postage is not sold.")} required=false/>
                <div class="row"><button class="btn quiet" type="submit" disabled={self.busy}>{if self.busy { "At work…" } else { "Dismiss all of these" }}</button></div>
            </form>
            {none.then(|| html! { <p class="soft">There is no such letter.</p> })}
            <table class="cards sheet" hidden={none}>
                <thead><tr><th scope="col">File</th><th scope="col" class="num">Row</th><th scope="col">Reason</th><th scope="col">What it says</th><th scope="col">What became of it</th></tr></thead>
                <tbody id="imports" phx-update="stream" phx-viewport-bottom={self.rows.more()}>
                    {self.rows.render(row)}
                </tbody>
            </table>
        };
        self.desk.around(page, content)
    }
}

fn row(id: &str, letter: &ImportLetter) -> Rendered {
    let LetterKey { file, row } = letter.key;
    html! {
        <tr id={id}>
            <td data-label="File">{&letter.name}</td>
            <td data-label="Row" class="num">{grouped(row)}</td>
            <td data-label="Reason"><span class="tag warn">{reason(&letter.letter.reason)}</span></td>
            <td data-label="What it says"><span class="hash">{&letter.letter.payload}</span></td>
            <td data-label="What became of it">{match &letter.closed {
                Some(closed) => Fate { id, closed }.render(),
                None => html! {
                    <button class="btn quiet small" type="button" phx-click="dismiss" phx-value-file={file} phx-value-row={row}>Dismiss<span class="sr">" row "{row}" of "{&letter.name}</span></button>
                },
            }}</td>
        </tr>
    }
}

/// By whom and when a letter was dismissed, and why.
struct Fate<'a> {
    id: &'a str,
    closed: &'a Closed,
}

impl Component for Fate<'_> {
    fn render(self) -> Rendered {
        let Closed { by, at, note } = self.closed;
        html! { <span>{note}" "<span class="soft small">"by "{by}", "<Time id={format!("{}-at", self.id).into()} at={*at}/></span></span> }
    }
}
