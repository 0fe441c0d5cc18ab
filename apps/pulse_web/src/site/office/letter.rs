//! One dead letter: the row as it was sent, everything that is wrong with it, and a place to mend it.
//!
//! **Invariant.** What is sent again is what stands in the field, read by the rules of the letter's own feed; it is done once.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, LocalPath, Page, Params, Rendered, each, html};
use pulse_data::feeds::{FeedError, Letter as Row, LetterState, MOST_PAYLOAD};
use pulse_ingest::feed::retry;
use serde::Deserialize;

use super::super::parts::{Time, sent};
use super::super::visitor::Visitor;
use super::desk::{Desk, Tab, halt, said};
use super::letters::{place, reason};
use crate::news::News;

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The row is being mended.
    Typed(Params),
    /// Try it as it stands in the field.
    Retry(Params),
    /// Drop it.
    Discard,
}

pub(crate) struct Letter {
    desk: Desk,
    row: Row,
    /// The header of its feed, where that has one.
    header: Vec<String>,
    form: Form,
}

/// The row as people can read it: bytes that are no UTF-8 are replaced, and it says so.
fn readable(row: &Row) -> (String, bool) {
    let bytes = row.mended.as_deref().unwrap_or(&row.payload);
    let text = String::from_utf8_lossy(bytes);
    let whole = matches!(text, std::borrow::Cow::Borrowed(_));
    (text.replace('\0', "\u{fffd}"), whole && !bytes.contains(&0))
}

fn form(row: &Row) -> Form {
    Form::new("letter").with("text", readable(row).0)
}

impl Letter {
    async fn read_again(&mut self, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        match self.desk.rooms().feeds.feeds.letter(&who, self.row.id).await {
            Ok(row) => self.row = row,
            Err(error) => cx.put_flash("error", said(error)),
        }
    }

    async fn retry(&mut self, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        let typed = self.form.values().at("text").text().replace("\r\n", "\n");
        if typed.len() > MOST_PAYLOAD {
            return self.form.errors.add("text", "is larger than a letter may be");
        }
        let (shown, _) = readable(&self.row);
        // Untouched, it is sent as it came, with the bytes that can't be shown.
        let edited = (typed != shown).then_some(typed.as_str());
        match retry(&self.desk.rooms().feeds, &who, &self.row, edited).await {
            Ok(faults) if faults.is_empty() => cx.put_flash("info", "It is done."),
            Ok(_) => cx.put_flash("error", "It still can't be used: see what is wrong."),
            Err(error) => cx.put_flash("error", said(error)),
        }
        self.read_again(cx).await;
    }

    async fn discard(&mut self, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        match self.desk.rooms().feeds.feeds.discard(&who, &self.row).await {
            Ok(()) => {
                cx.put_flash("info", "It is dropped.");
                cx.push_navigate(LocalPath::of("/office/letters"));
            }
            Err(error) => {
                cx.put_flash("error", said(error));
                self.read_again(cx).await;
            }
        }
    }
}

impl LiveView for Letter {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Feeds, cx, |news| news).await?;
        cx.set_title(format!("Dead letter {}", wanted.id));
        let who = desk.visitor().who().await?;
        let feeds = &desk.rooms().feeds.feeds;
        let found = async {
            let letter = feeds.letter(&who, wanted.id).await?;
            let header = feeds.get(&who, letter.feed).await?.columns;
            Ok::<_, FeedError>((letter, header))
        };
        let (letter, header) = found.await.map_err(halt)?;
        let form = form(&letter);
        Ok(Self { desk, row: letter, header, form })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Typed(typed) => self.form = self.form.clone().typed(&typed),
            Event::Retry(typed) => {
                self.form = self.form.clone().submitted(&typed);
                self.retry(cx).await;
            }
            Event::Discard => self.discard(cx).await,
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.desk.heard(&news).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let row = &self.row;
        let open = row.state == LetterState::Open;
        let content = html! {
            <div class="row"><h1>"Dead letter "{row.id}</h1><span id="state">{Standing { row }.render()}</span></div>
            <div class="columns main-side">
                <div class="stack">
                    {Wrong { row }.render()}
                    {if open { self.mend() } else { self.shown() }}
                </div>
                <aside class="stack" aria-label="About the letter">{About { row }.render()}</aside>
            </div>
        };
        self.desk.around(page, content)
    }
}

