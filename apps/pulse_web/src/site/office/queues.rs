//! The queues of background jobs, and the schedule.
//!
//! **Invariant.** What is set here is set on all nodes and stays set over a restart.

use std::sync::Arc;
use std::time::Duration;

use jobs::{CronRow, State};
use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, each, html};
use pulse_core::Timestamp;
use pulse_data::background::{BackgroundError, QueueChange, QueueRow, WIDEST};
use serde::Deserialize;

use super::super::parts::{Time, grouped};
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, said, tell};
use crate::news::News;

/// How often they are read again.
const LOOK: Duration = Duration::from_secs(2);

/// States that a queue's row counts.
const COUNTED: [(State, &str); 5] = [
    (State::Available, "Wait"),
    (State::Executing, "Run"),
    (State::Retryable, "Failed"),
    (State::Scheduled, "Later"),
    (State::Discarded, "Given up"),
];

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Pause {
        queue: String,
    },
    Resume {
        queue: String,
    },
    /// So many at a time; nothing for what the program says.
    Scale {
        queue: String,
        width: String,
    },
}

pub(crate) enum Info {
    News(Arc<News>),
    Look,
}

pub(crate) struct Queues {
    desk: Desk,
    rows: Vec<QueueRow>,
    crons: Vec<CronRow>,
    now: Timestamp,
}

/// Where they are.
pub(super) fn queues_path() -> LocalPath {
    LocalPath::of("/office/queues")
}

impl Queues {
    async fn read(&mut self) -> Result<(), BackgroundError> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        let rooms = self.desk.rooms();
        self.rows = rooms.background.queues(&who).await?;
        self.crons = rooms.background.crons(&who).await?;
        self.now = rooms.clock.now();
        Ok(())
    }
}

impl LiveView for Queues {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Info;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Jobs, cx, Info::News).await?;
        cx.set_title("Queues");
        let _ = cx.send_interval(LOOK, || Info::Look);
        let mut view = Self { desk, rows: Vec::new(), crons: Vec::new(), now: Timestamp(0) };
        view.read().await.map_err(halt)?;
        Ok(view)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        let (queue, change, done) = match event {
            Event::Pause { queue } => (queue, QueueChange::Pause, "It is paused. What runs goes on."),
            Event::Resume { queue } => (queue, QueueChange::Resume, "It is served again."),
            Event::Scale { queue, width } => match width.trim() {
                "" => (queue, QueueChange::Width(None), "It is as wide as the program says."),
                text => match text.parse() {
                    Ok(width) => (queue, QueueChange::Width(Some(width)), "It is scaled."),
                    Err(_) => return cx.put_flash("error", "That is no number of jobs."),
                },
            },
        };
        let Some(who) = self.desk.who(cx).await else { return };
        match self.desk.rooms().background.set_queue(&who, &queue, change).await {
            Ok(()) => cx.put_flash("info", done),
            Err(error) => cx.put_flash("error", said(error)),
        }
        let _ = self.read().await;
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
            <div class="row apart">
                <h1>Queues</h1>
                <Go to={LocalPath::of("/office/jobs")} text="All jobs" class="btn quiet"/>
            </div>
            <ul id="queues" class="stack plain">
                {each(&self.rows, |row| row.name.clone(), |row| Queue { row, now: self.now }.render())}
            </ul>
            <section class="stack" aria-labelledby="schedule-title">
                <h2 id="schedule-title">Schedule</h2>
                {self.crons.is_empty().then(|| html! { <p class="soft">Nothing is done at fixed times.</p> })}
                <table class="cards sheet" hidden={self.crons.is_empty()}>
                    <thead><tr><th scope="col">What</th><th scope="col">When</th><th scope="col">By the clock of</th><th scope="col">Last</th></tr></thead>
                    <tbody id="schedule">{each(&self.crons, |cron| cron.name.clone(), |cron| html! {
                        <tr>
                            <td data-label="What"><Go to={LocalPath::of("/office/jobs").query("worker", &cron.name)} text={&cron.name} class=""/></td>
                            <td data-label="When"><code>{&cron.expression}</code></td>
                            <td data-label="By the clock of">{&cron.zone}</td>
                            <td data-label="Last"><Time id={format!("tick-{}", cron.name.replace('.', "-")).into()} at={Timestamp(cron.last_tick)}/></td>
                        </tr>
                    })}</tbody>
                </table>
            </section>
        };
        self.desk.around(page, content)
    }
}

struct Queue<'a> {
    row: &'a QueueRow,
    now: Timestamp,
}

impl Component for Queue<'_> {
    fn render(self) -> Rendered {
        let Self { row, now } = self;
        let name = row.name.as_str();
        let count = |wanted: State| -> u64 {
            let found = row.counts.iter().find(|(state, _)| *state == wanted);
            found.map_or(0, |(_, jobs)| jobs.max(&0).unsigned_abs())
        };
        let oldest = row.oldest_available.map(|since| now.0.saturating_sub(since).max(0) / 1_000);
        let (width_id, width) = (format!("width-{name}"), row.per_node.map(|width| width.to_string()));
        html! {
            <li class="sheet stack" id={format!("queue-{name}")}>
                <div class="row apart">
                    <h2><Go to={LocalPath::of("/office/jobs").query("queue", name)} text={name} class=""/></h2>
                    {row.paused.then(|| html! { <span class="tag warn">Paused</span> })}
                </div>
                <dl class="row">
                    {each(COUNTED, |(state, _)| state.name(), |(state, word)| html! {
                        <div><dt class="soft small">{word}</dt><dd class="num">{grouped(count(state))}</dd></div>
                    })}
                    <div><dt class="soft small">Oldest waits</dt><dd class="num">{oldest.map_or_else(|| "none".to_owned(), age)}</dd></div>
                </dl>
                <form class="row" id={format!("scale-{name}")} phx-submit="scale">
                    <input type="hidden" name="queue" value={name}/>
                    <div class="field">
                        <label for={width_id.as_str()}>"At a time on each node"<span class="sr">" in "{name}</span></label>
                        <input id={width_id.as_str()} type="number" name="width" min="1" max={WIDEST} value={width} placeholder="as started" inputmode="numeric" autocomplete="off"/>
                    </div>
                    <button class="btn quiet" type="submit">Scale<span class="sr">" "{name}</span></button>
                    {if row.paused {
                        html! { <button class="btn" type="button" phx-click="resume" phx-value-queue={name}>Resume<span class="sr">" "{name}</span></button> }
                    } else {
                        html! { <button class="btn quiet" type="button" phx-click="pause" phx-value-queue={name}>Pause<span class="sr">" "{name}</span></button> }
                    }}
                </form>
            </li>
        }
    }
}

/// Seconds in words: `45 s`, `12 min`, `3 h`.
fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200.. => format!("{} h", seconds / 3_600),
    }
}
