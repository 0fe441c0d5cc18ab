//! The background jobs: what waits, runs and has failed, newest first.
//!
//! **Invariant.** The address says what is shown. It is read again every two seconds: jobs move on without telling pages.
//! What is done to many at once is asked for twice.

use std::sync::Arc;
use std::time::Duration;

use jobs::{Filter, JobId, State, Stored};
use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, each, html};
use pulse_core::Timestamp;
use pulse_data::background::{BackgroundError, MOST_AT_ONCE, Mend, QueueRow};
use serde::Deserialize;

use super::super::parts::{Choice, Time, filter, grouped};
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, said};
use super::queues::queues_path;
use crate::news::News;

/// Jobs that are shown at a time.
const PAGE: u32 = 50;

/// How often they are read again.
const LOOK: Duration = Duration::from_secs(2);

/// What the address says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    state: String,
    queue: String,
    worker: String,
    /// Only jobs before this one.
    before: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Another filter.
    Look(Wanted),
    /// Something is to be done to all jobs of the filter: is that meant?
    Ask { what: What },
    /// It is.
    Sure,
    /// It is not.
    Never,
}

/// What can be done to all jobs of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    Retry,
    Cancel,
}

impl What {
    const fn mend(self) -> Mend {
        match self {
            Self::Retry => Mend::Retry,
            Self::Cancel => Mend::Cancel,
        }
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Retry => ("Run all of these again?", "Run them again"),
            Self::Cancel => ("Cancel all of these?", "Cancel them"),
        }
    }
}

pub(crate) enum Info {
    News(Arc<News>),
    Look,
}

pub(crate) struct Jobs {
    desk: Desk,
    wanted: Wanted,
    shown: Vec<Stored>,
    next: Option<JobId>,
    queues: Vec<QueueRow>,
    asked: Option<What>,
}

/// Where the office shows a job.
pub(super) fn job_path(id: JobId) -> LocalPath {
    LocalPath::of("/office/jobs").segment(id)
}

/// A state in words, and the kind of its tag.
pub(super) const fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Scheduled => ("Scheduled", ""),
        State::Available => ("Waits", ""),
        State::Executing => ("Runs", "good"),
        State::Retryable => ("Failed, runs again", "warn"),
        State::Completed => ("Done", "good"),
        State::Discarded => ("Given up", "bad"),
        State::Cancelled => ("Cancelled", "bad"),
    }
}

/// The tag of a state.
pub(super) struct StateTag(pub(super) State);

impl Component for StateTag {
    fn render(self) -> Rendered {
        let (word, kind) = state(self.0);
        html! { <span class={("tag", kind)}>{word}</span> }
    }
}

impl Wanted {
    fn filter(&self) -> Result<Filter, Halt> {
        let filled = |text: &String| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let state = match self.state.as_str() {
            "" => None,
            name => Some(State::from_name(name).ok_or(Halt::NOT_FOUND)?),
        };
        Ok(Filter { state, queue: filled(&self.queue), worker: filled(&self.worker), text: None })
    }

    fn before(&self) -> Result<Option<JobId>, Halt> {
        if self.before.is_empty() {
            return Ok(None);
        }
        self.before.parse().map(|id| Some(JobId(id))).map_err(|_| Halt::NOT_FOUND)
    }

    fn path(&self, before: Option<JobId>) -> LocalPath {
        let all = [("state", &self.state), ("queue", &self.queue), ("worker", &self.worker)];
        let filled = all.into_iter().filter(|(_, text)| !text.trim().is_empty());
        let path =
            filled.fold(LocalPath::of("/office/jobs"), |path, (name, text)| path.query(name, text.trim()));
        before.into_iter().fold(path, |path, id| path.query("before", id))
    }
}

impl Jobs {
    async fn read(&mut self) -> Result<(), Halt> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        let background = &self.desk.rooms().background;
        let (filter, before) = (self.wanted.filter()?, self.wanted.before()?);
        let page = background.list(&who, &filter, before, PAGE).await.map_err(halt)?;
        self.queues = background.queues(&who).await.map_err(halt)?;
        (self.shown, self.next) = (page.jobs, page.next);
        Ok(())
    }

    async fn mend(&mut self, what: What, cx: &mut Ctx<'_, Self>) -> Result<(), BackgroundError> {
        let Some(who) = self.desk.who(cx).await else { return Ok(()) };
        let Ok(filter) = self.wanted.filter() else { return Ok(()) };
        let mended = self.desk.rooms().background.mend_all(&who, &filter, what.mend()).await?;
        let done = match what {
            What::Retry => format!("{} jobs run again.", grouped(mended)),
            What::Cancel => format!("{} jobs are cancelled.", grouped(mended)),
        };
        cx.put_flash("info", done);
        Ok(())
    }
}

impl LiveView for Jobs {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Info;

