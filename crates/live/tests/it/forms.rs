//! Forms and events as browsers send them, read into types.

use live::{ClientEvent, EventError, Form, MAX_FIELDS, Params, ParamsError};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Event {
    Add { by: i64, twice: bool },
    Save(Params),
    Rename { name: Option<String> },
    Reset,
    Choose(Size),
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Size {
    Small,
    Large,
}

fn read(payload: &str) -> Result<Event, EventError> {
    ClientEvent::parse(payload)?.read()
}

#[test]
fn texts_of_attributes_are_numbers_and_booleans_where_the_type_says_so() {
    let click = r#"{"type":"click","event":"add","value":{"by":"-3","twice":"true","value":""}}"#;
    assert_eq!(read(click), Ok(Event::Add { by: -3, twice: true }));
    let hook = r#"{"type":"hook","event":"add","value":{"by":4,"twice":false},"cid":null}"#;
    assert_eq!(read(hook), Ok(Event::Add { by: 4, twice: false }));
    assert_eq!(read(r#"{"type":"click","event":"reset","value":{}}"#), Ok(Event::Reset));
    assert_eq!(read(r#"{"type":"click","event":"choose","value":"large"}"#), Ok(Event::Choose(Size::Large)));
}

#[test]
fn blank_text_is_none() {
    let blank = r#"{"type":"form","event":"rename","value":"name=+"}"#;
    assert_eq!(read(blank), Ok(Event::Rename { name: None }));
    let named = r#"{"type":"form","event":"rename","value":"name=a%26b"}"#;
    assert_eq!(read(named), Ok(Event::Rename { name: Some("a&b".into()) }));
}

#[test]
fn an_event_that_cannot_be_understood_is_a_named_error() {
    assert!(
        matches!(read(r#"{"type":"click","event":"drop","value":{}}"#), Err(EventError::Refused { event, .. }) if event == "drop")
    );
    let Err(EventError::Refused { error: ParamsError::Mismatch { path, .. }, .. }) =
        read(r#"{"type":"click","event":"add","value":{"by":"many"}}"#)
    else {
        panic!()
    };
    assert_eq!(path, "by");
    assert!(matches!(read("[1]"), Err(EventError::Malformed(_))));
    let deep = format!(r#"{{"type":"hook","event":"save","value":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    assert!(matches!(read(&deep), Err(EventError::Refused { error: ParamsError::TooDeep, .. })));
}

#[test]
fn a_form_carries_its_target_and_what_was_not_touched() {
    let change = r#"{"type":"form","event":"save","value":"_unused_user[mail]=&user[name]=Bo&user[tags][]=a&user[tags][]=b","meta":{"_target":"user[name]","step":"2"}}"#;
    let Ok(Event::Save(params)) = read(change) else { panic!() };
    assert_eq!(params.at("_target").to::<Vec<String>>().unwrap(), ["user", "name"]);
    assert_eq!(params.at_name("user[name]").text(), "Bo");
    assert_eq!(params.at_name("user[tags]").to::<Vec<String>>().unwrap(), ["a", "b"]);
    assert_eq!(params.at("step").to::<u8>(), Ok(2));
}

#[test]
fn numbered_groups_are_a_list_in_the_order_of_their_numbers() {
    #[derive(Deserialize)]
    struct Line {
        q: u32,
    }
    #[derive(Deserialize, Debug)]
    struct Lines {
        #[serde(rename = "l")]
        _lines: Vec<Strict>,
    }
    #[derive(Deserialize, Debug)]
    struct Strict {
        #[serde(rename = "q")]
        _qty: u32,
    }
    let params = Params::from_form("l[10][q]=3&l[2][q]=2&l[1][q]=1").unwrap();
    let lines: Vec<Line> = params.at("l").to().unwrap();
    assert_eq!(lines.iter().map(|line| line.q).collect::<Vec<_>>(), [1, 2, 3]);
    let Err(ParamsError::Mismatch { path, .. }) = Params::from_form("l[0][q]=x").unwrap().to::<Lines>()
    else {
        panic!()
    };
    assert_eq!(path, "l[0][q]");
}

#[test]
fn forms_that_are_too_large_or_contradict_themselves_are_refused() {
    assert_eq!(Params::from_form(&"a=1&".repeat(MAX_FIELDS + 1)), Err(ParamsError::TooMany));
    assert_eq!(Params::from_form(&format!("a{}=1", "[b]".repeat(20))), Err(ParamsError::TooDeep));
    assert_eq!(Params::from_form("a=1&a[b]=2"), Err(ParamsError::Conflict("a[b]".into())));
    assert_eq!(Params::from_form("a[b]=1&a[]=2"), Err(ParamsError::Conflict("a[]".into())));
}

#[test]
fn errors_are_shown_where_somebody_has_been_and_everywhere_after_a_submit() {
    let params = Params::from_form("order[_unused_note]=&order[note]=&order[lines][0][qty]=x").unwrap();
    let mut form = Form::new("order").typed(&params);
    form.errors.add("note", "is missing");
    form.errors.add("lines[0][qty]", "is no number");
    assert!(form.field("note").errors.is_empty());
    let qty = form.field("lines[0][qty]");
    assert_eq!(
        (qty.name.as_str(), qty.id.as_str(), &*qty.value),
        ("order[lines][0][qty]", "order_lines_0_qty", "x")
    );
    assert_eq!(qty.errors, ["is no number"]);
    let mut form = form.submitted(&params);
    assert!(form.errors.is_empty(), "each round begins without errors");
    form.errors.add("note", "is missing");
    assert_eq!(form.field("note").errors, ["is missing"]);
}

proptest! {
    #[test]
    fn nested_names_come_back_where_they_belong(
        fields in prop::collection::btree_map("[a-z]{1,4}(\\[[a-z0-9]{1,3}\\]){0,3}", "\\PC{0,8}", 0..12),
    ) {
        let encoded: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        match Params::from_form(&encoded) {
            Ok(params) => for (name, value) in &fields {
                prop_assert_eq!(params.at_name(name).text(), value.as_str());
            },
            Err(error) => prop_assert!(matches!(error, ParamsError::Conflict(_))),
        }
    }

    #[test]
    fn any_payload_is_read_or_refused_and_never_panics(payload in "\\PC{0,120}", value in "\\PC{0,60}") {
        drop(read(&payload));
        let form = serde_json::json!({ "type": "form", "event": "save", "value": value }).to_string();
        drop(read(&form));
    }
}
