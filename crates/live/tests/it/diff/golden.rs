//! Frames recorded from Phoenix's live views 1.2.10, compared by the page they give: the port of the client merges both.

use live::merge::Client;
use live::{Extras, Frame, Rendered, Shadow, each, html};

/// The state of the page that the frames were recorded from.
#[derive(Clone)]
struct State {
    count: u32,
    items: Vec<&'static str>,
    page: &'static str,
    flash: &'static str,
}

/// The page: its gaps are in the order of the recorded page's.
fn page(state: &State) -> Rendered {
    html! {
        <main>
            <i>{if state.count < 3 { "small" } else { "large" }}</i>
            <p>{state.count}</p>
            {(state.count > 1).then(|| html! { <b id="big">"big "{state.count}</b> })}
            <u>{""}</u>
            <ul>{each(&state.items, |item| *item, |item| {
                let id = (*item == "new").then_some("new");
                html! { <li id={id}>{*item}{html! { <em>"!"</em> }}</li> }
            })}</ul>
            <s>{state.page}</s>
            <q>{state.flash}</q>
        </main>
    }
}

/// The same page as Phoenix sends it first, in its own order of keys.
const JOIN: &str = r#"{"0":"small","1":"0","2":"","3":"","4":{"k":{
    "0":{"0":"","1":"a","2":{"s":0}},"1":{"0":"","1":"b","2":{"s":0}},
    "2":{"0":"","1":"c","2":{"s":0}},"3":{"0":"","1":"d","2":{"s":0}},"kc":4},"s":["<li",">","","</li>"]},
    "5":"1","6":"","7":"","p":{"0":["<em>!</em>"]},
    "s":["<main><i>","</i><p>","</p>","<u>","</u><ul>","</ul><s>","</s><q>","","</q></main>"],"r":1}"#;

/// A step: what the state becomes, and the frame that Phoenix sent.
type Step = (fn(&mut State), &'static str);

#[test]
fn recorded_frames_give_the_pages_that_ours_give() {
    let mut state = State { count: 0, items: vec!["a", "b", "c", "d"], page: "1", flash: "" };
    let mut theirs = Client::join(JOIN).unwrap();
    let mut out = Vec::new();
    let first = page(&state);
    let mut shadow =
        Shadow::full(&Frame { root: Some(&first), components: &[] }, &Extras::default(), &mut out).unwrap();
    let mut ours = Client::join(std::str::from_utf8(&out).unwrap()).unwrap();
    assert_eq!(ours.html(), theirs.html(), "join");
    let steps: [Step; 8] = [
        (|s| s.count = 1, r#"{"0":"small","1":"1","2":"","3":""}"#),
        (
            |s| s.count = 2,
            r#"{"0":"small","1":"2","2":{"0":"2","s":0},"3":"","p":{"0":["<b id=\"big\">big ","</b>"]}}"#,
        ),
        (|s| s.items.reverse(), r#"{"4":{"k":{"0":3,"1":2,"2":1,"3":0,"kc":4,"km":true}}}"#),
        (
            |s| s.items.insert(0, "new"),
            r#"{"4":{"k":{"0":{"0":" id=\"new\"","1":"new","2":{"s":0}},"1":0,"2":1,"3":2,"4":3,"kc":5,"km":true}},"p":{"0":["<em>!</em>"]}}"#,
        ),
        (|s| s.items.clear(), r#"{"4":{"k":{"kc":0}}}"#),
        (|_| {}, "{}"),
        (|_| {}, r#"{"e":[["hi",{"a":1}]],"t":"T2"}"#),
        (|s| (s.page, s.flash) = ("7", "saved"), r#"{"5":"7","7":"saved"}"#),
    ];
    for (at, (change, frame)) in steps.into_iter().enumerate() {
        change(&mut state);
        theirs.merge(frame).unwrap();
        out.clear();
        let next = page(&state);
        let sent =
            shadow.diff(&Frame { root: Some(&next), components: &[] }, &Extras::default(), &mut out).unwrap();
        let message = std::str::from_utf8(&out).unwrap();
        assert_eq!(sent, !matches!(at, 5 | 6), "{message}");
        ours.merge(message).unwrap();
        assert_eq!(ours.html(), theirs.html(), "step {at}: {message}");
    }
}

#[test]
fn title_events_and_reply_travel_at_the_root() {
    let state = State { count: 0, items: Vec::new(), page: "", flash: "" };
    let first = page(&state);
    let mut shadow =
        Shadow::full(&Frame { root: Some(&first), components: &[] }, &Extras::default(), &mut Vec::new())
            .unwrap();
    let mut out = Vec::new();
    let events = [r#"["hi",{"a":1}]"#.to_owned()];
    let extras = Extras { title: Some("T\"2"), events: &events, reply: Some("{\"ok\":1}") };
    assert!(shadow.diff(&Frame { root: Some(&first), components: &[] }, &extras, &mut out).unwrap());
    assert_eq!(out, br#"{"t":"T\"2","e":[["hi",{"a":1}]],"r":{"ok":1}}"#);
}