impl Letter {
    fn mend(&self) -> Rendered {
        let field = self.form.field("text");
        let (_, whole) = readable(&self.row);
        let wrong = !field.errors.is_empty();
        html! {
            <form id="mend" class="sheet fields" phx-change="typed" phx-submit="retry">
                <h2>The row</h2>
                {(!self.header.is_empty()).then(|| html! { <p class="small"><span class="soft">"Columns: "</span><code id="header">{self.header.join(",")}</code></p> })}
                {(!whole).then(|| html! { <p class="small soft">"It holds bytes that can't be shown; they are replaced here, and sent as they are as long as nothing is changed."</p> })}
                {self.row.cut.then(|| html! { <p class="small soft">"This is only its beginning: write the whole row."</p> })}
                <div class="field">
                    <label for={field.id.as_str()}>As it is sent again</label>
                    <textarea id={field.id.as_str()} name={field.name.as_str()} rows="4" spellcheck="false" phx-debounce="300"
                        aria-invalid={wrong.then_some("true")} data-sent={sent(&field)}>{field.value.as_ref()}</textarea>
                    {wrong.then(|| html! { <p class="error">{field.errors.join("; ")}</p> })}
                </div>
                <div class="row">
                    <button class="btn" type="submit" phx-disable-with="One moment…">Try it again</button>
                    <button class="btn quiet" id="discard" type="button" phx-click="discard" data-confirm="Drop this letter? What it says is not done.">Drop it</button>
                </div>
            </form>
        }
    }

    fn shown(&self) -> Rendered {
        html! {
            <section class="sheet" aria-labelledby="row-title">
                <h2 id="row-title">The row</h2>
                <p><code id="row" class="hash">{readable(&self.row).0}</code></p>
            </section>
        }
    }
}

struct Standing<'a> {
    row: &'a Row,
}

impl Component for Standing<'_> {
    fn render(self) -> Rendered {
        let (word, kind) = match self.row.state {
            LetterState::Open => ("Open", "warn"),
            LetterState::Replayed => ("Replayed", "good"),
            LetterState::Discarded => ("Dropped", ""),
        };
        html! { <span class={("tag", kind)}>{word}</span> }
    }
}

/// Everything that is wrong, as of the last try.
struct Wrong<'a> {
    row: &'a Row,
}

impl Component for Wrong<'_> {
    fn render(self) -> Rendered {
        let faults = self.row.faults.iter().enumerate();
        html! {
            <section class="sheet" aria-labelledby="wrong-title">
                <h2 id="wrong-title">What is wrong</h2>
                <ul id="faults" class="plain stack">
                    {each(faults, |(n, _)| *n, |(_, fault)| {
                        let field = if fault.field.is_empty() { "the row" } else { fault.field.as_ref() };
                        html! { <li><span class="tag bad">{reason(fault.reason)}</span>" "<strong>{field}</strong>" "{&fault.words}</li> }
                    })}
                </ul>
            </section>
        }
    }
}

struct About<'a> {
    row: &'a Row,
}

impl Component for About<'_> {
    fn render(self) -> Rendered {
        let row = self.row;
        html! {
            <section class="sheet stack" aria-labelledby="about-title">
                <h2 id="about-title">Where it is from</h2>
                <p><strong>{&row.source}</strong>" "<span class="soft">{row.kind.name()}</span></p>
                <p class="small">{&row.name}</p>
                <p class="small" id="place">{place(row)}</p>
                <p class="small soft">"Buried "<Time id="buried" at={row.buried_at}/></p>
                {row.tried_at.map(|at| html! { <p class="small soft">{row.tries}" tries, the last "<Time id="tried" at={at}/></p> })}
                {row.closed_by.as_ref().map(|who| html! { <p class="small soft">"Closed by "{who}</p> })}
            </section>
        }
    }
}
