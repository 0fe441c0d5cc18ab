//! The feeds of suppliers and partners, as they come in, and how many rows wait for a person.
//!
//! **Invariant.** What is shown is read from its owner once a second while the page is open, whoever feeds: this program, a
//! command beside it, another node.

use std::sync::Arc;
use std::time::Duration;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, each, html};
use pulse_data::feeds::{Feed, FeedQuery, FeedState, LetterCount};

use super::super::parts::{Time, grouped};
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, tell};
use super::imports::{reason as import_reason, to_imports};
use super::letters::{reason, to_letters};
use crate::error::ApiError;
use crate::news::News;

/// Feeds that are shown: those of which something became last.
const SHOWN: u32 = 50;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {}

pub(crate) enum Info {
    News(Arc<News>),
    Look,
}

pub(crate) struct Feeds {
    desk: Desk,
    shown: Vec<Feed>,
    letters: Vec<LetterCount>,
    /// Open dead letters of replays, by reason.
    imports: Vec<(String, u64)>,
}

/// A state in words, and the kind of its tag.
pub(super) const fn state(state: FeedState) -> (&'static str, &'static str) {
    match state {
        FeedState::Waiting => ("Waits", ""),
        FeedState::Running => ("Running", "warn"),
        FeedState::Done => ("Done", "good"),
        FeedState::Refused => ("Refused", "bad"),
    }
}

impl Feeds {
    async fn read(&mut self) -> Result<(), ApiError> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        let (feeds, imports) = (&self.desk.rooms().feeds.feeds, &self.desk.rooms().imports);
        let query = FeedQuery { limit: SHOWN, ..FeedQuery::default() };
        let (found, letters) = tokio::try_join!(feeds.list(&who, &query), feeds.letter_counts(&who))?;
        self.imports = imports.open_letters(&who).await?;
        (self.shown, self.letters) = (found.items, letters);
        Ok(())
    }
}

impl LiveView for Feeds {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Info;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Feeds, cx, Info::News).await?;
        cx.set_title("Feeds");
        let _ = cx.send_interval(LOOK, || Info::Look);
        let mut view = Self { desk, shown: Vec::new(), letters: Vec::new(), imports: Vec::new() };
        view.read().await.map_err(halt)?;
        Ok(view)
    }

    async fn handle_event(&mut self, event: Event, _: &mut Ctx<'_, Self>) {
        match event {}
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => self.desk.heard(&news).await,
            Info::Look => {
                if self.desk.who(cx).await.is_some() {
                    tell(self.read().await, cx);
                }
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let content = html! {
            <h1>Feeds</h1>
            {Waiting { counts: &self.letters }.render()}
            {(!self.imports.is_empty()).then(|| Replayed { counts: &self.imports }.render())}
            {self.shown.is_empty().then(|| html! { <p class="soft">"Nothing was fed yet. "<code>pulse ingest prices.csv</code>" feeds a file, programs post to "<code>/api/v1/feeds/prices</code>"."</p> })}
            <table class="cards sheet" hidden={self.shown.is_empty()}>
                <thead><tr><th scope="col">Feed</th><th scope="col">Source</th><th scope="col">Last</th><th scope="col">State</th><th scope="col" class="num">Rows</th><th scope="col" class="num">Changed</th><th scope="col" class="num">Dead</th></tr></thead>
                <tbody id="feeds">{each(&self.shown, |feed| feed.id, row)}</tbody>
            </table>
        };
        self.desk.around(page, content)
    }
}

fn row(feed: &Feed) -> Rendered {
    let (word, kind) = state(feed.state);
    let dead = grouped(feed.counts.dead);
    let letters = to_letters(None, Some(&feed.source));
    html! {
        <tr id={format!("feed-{}", feed.id)}>
            <td data-label="Feed"><div><strong>{feed.kind.name()}</strong>" "<span class="soft small">{&feed.name}</span>{feed.why.as_ref().map(|why| html! { <p class="small">{why}</p> })}</div></td>
            <td data-label="Source">{&feed.source}</td>
            <td data-label="Last"><Time id={format!("feed-{}-at", feed.id).into()} at={feed.touched_at}/></td>
            <td data-label="State"><span class={("tag", kind)}>{word}</span></td>
            <td data-label="Rows" class="num">{grouped(feed.counts.rows())}</td>
            <td data-label="Changed" class="num">{grouped(feed.counts.changed)}</td>
            <td data-label="Dead" class="num">{if feed.counts.dead == 0 { html! { {dead} } } else { Go { to: letters, text: &dead, class: "" }.render() }}</td>
        </tr>
    }
}

/// How many dead letters wait, by source and reason.
struct Waiting<'a> {
    counts: &'a [LetterCount],
}

impl Component for Waiting<'_> {
    fn render(self) -> Rendered {
        let all: u64 = self.counts.iter().map(|count| count.letters).sum();
        let path = |count: &LetterCount| to_letters(Some(count.reason), Some(&count.source));
        html! {
            <section class="sheet stack" aria-labelledby="dead-title">
                <div class="row apart"><h2 id="dead-title">Dead letters</h2>{Go { to: LocalPath::of("/office/letters"), text: "Look at them", class: "btn quiet small" }.render()}</div>
                <p id="dead" role="status">{if all == 0 { "Every row could be used.".to_owned() } else { format!("{} rows wait for somebody.", grouped(all)) }}</p>
                <ul class="plain row" id="reasons" hidden={all == 0}>
                    {each(self.counts, |count| format!("{} {}", count.source, count.reason.name()), |count| {
                        let text = format!("{}: {} {}", count.source, grouped(count.letters), reason(count.reason));
                        html! { <li>{Go { to: path(count), text: &text, class: "tag warn" }.render()}</li> }
                    })}
                </ul>
            </section>
        }
    }
}

/// How many dead letters of replays nobody has looked at, by reason.
struct Replayed<'a> {
    counts: &'a [(String, u64)],
}

impl Component for Replayed<'_> {
    fn render(self) -> Rendered {
        let all: u64 = self.counts.iter().map(|(_, letters)| letters).sum();
        html! {
            <section class="sheet stack" aria-labelledby="replayed-title">
                <div class="row apart"><h2 id="replayed-title">Dead letters of replays</h2>{Go { to: LocalPath::of("/office/imports"), text: "Look at these", class: "btn quiet small" }.render()}</div>
                <p id="replayed" role="status">{format!("{} rows of old books wait for somebody.", grouped(all))}</p>
                <ul class="plain row" id="import-reasons">
                    {each(self.counts, |(name, _)| name.clone(), |(name, letters)| {
                        let text = format!("{} {}", grouped(*letters), import_reason(name));
                        html! { <li>{Go { to: to_imports(name), text: &text, class: "tag warn" }.render()}</li> }
                    })}
                </ul>
            </section>
        }
    }
}
