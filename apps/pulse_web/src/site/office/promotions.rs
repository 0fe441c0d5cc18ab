//! The list of promotions: what each does, and whether it does so now.
//!
//! **Invariant.** Whether a promotion runs is told by its times and the shop's clock, on an open page too.

use std::sync::Arc;
use std::time::Duration;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, each, html};
use pulse_core::Timestamp;
use pulse_data::catalog::{CatalogError, StoredPromotion};
use serde::Deserialize;

use super::super::parts::Time;
use super::super::shop::deals;
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, said};
use crate::news::{News, Topic};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// It ends now.
    End { code: String },
}

pub(crate) enum Info {
    News(Arc<News>),
    /// A promotion begins or ends.
    Turn,
}

pub(crate) struct Promotions {
    desk: Desk,
    all: Vec<StoredPromotion>,
    now: Timestamp,
}

/// Where a promotion is in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Off,
    Planned,
    Running,
    Ended,
}

impl Stage {
    pub(super) fn of(stored: &StoredPromotion, now: Timestamp) -> Self {
        match (stored.starts_at, stored.ends_at) {
            _ if !stored.active => Self::Off,
            (_, Some(end)) if end <= now => Self::Ended,
            (Some(start), _) if start > now => Self::Planned,
            _ => Self::Running,
        }
    }

    /// In words, with the kind of its tag.
    const fn says(self) -> (&'static str, &'static str) {
        match self {
            Self::Off => ("Off", "bad"),
            Self::Planned => ("Planned", "warn"),
            Self::Running => ("Running", "good"),
            Self::Ended => ("Ended", ""),
        }
    }
}

/// The promotion with its end at `now`; one that has not begun is switched off.
pub(super) fn ended(stored: &StoredPromotion, now: Timestamp) -> StoredPromotion {
    let begun = stored.starts_at.is_none_or(|start| start < now);
    let (active, ends_at) = if begun { (stored.active, Some(now)) } else { (false, stored.ends_at) };
    StoredPromotion { active, ends_at, ..stored.clone() }
}

/// Where a promotion is edited.
pub(super) fn promotion_path(code: &str) -> LocalPath {
    LocalPath::of("/office/promotions").segment(code)
}

impl Promotions {
    async fn read(&mut self, cx: &mut Ctx<'_, Self>) -> Result<(), CatalogError> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        self.all = self.desk.rooms().catalog.promotions(&who).await?;
        self.turn(cx);
        Ok(())
    }

    /// Looks at the clock, and again when the next promotion begins or ends.
    fn turn(&mut self, cx: &Ctx<'_, Self>) {
        self.now = self.desk.rooms().clock.now();
        let times = self.all.iter().flat_map(|stored| [stored.starts_at, stored.ends_at]).flatten();
        if let Some(next) = times.filter(|at| *at > self.now).min() {
            let left = Duration::from_millis(next.0.saturating_sub(self.now.0).unsigned_abs());
            let _ = cx.send_after(left.min(Duration::from_hours(24)), Info::Turn);
        }
    }

    async fn end(&mut self, code: &str, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        let Some(stored) = self.all.iter().find(|stored| stored.promotion.code == code) else { return };
        let ended = ended(stored, self.desk.rooms().clock.now());
        match self.desk.rooms().catalog.put_promotion(&who, ended).await {
            Ok(()) => {
                self.desk.visitor().state().promotions_changed();
                cx.put_flash("info", format!("{code} has ended."));
            }
            Err(error) => cx.put_flash("error", said(error)),
        }
        if let Err(error) = self.read(cx).await {
            cx.put_flash("error", said(error));
        }
    }
}

