//! Streams: orders to the client, each sent once.

use live::testing::Browser;
use live::{At, Ctx, Halt, LiveView, Page, Rendered, Stream};
use serde::Deserialize;
use serde_json::json;

use crate::app::{Services, live, markup};

pub(crate) struct Log {
    lines: Stream<(u32, String)>,
    renders: u32,
}

#[derive(Deserialize)]
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
}

impl LiveView for Log {
    type Scope = Services;
    type Params = ();
    type Event = Event;
    type Info = ();

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let mut lines = cx.stream("lines", |(n, _): &(u32, String)| format!("line-{n}"));
        for n in 1..=3 {
            lines.insert((n, format!("line {n}")));
        }
        Ok(Self { lines, renders: 0 })
    }

    async fn handle_event(&mut self, event: Event, _: &mut Ctx<'_, Self>) {
        match event {
            Event::Append { n, text } => self.lines.insert((n, text)),
            Event::Prepend { n } => self.lines.insert_at(At::Start, (n, "first".into())),
            Event::Place { n, at } => self.lines.insert_at(At::Place(at), (n, "between".into())),
            Event::Delete { n } => self.lines.delete_by_id(format!("line-{n}")),
            Event::Update { n, text } => self.lines.update((n, text)),
            Event::Reset => self.lines.reset([(9, "new".to_owned())]),
            Event::Nothing => self.renders += 1,
            Event::Keep { first } => self.lines.keep_first(first),
        }
    }

    fn render(&self, _: &Page) -> Rendered {
        let rows =
            self.lines.render(|id, (_, text)| markup!(["<li id=\"", "\">", "</li>"], [id, text.as_str()]));
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