    async fn mount(_: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Jobs, cx, Info::News).await?;
        cx.set_title("Jobs");
        let _ = cx.send_interval(LOOK, || Info::Look);
        let wanted = Wanted::default();
        Ok(Self { desk, wanted, shown: Vec::new(), next: None, queues: Vec::new(), asked: None })
    }

    async fn handle_params(&mut self, wanted: Wanted, _: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        (self.wanted, self.asked) = (wanted, None);
        self.read().await
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Look(wanted) => cx.push_patch(wanted.path(None)),
            Event::Ask { what } => self.asked = Some(what),
            Event::Never => self.asked = None,
            Event::Sure => {
                if let Some(what) = self.asked.take()
                    && let Err(error) = self.mend(what, cx).await
                {
                    cx.put_flash("error", said(error));
                }
                let _ = self.read().await;
            }
        }
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => self.desk.heard(&news).await,
            Info::Look => {
                if self.desk.who(cx).await.is_some() && self.read().await.is_err() {
                    cx.put_flash("error", "The jobs can't be read at the moment.");
                }
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let content = html! {
            <div class="row apart">
                <h1>Jobs</h1>
                <Go to={queues_path()} text="Queues and schedule" class="btn quiet"/>
            </div>
            {self.counts()}
            {self.filters()}
            {self.all_of_them()}
            {self.shown.is_empty().then(|| html! { <p class="soft">There is no such job.</p> })}
            <table class="cards sheet" hidden={self.shown.is_empty()}>
                <thead><tr><th scope="col">Job</th><th scope="col">Worker</th><th scope="col">Queue</th><th scope="col">State</th><th scope="col" class="num">Attempts</th><th scope="col">Due</th></tr></thead>
                <tbody id="jobs">{each(&self.shown, |job| job.id.0, row)}</tbody>
            </table>
            <div class="row apart">
                {(!self.wanted.before.is_empty()).then(|| html! { <Go to={self.wanted.path(None)} text="Newest" class="btn quiet"/> })}
                {self.next.map(|next| html! { <Go to={self.wanted.path(Some(next))} text="Older" class="btn quiet"/> })}
            </div>
        };
        self.desk.around(page, content)
    }
}

impl Jobs {
    /// How many jobs stand where, in all queues.
    fn counts(&self) -> Rendered {
        let sum = |wanted: State| -> u64 {
            let of_queue =
                |row: &QueueRow| row.counts.iter().find(|(at, _)| *at == wanted).map_or(0, |(_, n)| *n);
            self.queues.iter().map(of_queue).sum::<i64>().max(0).unsigned_abs()
        };
        html! {
            <ul id="counts" class="row plain">
                {each(State::ALL, |state| state.name(), |one| {
                    let (word, kind) = state(one);
                    let count = sum(one);
                    html! { <li><span class={("tag", (count > 0).then_some(kind))}>{word}" "{grouped(count)}</span></li> }
                })}
            </ul>
        }
    }

    fn filters(&self) -> Rendered {
        let Wanted { state: chosen, queue, worker, .. } = &self.wanted;
        let mut states = vec![("", "All")];
        states.extend(State::ALL.map(|one| (one.name(), state(one).0)));
        let mut queues = vec![("", "All")];
        queues.extend(self.queues.iter().map(|row| (row.name.as_str(), row.name.as_str())));
        html! {
            <form id="look" class="row" role="search" aria-label="Jobs" phx-change="look" phx-submit="look">
                <Choice field={filter("state", chosen)} label="State" options={&states}/>
                <Choice field={filter("queue", queue)} label="Queue" options={&queues}/>
                <div class="field">
                    <label for="worker">Worker</label>
                    <input id="worker" type="search" name="worker" value={worker.as_str()} placeholder="mail.send" maxlength="100" autocomplete="off" phx-debounce="300"/>
                </div>
            </form>
        }
    }

    /// What can be done to all jobs of the filter.
    fn all_of_them(&self) -> Rendered {
        let Some(what) = self.asked else {
            return html! {
                <div class="row">
                    <button class="btn quiet" type="button" phx-click="ask" phx-value-what="retry">Run all of these again</button>
                    <button class="btn quiet" type="button" phx-click="ask" phx-value-what="cancel">Cancel all of these</button>
                </div>
            };
        };
        let (question, yes) = what.words();
        html! {
            <div id="sure" class="sheet row apart" role="alertdialog" aria-label={question}>
                <p>{question}" At most "{grouped(MOST_AT_ONCE as u64)}", the newest, with which it can be done."</p>
                <div class="row">
                    <button class="btn danger" type="button" phx-click="sure" phx-disable-with="One moment…">{yes}</button>
                    <button class="btn quiet" type="button" phx-click="never">No</button>
                </div>
            </div>
        }
    }
}

fn row(job: &Stored) -> Rendered {
    html! {
        <tr>
            <td data-label="Job"><Go to={job_path(job.id)} text={&job.id.to_string()} class=""/></td>
            <td data-label="Worker">{&job.worker}</td>
            <td data-label="Queue">{&job.queue}</td>
            <td data-label="State">{StateTag(job.state).render()}</td>
            <td data-label="Attempts" class="num">{job.attempt}" of "{job.max_attempts}</td>
            <td data-label="Due"><Time id={format!("due-{}", job.id).into()} at={Timestamp(job.scheduled_at)}/></td>
        </tr>
    }
}