impl LiveView for Promotions {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Info;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Promotions, cx, Info::News).await?;
        cx.set_title("Promotions");
        cx.subscribe(desk.rooms().bus.topics(), Topic::Promotions, Info::News);
        let mut view = Self { desk, all: Vec::new(), now: Timestamp(0) };
        view.read(cx).await.map_err(halt)?;
        Ok(view)
    }

    async fn handle_event(&mut self, Event::End { code }: Event, cx: &mut Ctx<'_, Self>) {
        self.end(&code, cx).await;
    }

    async fn handle_info(&mut self, info: Info, cx: &mut Ctx<'_, Self>) {
        match info {
            Info::Turn => self.turn(cx),
            Info::News(news) if *news == News::Promotions => {
                if let Err(error) = self.read(cx).await {
                    cx.put_flash("error", said(error));
                }
            }
            Info::News(news) => self.desk.heard(&news).await,
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let content = html! {
            <div class="row apart">
                <h1>Promotions</h1>
                <Go to={LocalPath::of("/office/new-promotion")} text="New promotion" class="btn"/>
            </div>
            {self.all.is_empty().then(|| html! { <p class="soft">There is none yet.</p> })}
            <table class="cards sheet" hidden={self.all.is_empty()}>
                <thead><tr><th scope="col">Code</th><th scope="col">What it does</th><th scope="col">State</th><th scope="col">From</th><th scope="col">Until</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
                <tbody id="promotions">{each(&self.all, |stored| stored.promotion.code.clone(), |stored| self.row(stored))}</tbody>
            </table>
        };
        self.desk.around(page, content)
    }
}

impl Promotions {
    fn row(&self, stored: &StoredPromotion) -> Rendered {
        let code = stored.promotion.code.as_str();
        let stage = Stage::of(stored, self.now);
        let (word, kind) = stage.says();
        let time = |of: &str, at: Option<Timestamp>| {
            at.map(|at| Time { id: format!("{of}-{code}").into(), at }.render())
        };
        html! {
            <tr>
                <td data-label="Code"><Go to={promotion_path(code)} text={code} class=""/></td>
                <td data-label="What it does">{deals::says_of(&stored.promotion.rule)}</td>
                <td data-label="State"><span class={("tag", kind)}>{word}</span></td>
                <td data-label="From">{time("from", stored.starts_at).unwrap_or_else(|| html! { <span class="soft">always</span> })}</td>
                <td data-label="Until">{time("until", stored.ends_at).unwrap_or_else(|| html! { <span class="soft">open</span> })}</td>
                <td class="bare num">{matches!(stage, Stage::Running | Stage::Planned).then(|| html! {
                    <button class="btn small danger" type="button" phx-click="end" phx-value-code={code} data-confirm={format!("End {code} now?")}>"End"<span class="sr">" " {code} " now"</span></button>
                })}</td>
            </tr>
        }
    }
}

#[cfg(test)]
mod tests {
    use pulse_core::pricing::{Promotion, Rule};

    use super::*;

    fn stored(active: bool, starts_at: Option<i64>, ends_at: Option<i64>) -> StoredPromotion {
        let rule = Rule::Percentage { sku: None, percent: 10 };
        let promotion = Promotion { code: "TEN".to_owned(), rule };
        StoredPromotion {
            promotion,
            active,
            starts_at: starts_at.map(Timestamp),
            ends_at: ends_at.map(Timestamp),
        }
    }

    #[test]
    fn a_promotion_runs_from_its_start_until_just_before_its_end() {
        let stage = |stored: StoredPromotion| Stage::of(&stored, Timestamp(10));
        assert_eq!(stage(stored(true, None, None)), Stage::Running);
        assert_eq!(stage(stored(true, Some(10), Some(11))), Stage::Running);
        assert_eq!(stage(stored(true, Some(11), None)), Stage::Planned);
        assert_eq!(stage(stored(true, Some(1), Some(10))), Stage::Ended);
        assert_eq!(stage(stored(false, None, None)), Stage::Off);
    }

    #[test]
    fn what_is_ended_runs_no_more_and_keeps_its_times_in_order() {
        for before in
            [stored(true, None, None), stored(true, Some(1), Some(99)), stored(true, Some(50), Some(99))]
        {
            let after = ended(&before, Timestamp(10));
            assert!(matches!(Stage::of(&after, Timestamp(10)), Stage::Ended | Stage::Off), "{after:?}");
            assert!(after.starts_at < after.ends_at, "{after:?}");
        }
    }
}
