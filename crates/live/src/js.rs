//! Commands that the client runs by itself: show, hide, classes, focus, push.
//!
//! Invariant: what a [`Js`] prints is the JSON that the client's `phx-click` and its like take; every text in it is
//! JSON-escaped, and the template escapes the attribute.
//!
//! ```
//! use live::js::{Js, Show, To};
//!
//! let open = Js::new().show(Show::to("#menu").transition("fade", "out", "in")).push("opened");
//! assert_eq!(
//!     open.to_string(),
//!     r##"[["show",{"to":"#menu","transition":[["fade"],["out"],["in"]]}],["push",{"event":"opened"}]]"##,
//! );
//! let close = Js::new().add_class("gone", To::closest("li"));
//! assert_eq!(close.to_string(), r#"[["add_class",{"names":["gone"],"to":{"closest":"li"}}]]"#);
//! ```

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::path::LocalPath;
use crate::tree::Cid;

/// Which elements a command is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum To {
    /// The element that the command stands on.
    #[default]
    This,
    /// All elements of the document that the selector finds.
    Selector(String),
    /// The nearest ancestor that the selector matches.
    Closest(String),
    /// The descendants that the selector finds.
    Inner(String),
}

impl To {
    /// See [`To::Closest`].
    pub fn closest(selector: impl Into<String>) -> Self {
        Self::Closest(selector.into())
    }

    /// See [`To::Inner`].
    pub fn inner(selector: impl Into<String>) -> Self {
        Self::Inner(selector.into())
    }
}

impl From<&str> for To {
    fn from(selector: &str) -> Self {
        Self::Selector(selector.to_owned())
    }
}

impl From<String> for To {
    fn from(selector: String) -> Self {
        Self::Selector(selector)
    }
}

/// How an element appears or goes.
#[derive(Clone, Debug, Default)]
pub struct Show {
    args: Map<String, Value>,
}

/// How an element goes: the same choices as of [`Show`], without a display.
pub type Hide = Show;

impl Show {
    /// Of these elements.
    pub fn to(target: impl Into<To>) -> Self {
        let mut show = Self::default();
        put_target(&mut show.args, target.into());
        show
    }

    /// The CSS `display` of what is shown; the client guesses it otherwise.
    pub fn display(mut self, display: &str) -> Self {
        self.args.insert("display".into(), display.into());
        self
    }

    /// Classes during the transition, at its start and at its end; several are separated by spaces.
    pub fn transition(mut self, during: &str, from: &str, to: &str) -> Self {
        self.args.insert("transition".into(), transition(during, from, to));
        self
    }

    /// How long it takes; 200 ms unless said otherwise.
    pub fn time(mut self, time: Duration) -> Self {
        put_time(&mut self.args, time);
        self
    }

    /// Lets the page change meanwhile.
    pub fn non_blocking(mut self) -> Self {
        self.args.insert("blocking".into(), false.into());
        self
    }
}

/// An event pushed to the server with more than its name.
#[derive(Clone, Debug, Default)]
pub struct Push {
    args: Map<String, Value>,
}

impl Push {
    /// Of this name.
    pub fn event(name: &str) -> Self {
        let mut push = Self::default();
        push.args.insert("event".into(), name.into());
        push
    }

    /// A value beside the element's own `phx-value-*`.
    pub fn value(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        match self.args.entry("value").or_insert_with(|| json!({})) {
            Value::Object(values) => drop(values.insert(name.to_owned(), value)),
            other => *other = json!({ name: value }),
        }
        self
    }

    /// For this component, rather than the view.
    pub fn component(mut self, cid: Cid) -> Self {
        self.args.insert("target".into(), cid.get().into());
        self
    }

    /// For the component or view around the elements of a selector.
    pub fn target(mut self, selector: &str) -> Self {
        self.args.insert("target".into(), selector.into());
        self
    }

    /// Marks these elements as loading until the answer is there.
    pub fn loading(mut self, selector: &str) -> Self {
        self.args.insert("loading".into(), selector.into());
        self
    }

    /// Shows the page's loading bar until the answer is there.
    pub fn page_loading(mut self) -> Self {
        self.args.insert("page_loading".into(), true.into());
        self
    }
}

impl From<&str> for Push {
    fn from(name: &str) -> Self {
        Self::event(name)
    }
}

/// A chain of commands; its `Display` is the attribute's value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Js {
    commands: Vec<Value>,
}

