//! One background job: what it was told, what went wrong, and what can be done about it.
//!
//! **Invariant.** It is read again every two seconds until it has ended for good; only what fits where it stands is
//! offered, and the context decides.

use std::sync::Arc;
use std::time::Duration;

use jobs::{JobId, Stored};
use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, each, html};
use pulse_core::Timestamp;
use pulse_data::background::{BackgroundError, Mend};
use serde::Deserialize;

use super::super::parts::Time;
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, said};
use super::jobs::StateTag;
use crate::news::News;

/// How often it is read again.
const LOOK: Duration = Duration::from_secs(2);

/// What the address says.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Wanted {
    id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Retry,
    Cancel,
}

pub(crate) enum Info {
    News(Arc<News>),
    Look,
}

pub(crate) struct Job {
    desk: Desk,
    job: Stored,
}

impl Job {
    async fn read(&mut self) -> Result<(), BackgroundError> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        self.job = self.desk.rooms().background.find(&who, self.job.id).await?;
        Ok(())
    }
}

impl LiveView for Job {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Info;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let who = cx.scope().who().await?;
        let desk = Desk::open(Tab::Jobs, cx, Info::News).await?;
        let job = desk.rooms().background.find(&who, JobId(wanted.id)).await.map_err(halt)?;
        cx.set_title(format!("Job {}", job.id));
        let _ = cx.send_interval(LOOK, || Info::Look);
        Ok(Self { desk, job })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        let (mend, done) = match event {
            Event::Retry => (Mend::Retry, "It runs again."),
            Event::Cancel => (Mend::Cancel, "It is cancelled."),
        };
        match self.desk.rooms().background.mend(&who, self.job.id, mend).await {
            Ok(()) => cx.put_flash("info", done),
            Err(error) => cx.put_flash("error", said(error)),
        }
        let _ = self.read().await;
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => self.desk.heard(&news).await,
            Info::Look => {
                if self.desk.who(cx).await.is_some()
                    && let Err(error) = self.read().await
                {
                    cx.put_flash("error", said(error));
                }
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let job = &self.job;
        let times = [
            ("Enqueued", Some(job.inserted_at)),
            ("Due", Some(job.scheduled_at)),
            ("Last attempt", job.attempted_at),
            ("Ended", job.completed_at),
        ];
        let times: Vec<_> = times.into_iter().filter_map(|(name, at)| Some((name, at?))).collect();
        let content = html! {
            <div class="row apart">
                <h1>"Job "{job.id.to_string()}</h1>
                <div class="row">
                    {Mend::Retry.fits(job.state).then(|| html! { <button class="btn" type="button" phx-click="retry">Run it again</button> })}
                    {Mend::Cancel.fits(job.state).then(|| html! { <button class="btn danger" type="button" phx-click="cancel" data-confirm="Cancel this job?">Cancel it</button> })}
                </div>
            </div>
            <div class="sheet stack">
                <p><span id="state">{StateTag(job.state).render()}</span>" "<Go to={LocalPath::of("/office/jobs").query("worker", &job.worker)} text={&job.worker} class=""/>" in the queue "{&job.queue}", attempt "{job.attempt}" of "{job.max_attempts}</p>
                <dl class="columns">
                    {each(times, |(name, _)| *name, |(name, at)| html! {
                        <div><dt class="soft small">{name}</dt><dd><Time id={format!("at-{}", name.replace(' ', "-")).into()} at={Timestamp(at)}/></dd></div>
                    })}
                </dl>
                {job.node.as_ref().map(|node| html! { <p class="small soft">"Last taken by "{node}</p> })}
                {job.tick.as_ref().map(|(cron, _)| html! { <p class="small soft">"From the schedule: "{cron}</p> })}
            </div>
            <section class="sheet stack" aria-labelledby="args-title">
                <h2 id="args-title">What it was told</h2>
                <pre id="args" class="hash">{&job.args}</pre>
            </section>
            <section class="sheet stack" aria-labelledby="errors-title">
                <h2 id="errors-title">What went wrong</h2>
                {job.errors.is_empty().then(|| html! { <p class="soft">Nothing so far.</p> })}
                <ol id="errors" reversed hidden={job.errors.is_empty()}>
                    {each(job.errors.iter().enumerate().rev(), |(n, _)| *n, |(n, failure)| html! {
                        <li>"Attempt "{failure.attempt}" "<span class="soft small"><Time id={format!("error-{n}").into()} at={Timestamp(failure.at)}/></span>" "<code class="hash small">{&failure.error}</code></li>
                    })}
                </ol>
            </section>
        };
        self.desk.around(page, content)
    }
}
