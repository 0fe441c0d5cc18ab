//! What a browser's event says, read into the view's own event type.
//!
//! Invariant: an event that can't be understood is a named error, never a crash.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::params::{EventDe, Params, ParamsError};
use crate::tree::Cid;

/// Why an event was refused. The view is as it was before, and the count in [`Stats`](crate::Stats) goes up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EventError {
    /// The frame itself is not what the client sends.
    #[error("the event's frame is malformed: {0}")]
    Malformed(String),
    /// The event's value breaks a bound or has another form than the view's type.
    #[error("event {event:?}: {error}")]
    Refused {
        /// The event's name.
        event: String,
        /// What is wrong with its value.
        error: ParamsError,
    },
    /// It is for a component that is gone.
    #[error("event {event:?} is for component {cid}, which is gone")]
    ComponentGone {
        /// The event's name.
        event: String,
        /// The component's number.
        cid: i64,
    },
}

/// The frame of an event as the client sends it.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    event: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
    #[serde(default)]
    cid: Option<i64>,
}

/// An event: its name, its value as a tree, and the component that it is for.
#[derive(Clone, PartialEq)]
pub struct ClientEvent {
    /// Its name: what `phx-click` and its like say.
    pub name: String,
    /// Its value. Of a form: its fields, `_target` (the changed field's path) and `_unused_…` as Phoenix has them.
    pub value: Params,
    /// The component whose event it is; `None` for the view's own.
    pub target: Option<i64>,
}

impl fmt::Debug for ClientEvent {
    /// Without the value, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientEvent")
            .field("name", &self.name)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl ClientEvent {
    /// Reads the payload of an `event` frame.
    pub fn parse(payload: &str) -> Result<Self, EventError> {
        let wire: Wire<'_> =
            serde_json::from_str(payload).map_err(|error| EventError::Malformed(error.to_string()))?;
        let name = wire.event.into_owned();
        let value = match value_of(&wire.kind, wire.value, wire.meta) {
            Ok(value) => value,
            Err(error) => return Err(EventError::Refused { event: name, error }),
        };
        Ok(Self { name, value, target: wire.cid })
    }

    /// Reads it into the view's event type: the name is the variant, the value its content.
    ///
    /// ```
    /// use live::ClientEvent;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, PartialEq, Debug)]
    /// #[serde(rename_all = "snake_case")]
    /// enum Event { Add { by: u32 }, Reset }
    ///
    /// let click = ClientEvent::parse(r#"{"type":"click","event":"add","value":{"by":"3","value":""}}"#)?;
    /// assert_eq!(click.read::<Event>()?, Event::Add { by: 3 });
    /// assert!(ClientEvent::parse(r#"{"type":"click","event":"drop_table"}"#)?.read::<Event>().is_err());
    /// # Ok::<_, live::EventError>(())
    /// ```
    pub fn read<E: DeserializeOwned>(&self) -> Result<E, EventError> {
        E::deserialize(EventDe { name: &self.name, value: &self.value })
            .map_err(|refusal| EventError::Refused { event: self.name.clone(), error: refusal.into() })
    }

    /// The number of the component that the event is for.
    pub(crate) fn component(&self) -> Result<Option<Cid>, EventError> {
        let Some(cid) = self.target else { return Ok(None) };
        let known = u32::try_from(cid).ok().and_then(Cid::new);
        known.map(Some).ok_or_else(|| EventError::ComponentGone { event: self.name.clone(), cid })
    }
}

fn value_of(kind: &str, value: Option<&RawValue>, meta: Option<&RawValue>) -> Result<Params, ParamsError> {
    let Some(value) = value else { return Ok(Params::Null) };
    if kind != "form" {
        return Params::from_json(value.get());
    }
    let encoded: String =
        serde_json::from_str(value.get()).map_err(|error| ParamsError::Json(error.to_string()))?;
    let mut form = Params::from_form(&encoded)?;
    if let Some(meta) = meta
        && let Params::Group(extras) = Params::from_json(meta.get())?
    {
        // `phx-value-*` of the form, and the name of the field that changed.
        for (name, value) in extras {
            match (name.as_str(), value) {
                ("_target", Params::Text(field)) => {
                    let path = crate::params::segments(&field).map(|part| Params::Text(part.to_owned()));
                    form.put("_target", Params::List(path.collect()));
                }
                (_, value) => form.put(&name, value),
            }
        }
    }
    Ok(form)
}