impl Js {
    /// No command yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn then(mut self, kind: &str, args: Map<String, Value>) -> Self {
        self.commands.push(Value::Array(vec![kind.into(), Value::Object(args)]));
        self
    }

    fn on(self, kind: &str, target: To, more: Value) -> Self {
        let mut args = match more {
            Value::Object(args) => args,
            _ => Map::new(),
        };
        put_target(&mut args, target);
        self.then(kind, args)
    }

    /// Shows elements.
    pub fn show(self, show: impl Into<Show>) -> Self {
        self.then("show", show.into().args)
    }

    /// Hides elements.
    pub fn hide(self, hide: impl Into<Hide>) -> Self {
        self.then("hide", hide.into().args)
    }

    /// Shows what is hidden and hides what is shown.
    pub fn toggle(self, target: impl Into<To>) -> Self {
        self.on("toggle", target.into(), json!({}))
    }

    /// Toggles with classes for coming and for going, each as (during, from, to).
    pub fn toggle_with(self, target: impl Into<To>, ins: [&str; 3], outs: [&str; 3]) -> Self {
        let [ins, outs] = [ins, outs].map(|[during, from, to]| transition(during, from, to));
        self.on("toggle", target.into(), json!({ "ins": ins, "outs": outs }))
    }

    /// Adds classes, separated by spaces.
    pub fn add_class(self, names: &str, target: impl Into<To>) -> Self {
        self.on("add_class", target.into(), json!({ "names": classes(names) }))
    }

    /// Takes classes away.
    pub fn remove_class(self, names: &str, target: impl Into<To>) -> Self {
        self.on("remove_class", target.into(), json!({ "names": classes(names) }))
    }

    /// Adds the classes that are missing and takes the others away.
    pub fn toggle_class(self, names: &str, target: impl Into<To>) -> Self {
        self.on("toggle_class", target.into(), json!({ "names": classes(names) }))
    }

    /// Runs a transition by classes: during, at the start, at the end.
    pub fn transition(self, classes: [&str; 3], time: Duration, target: impl Into<To>) -> Self {
        let [during, from, to] = classes;
        let mut args = Map::new();
        args.insert("transition".into(), transition(during, from, to));
        put_time(&mut args, time);
        self.on("transition", target.into(), Value::Object(args))
    }

    /// Sets an attribute.
    pub fn set_attribute(self, name: &str, value: &str, target: impl Into<To>) -> Self {
        self.on("set_attr", target.into(), json!({ "attr": [name, value] }))
    }

    /// Takes an attribute away.
    pub fn remove_attribute(self, name: &str, target: impl Into<To>) -> Self {
        self.on("remove_attr", target.into(), json!({ "attr": name }))
    }

    /// Sets the attribute, or takes it away if it is there.
    pub fn toggle_attribute(self, name: &str, value: &str, target: impl Into<To>) -> Self {
        self.on("toggle_attr", target.into(), json!({ "attr": [name, value] }))
    }

    /// Leaves attributes alone that the browser changes itself, such as `open` of `<details>`. For `phx-mounted`.
    pub fn ignore_attributes(self, names: &[&str], target: impl Into<To>) -> Self {
        self.on("ignore_attrs", target.into(), json!({ "attrs": names }))
    }

    /// Pushes an event to the server.
    pub fn push(self, push: impl Into<Push>) -> Self {
        self.then("push", push.into().args)
    }

    /// Dispatches a DOM event.
    pub fn dispatch(self, event: &str, target: impl Into<To>) -> Self {
        self.on("dispatch", target.into(), json!({ "event": event }))
    }

    /// Dispatches a DOM event with a detail.
    pub fn dispatch_with(self, event: &str, detail: impl Serialize, target: impl Into<To>) -> Self {
        let detail = serde_json::to_value(detail).unwrap_or(Value::Null);
        self.on("dispatch", target.into(), json!({ "event": event, "detail": detail }))
    }

    /// Focuses an element.
    pub fn focus(self, target: impl Into<To>) -> Self {
        self.on("focus", target.into(), json!({}))
    }

    /// Focuses the first element inside that can be.
    pub fn focus_first(self, target: impl Into<To>) -> Self {
        self.on("focus_first", target.into(), json!({}))
    }

    /// Remembers an element for [`pop_focus`](Self::pop_focus).
    pub fn push_focus(self, target: impl Into<To>) -> Self {
        self.on("push_focus", target.into(), json!({}))
    }

    /// Focuses the element that was remembered last.
    pub fn pop_focus(self) -> Self {
        self.then("pop_focus", Map::new())
    }

    /// Goes to another view in the same live session.
    pub fn navigate(self, to: &LocalPath) -> Self {
        self.on("navigate", To::This, json!({ "href": to.as_str() }))
    }

    /// Goes to another address of the same view.
    pub fn patch(self, to: &LocalPath) -> Self {
        self.on("patch", To::This, json!({ "href": to.as_str() }))
    }

    /// Runs the commands in an attribute of an element.
    pub fn exec(self, attribute: &str, target: impl Into<To>) -> Self {
        self.on("exec", target.into(), json!({ "attr": attribute }))
    }

    /// Runs another chain after this one.
    pub fn and(mut self, next: Self) -> Self {
        self.commands.extend(next.commands);
        self
    }
}

impl From<&str> for Show {
    fn from(selector: &str) -> Self {
        Self::to(selector)
    }
}

impl From<To> for Show {
    fn from(target: To) -> Self {
        Self::to(target)
    }
}

impl fmt::Display for Js {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (at, command) in self.commands.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{command}")?;
        }
        f.write_str("]")
    }
}

fn put_target(args: &mut Map<String, Value>, target: To) {
    let target = match target {
        To::This => return,
        To::Selector(selector) => Value::String(selector),
        To::Closest(selector) => json!({ "closest": selector }),
        To::Inner(selector) => json!({ "inner": selector }),
    };
    args.insert("to".into(), target);
}

fn put_time(args: &mut Map<String, Value>, time: Duration) {
    args.insert("time".into(), u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into());
}

fn classes(names: &str) -> Vec<&str> {
    names.split_whitespace().collect()
}

fn transition(during: &str, from: &str, to: &str) -> Value {
    json!([classes(during), classes(from), classes(to)])
}
