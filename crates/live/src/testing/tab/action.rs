//! What an element of the page makes the client push.
//!
//! **Invariant.** A payload has what the official client puts into it, in its names: `phx-value-*`, the element's own value,
//! what a JS command adds, and the component that is meant.

use scraper::ElementRef;
use serde_json::{Value, json};

use super::super::dom;

/// What a click does.
pub(super) enum Action {
    Push(Vec<Value>),
    Patch(String),
    Navigate(String),
}

impl Action {
    pub(super) fn of_click(element: ElementRef<'_>, selector: &str) -> Self {
        if let (Some(link), Some(href)) = (element.attr("data-phx-link"), element.attr("href")) {
            return if link == "patch" {
                Self::Patch(href.to_owned())
            } else {
                Self::Navigate(href.to_owned())
            };
        }
        let Some(click) = element.attr("phx-click") else {
            panic!(
                "a click on {selector:?} does nothing: it has no phx-click and is no live link:\n{}",
                element.html()
            )
        };
        if !click.starts_with('[') {
            return Self::Push(vec![push(element, "click", click, &Value::Null, &json!({}))]);
        }
        let commands: Vec<(String, Value)> = serde_json::from_str(click)
            .unwrap_or_else(|error| panic!("phx-click of {selector:?}: {error}: {click}"));
        let mut pushes = Vec::new();
        for (kind, args) in commands {
            let href = || args["href"].as_str().unwrap_or_default().to_owned();
            match kind.as_str() {
                "push" => {
                    let event = args["event"].as_str().unwrap_or_default();
                    pushes.push(push(element, "click", event, &args["target"], &args["value"]));
                }
                "patch" => return Self::Patch(href()),
                "navigate" => return Self::Navigate(href()),
                // The client's own affair.
                _ => {}
            }
        }
        Self::Push(pushes)
    }
}

/// The payload of an event of an element.
fn push(element: ElementRef<'_>, kind: &str, event: &str, target: &Value, more: &Value) -> Value {
    let mut value = serde_json::Map::new();
    for (name, content) in element.value().attrs() {
        if let Some(name) = name.strip_prefix("phx-value-") {
            value.insert(name.to_owned(), content.into());
        }
    }
    if matches!(element.value().name(), "button" | "input") {
        value.insert("value".to_owned(), element.attr("value").unwrap_or_default().into());
    }
    value.extend(more.as_object().cloned().unwrap_or_default());
    json!({ "type": kind, "event": event, "value": value, "cid": cid(element, target) })
}

/// The component that an event is for: by number, or the one around the element.
fn cid(element: ElementRef<'_>, target: &Value) -> Option<i64> {
    if let Some(number) = target.as_i64() {
        return Some(number);
    }
    let target = target.as_str().or_else(|| element.attr("phx-target"))?;
    target.parse().ok().or_else(|| dom::component_around(element))
}

/// The payload of a form's event, with its fields encoded.
pub(super) fn form_event(form: ElementRef<'_>, attribute: &str, encoded: &str, meta: &Value) -> Value {
    let Some(event) = form.attr(attribute) else { panic!("the form has no {attribute}:\n{}", form.html()) };
    let cid = cid(form, &Value::Null);
    json!({ "type": "form", "event": event, "value": encoded, "meta": meta, "cid": cid })
}
