//! Parts that are rendered when what they show has changed, and pieces that all pages share. The test kit compares each
//! diff with a whole render, so a part that stayed behind would fail any of these.

use std::cell::Cell;

use live::testing::Browser;
use live::{Ctx, Halt, Live, LiveSession, LiveView, Page, Public, Rendered, html};
use otp::PubSub;

use crate::app::keys;

/// What pages are told of: a name for the part, a number for what stands around it, and which way round they stand.
#[derive(Clone, PartialEq)]
struct News {
    name: &'static str,
    count: u32,
    turned: bool,
}

const FIRST: News = News { name: "one", count: 0, turned: false };

type Bus = PubSub<(), News>;

struct Board {
    now: News,
}

thread_local! {
    /// How often the view, its part and its shared piece were rendered by this test, whole renders of the test kit among them.
    static RENDERED: Cell<[usize; 3]> = const { Cell::new([0; 3]) };
}

fn count(at: usize) {
    let mut rendered = RENDERED.get();
    rendered[at] += 1;
    RENDERED.set(rendered);
}

fn title(name: &str) -> Rendered {
    count(1);
    html! { <h1>{name}</h1> }
}

fn row(left: u32) -> Rendered {
    count(2);
    html! { <b>{left}</b> }
}

impl LiveView for Board {
    type Scope = Bus;
    type Params = ();
    type Event = ();
    type Info = News;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        cx.subscribe(cx.scope(), (), |news| (*news).clone());
        Ok(Self { now: FIRST })
    }

    async fn handle_info(&mut self, news: News, _: &mut Ctx<'_, Self>) {
        self.now = news;
    }

    fn render(&self, page: &Page) -> Rendered {
        count(0);
        let (part, piece) = (page.part(self.now.name, title), page.shared(self.now.count, row));
        let (first, second) = if self.now.turned { (piece, part) } else { (part, piece) };
        html! { <main>{first}<hr/>{second}</main> }
    }
}

fn board(bus: &Bus) -> Live {
    let session = LiveSession::new("all", Public(bus.clone())).view::<Board>("/");
    Live::builder(keys(&[1])).session(session).build().unwrap()
}

#[tokio::test]
async fn a_part_is_rendered_when_what_it_shows_changes_and_a_shared_piece_once_for_all_pages() {
    let bus = Bus::new();
    let live = board(&bus);
    let mut pages = [Browser::new(&live).open("/").await, Browser::new(&live).open("/").await];
    let [views, parts, pieces] = RENDERED.get();
    assert_eq!(views, parts, "nothing is left out of a first render");
    assert_eq!(pieces, 1, "four renders and more, two of them over HTTP");

    for count in 1..=5 {
        bus.publish(&(), News { count, ..FIRST });
        for page in &mut pages {
            page.settle().await;
            assert_eq!((page.text("h1"), page.text("b")), ("one".into(), count.to_string()));
        }
    }
    let [views_then, parts_then, pieces_then] = RENDERED.get();
    let left_out = (views_then - views) - (parts_then - parts);
    assert_eq!((left_out, pieces_then - pieces), (10, 5), "two pages, five changes");

    bus.publish(&(), News { name: "two", count: 5, ..FIRST });
    for page in &mut pages {
        page.settle().await;
        assert_eq!(page.text("h1"), "two");
    }
    let [views_now, parts_now, pieces_now] = RENDERED.get();
    assert_eq!((views_now - views_then, pieces_now), (parts_now - parts_then, pieces_then));
    let stats = live.stats();
    assert_eq!(stats.renders, 12, "each change is one render of each page");
    assert_eq!(stats.shared_misses, 6, "one a count");
    assert!(stats.shared_hits > 12, "{stats:?}");
}

#[tokio::test]
async fn a_part_that_moves_is_sent_to_its_new_place() {
    let bus = Bus::new();
    let live = board(&bus);
    let mut page = Browser::new(&live).open("/").await;
    for turned in [true, false, true, true] {
        bus.publish(&(), News { turned, ..FIRST });
        page.settle().await;
        assert_eq!(page.html().starts_with("<main><b>"), turned, "{}", page.html());
    }
    assert_eq!(live.stats().renders, 4 + 3, "one more for each move");
}
