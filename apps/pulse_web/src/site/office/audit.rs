//! The audit trail, and whether it is whole.
//!
//! **Invariant.** It is read and verified here, never changed. The verification runs beside the page, which stays usable.

use std::sync::Arc;
use std::time::Duration;

use live::html::Component;
use live::{At, Ctx, Halt, LiveView, LocalPath, Page, Rendered, Stream, TaskCrashed, each, html};
use pulse_data::audit::{self, AuditError, AuditQuery, AuditRow, Report, VerifyOptions};
use serde::Deserialize;

use super::super::parts::{Time, grouped};
use super::super::visitor::Visitor;
use super::desk::{Desk, Tab, halt, said};
use crate::news::News;

/// Rows that are read at a time.
const PAGE: u32 = 50;

/// How often new rows are looked for: nobody tells of them.
const LOOK: Duration = Duration::from_secs(3);

/// What the address says: only rows of this one, this action, this thing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    who: String,
    action: String,
    subject: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The end of the list comes into view.
    More,
    /// Another filter.
    Look(Wanted),
    /// Recompute the whole chain.
    Verify,
}

pub(crate) enum Info {
    News(Arc<News>),
    Look,
    Verified(Result<Result<Report, AuditError>, TaskCrashed>),
}

/// What is known of the chain.
enum Chain {
    Unknown,
    Checking,
    Checked(Report),
    Failed(String),
}

pub(crate) struct Audit {
    desk: Desk,
    wanted: Wanted,
    rows: Stream<AuditRow>,
    /// Where older rows go on; none where there are no more.
    before: Option<i64>,
    /// The newest row that is shown.
    top: i64,
    found: usize,
    chain: Chain,
}

impl Wanted {
    fn query(&self, before: Option<i64>) -> AuditQuery {
        let filled = |text: &String| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        AuditQuery {
            subject: filled(&self.subject),
            who: filled(&self.who),
            action: filled(&self.action),
            before,
            limit: PAGE,
        }
    }

    fn path(&self) -> LocalPath {
        let all = [("who", &self.who), ("action", &self.action), ("subject", &self.subject)];
        let filled = all.into_iter().filter(|(_, text)| !text.trim().is_empty());
        filled.fold(LocalPath::of("/office/audit"), |path, (name, text)| path.query(name, text.trim()))
    }
}

impl Audit {
    async fn read(&self, before: Option<i64>) -> Result<Vec<AuditRow>, AuditError> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(Vec::new()) };
        audit::list(&self.desk.rooms().repo, &who, &self.wanted.query(before)).await
    }

    /// Where a page ends that may be the last.
    fn end(rows: &[AuditRow]) -> Option<i64> {
        rows.last().filter(|_| rows.len() >= PAGE as usize).map(|row| row.id)
    }

    async fn begin(&mut self) -> Result<(), AuditError> {
        let rows = self.read(None).await?;
        self.top = rows.first().map_or(0, |row| row.id);
        (self.before, self.found) = (Self::end(&rows), rows.len());
        self.rows.reset(rows);
        Ok(())
    }

    async fn read_on(&mut self) -> Result<(), AuditError> {
        let Some(before) = self.before else { return Ok(()) };
        let rows = self.read(Some(before)).await?;
        (self.before, self.found) = (Self::end(&rows), self.found + rows.len());
        for row in rows {
            self.rows.insert_at(At::End, row);
        }
        Ok(())
    }

    /// New rows at the top; where there are too many, the list begins anew.
    async fn catch_up(&mut self) -> Result<(), AuditError> {
        let rows = self.read(None).await?;
        if rows.last().is_some_and(|last| last.id > self.top) {
            return self.begin().await;
        }
        let top = self.top;
        for row in rows.into_iter().rev().filter(|row| row.id > top) {
            self.top = row.id;
            self.found += 1;
            self.rows.insert_at(At::Start, row);
        }
        Ok(())
    }

    async fn verify(&mut self, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        let (repo, now) = (self.desk.rooms().repo.clone(), self.desk.rooms().clock.now());
        self.chain = Chain::Checking;
        let verify = async move { audit::verify(&repo, &who, now, &VerifyOptions::default()).await };
        cx.start_async("verify", verify, Info::Verified);
    }
}

impl LiveView for Audit {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Info;

