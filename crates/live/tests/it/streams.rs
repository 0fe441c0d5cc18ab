//! Streams: orders to the client, each sent once.

use live::testing::{Browser, Tab};
use live::{At, Component, Ctx, Halt, LiveView, Page, Rendered, Stream};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use crate::app::{Like, Services, live, markup};

/// A list, and a component that may stand in one of its lines.
pub(crate) struct Log {
    lines: Stream<(u32, String)>,
    renders: u32,
    like: Component<Like>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Append { n: u32, text: String },
    Prepend { n: u32 },
    Place { n: u32, at: u32 },
    Delete { n: u32 },
    Update { n: u32, text: String },
    Reset,
    Nothing,
    Keep { first: u32 },
    Like { likes: u32 },
}

impl LiveView for Log {
    type Scope = Services;
    type Params = ();
    type Event = Event;
    type Info = Event;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let like = cx.component(Like::of(0));
        let mut lines = cx.stream("lines", |(n, _): &(u32, String)| format!("line-{n}"));
        for n in 1..=3 {
            lines.insert((n, format!("line {n}")));
        }
        Ok(Self { lines, renders: 0, like })
    }

    async fn handle_info(&mut self, info: Event, cx: &mut Ctx<'_, Self>) {
        self.handle_event(info, cx).await;
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Append { n, text } => self.lines.insert((n, text)),
            Event::Prepend { n } => self.lines.insert_at(At::Start, (n, "first".into())),
            Event::Place { n, at } => self.lines.insert_at(At::Place(at), (n, "between".into())),
            Event::Delete { n } => self.lines.delete_by_id(format!("line-{n}")),
            Event::Update { n, text } => self.lines.update((n, text)),
            Event::Reset => self.lines.reset([(9, "new".to_owned())]),
            Event::Nothing => self.renders += 1,
            Event::Keep { first } => self.lines.keep_first(first),
            Event::Like { likes } => {
                self.renders += 1;
                cx.update(&self.like, likes).await;
            }
        }
    }

    fn render(&self, _: &Page) -> Rendered {
        let rows = self.lines.render(|id, (_, text)| {
            let like = (text == "liked").then(|| self.like.place());
            markup!(["<li id=\"", "\">", "", "</li>"], [id, text.as_str(), like])
        });
        markup!(
            ["<div><ul id=\"log\" phx-update=\"stream\">", "</ul><p>", "</p></div>"],
            [rows, self.renders.to_string()]
        )
    }
}

#[tokio::test]
async fn items_go_where_they_are_told_and_are_sent_once() {
    let live = live();
    let dead = Browser::new(&live).get("/log").await;
    assert!(dead.html.contains("line 2"));
    let mut page = Browser::new(&live).open("/log").await;
    assert_eq!(page.texts("li"), ["line 1", "line 2", "line 3"]);
    page.forge("prepend", json!({ "n": 4 })).await;
    page.forge("append", json!({ "n": 5, "text": "<last>" })).await;
    page.forge("place", json!({ "n": 6, "at": 1 })).await;
    assert_eq!(page.texts("li"), ["first", "between", "line 1", "line 2", "line 3", "<last>"]);
    page.forge("delete", json!({ "n": 2 })).await;
    page.forge("append", json!({ "n": 1, "text": "changed" })).await;
    assert_eq!(page.texts("li"), ["first", "between", "changed", "line 3", "<last>"]);
    let bytes = live.stats().diff_bytes;
    page.forge("nothing", json!({})).await;
    assert!(live.stats().diff_bytes - bytes < 60, "nothing of the stream is sent again");
    page.forge("reset", json!({})).await;
    assert_eq!(page.texts("li"), ["new"]);
}

#[tokio::test]
async fn an_update_inserts_nothing_and_a_limit_is_kept() {
    let mut page = Browser::new(&live()).open("/log").await;
    page.forge("update", json!({ "n": 2, "text": "two" })).await;
    page.forge("update", json!({ "n": 7, "text": "seven" })).await;
    assert_eq!(page.texts("li"), ["line 1", "two", "line 3"]);
    page.forge("keep", json!({ "first": 3 })).await;
    page.forge("prepend", json!({ "n": 8 })).await;
    assert_eq!(page.texts("li"), ["first", "line 1", "two"]);
}

#[tokio::test]
async fn a_component_in_an_entry_changes_together_with_the_view() {
    let mut page = Browser::new(&live()).open("/log").await;
    page.forge("append", json!({ "n": 4, "text": "liked" })).await;
    assert_eq!((page.text("li #like"), page.text("p")), ("0 likes".into(), "0".into()));
    page.forge("like", json!({ "likes": 3 })).await;
    assert_eq!((page.text("li #like"), page.text("p")), ("3 likes".into(), "1".into()));
    page.click("li #like").await;
    assert_eq!((page.text("li #like"), page.text("p")), ("4 likes".into(), "1".into()));
    page.forge("delete", json!({ "n": 4 })).await;
    page.forge("like", json!({ "likes": 9 })).await;
    page.forge("append", json!({ "n": 5, "text": "liked" })).await;
    assert_eq!((page.text("#line-5 #like"), page.text("p")), ("9 likes".into(), "2".into()));
}

fn order() -> impl Strategy<Value = Event> {
    let n = || 1_u32..6;
    let text = || prop::sample::select(vec!["one", "two", "three"]).prop_map(str::to_owned);
    prop_oneof![
        3 => (n(), text()).prop_map(|(n, text)| Event::Append { n, text }),
        3 => n().prop_map(|n| Event::Prepend { n }),
        2 => (n(), 0_u32..4).prop_map(|(n, at)| Event::Place { n, at }),
        3 => n().prop_map(|n| Event::Delete { n }),
        3 => (n(), text()).prop_map(|(n, text)| Event::Update { n, text }),
        1 => Just(Event::Reset),
        1 => (2_u32..5).prop_map(|first| Event::Keep { first }),
        1 => Just(Event::Nothing),
    ]
}

async fn open() -> Tab {
    Browser::new(&live()).open("/log").await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_burst_of_orders_gives_the_list_that_they_give_one_by_one(
        orders in prop::collection::vec(order(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (one_by_one, at_once) = runtime.block_on(async {
            let (mut slow, mut quick) = (open().await, open().await);
            for order in orders.clone() {
                slow.send(order).await;
            }
            quick.send_all(orders).await;
            (slow.texts("li"), quick.texts("li"))
        });
        prop_assert_eq!(one_by_one, at_once);
    }
}