    async fn mount(_: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Audit, cx, Info::News).await?;
        cx.set_title("Audit trail");
        let _ = cx.send_interval(LOOK, || Info::Look);
        let rows = cx.stream("trail", |row: &AuditRow| format!("audit-{}", row.id));
        let (wanted, chain) = (Wanted::default(), Chain::Unknown);
        Ok(Self { desk, wanted, rows, before: None, top: 0, found: 0, chain })
    }

    async fn handle_params(&mut self, wanted: Wanted, _: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        self.wanted = wanted;
        self.begin().await.map_err(halt)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::More => {
                if let Err(error) = self.read_on().await {
                    cx.put_flash("error", said(error));
                }
            }
            Event::Look(wanted) => cx.push_patch(wanted.path()),
            Event::Verify => self.verify(cx).await,
        }
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::News(news) => self.desk.heard(&news).await,
            Info::Look => {
                if self.desk.who(cx).await.is_some()
                    && let Err(error) = self.catch_up().await
                {
                    cx.put_flash("error", said(error));
                }
            }
            Info::Verified(answer) => {
                self.chain = match answer {
                    Ok(Ok(report)) => Chain::Checked(report),
                    Ok(Err(error)) => Chain::Failed(said(error)),
                    Err(error) => {
                        tracing::error!(%error, "the audit trail's verification ended without an answer");
                        Chain::Failed("The verification ended without an answer. Try again.".to_owned())
                    }
                };
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let Wanted { who, action, subject } = &self.wanted;
        let checking = matches!(self.chain, Chain::Checking);
        let filters = [
            ("who", "By", "user:7", who),
            ("action", "Action", "order.place", action),
            ("subject", "Of", "order:7", subject),
        ];
        let content = html! {
            <div class="row apart">
                <h1>Audit trail</h1>
                <button class="btn" type="button" phx-click="verify" disabled={checking}>Verify the chain</button>
            </div>
            <div id="chain" role="status">{self.chain()}</div>
            <form id="look" class="row" role="search" aria-label="Audit trail" phx-change="look" phx-submit="look">
                {each(&filters, |(name, ..)| *name, |(name, label, like, value)| html! {
                    <div class="field">
                        <label for={*name}>{*label}</label>
                        <input id={*name} type="search" name={*name} value={value.as_str()} placeholder={*like} maxlength="250" autocomplete="off" phx-debounce="300"/>
                    </div>
                })}
            </form>
            {(self.found == 0).then(|| html! { <p class="soft">There is no such row.</p> })}
            <table class="cards sheet" hidden={self.found == 0}>
                <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">Action</th><th scope="col">Of</th><th scope="col">Details</th><th scope="col" class="num">Seal</th></tr></thead>
                <tbody id="trail" phx-update="stream" phx-viewport-bottom={self.before.is_some().then_some("more")}>
                    {self.rows.render(row)}
                </tbody>
            </table>
        };
        self.desk.around(page, content)
    }
}

impl Audit {
    fn chain(&self) -> Rendered {
        match &self.chain {
            Chain::Unknown => {
                html! { <p class="soft">Each row is sealed with the ones before it. A verification recomputes them all.</p> }
            }
            Chain::Checking => {
                html! { <p><span class="tag">Verifying</span>" The whole chain is being recomputed."</p> }
            }
            Chain::Failed(why) => html! { <p><span class="tag warn">Not verified</span>" "{why}</p> },
            Chain::Checked(report) => Verdict { report }.render(),
        }
    }
}

struct Verdict<'a> {
    report: &'a Report,
}

impl Component for Verdict<'_> {
    fn render(self) -> Rendered {
        let Report { sealed, unsealed, findings, more, head } = self.report;
        let (kind, word) = if findings.is_empty() { ("good", "Whole") } else { ("bad", "Broken") };
        html! {
            <div class="sheet stack">
                <p><span class={("tag", kind)}>{word}</span>" "{grouped(*sealed)}" rows are sealed, "{unsealed}" wait for their seal."</p>
                {(!findings.is_empty()).then(|| html! {
                    <ul id="findings">{each(findings.iter().enumerate(), |(n, _)| *n, |(_, finding)| html! { <li>{finding.to_string()}</li> })}</ul>
                })}
                {(*more > 0).then(|| html! { <p>"And "{grouped(*more)}" more."</p> })}
                {head.as_ref().map(|head| html! { <p class="small">"It ends with row "{head.seal_no}", whose hash is "<code id="head" class="hash">{&head.hash}</code></p> })}
            </div>
        }
    }
}

fn row(id: &str, row: &AuditRow) -> Rendered {
    html! {
        <tr id={id}>
            <td data-label="When"><Time id={format!("{id}-at").into()} at={row.at}/></td>
            <td data-label="Who">{&row.who}</td>
            <td data-label="Action">{&row.action}</td>
            <td data-label="Of">{&row.subject}</td>
            <td data-label="Details"><code class="hash small">{&row.details}</code></td>
            <td data-label="Seal" class="num">{row.seal_no.map_or_else(|| "waits".to_owned(), |n| n.to_string())}</td>
        </tr>
    }
}
