//! The application's side of a topic: the trait, what comes in and what goes out.
//!
//! Invariant: a channel sees one message at a time, and none before its join is done.

use std::fmt;

use bytes::Bytes;
use otp::Exit;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::ctx::Ctx;
use crate::payload::Payload;
use crate::wire::Body;

/// One joined topic of one socket: state that one supervised server owns.
///
/// ```
/// use channels::{Answer, Channel, Ctx, Join, JoinRefused, Joined, Payload, Push};
///
/// struct Room { said: u32 }
///
/// impl Channel for Room {
///     type Assigns = String;
///     type Context = ();
///     type Info = ();
///
///     async fn join(join: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
///         if join.topic() == "room:secret" && ctx.assigns() != "ada" {
///             return Err(JoinRefused::reason("unauthorized"));
///         }
///         Ok(Joined::new(Self { said: 0 }))
///     }
///
///     async fn handle_in(&mut self, push: Push, ctx: &mut Ctx<'_, Self>) -> Answer {
///         #[derive(serde::Deserialize)]
///         struct Say<'a> { #[serde(borrow)] text: std::borrow::Cow<'a, str> }
///         let Ok(Say { text }) = push.json() else { return Answer::error_reason("text is missing") };
///         self.said += 1;
///         ctx.broadcast("said", serde_json::json!({ "text": text }));
///         Answer::ok(serde_json::json!({ "said": self.said }))
///     }
/// }
/// ```
pub trait Channel: Sized + Send + 'static {
    /// What the socket's [`connect`](crate::Socket::connect) returned.
    type Assigns: Send + Sync + 'static;
    /// What the application gives to all channels of this kind when it mounts them: pools, buses, settings.
    type Context: Send + Sync + 'static;
    /// Messages of the server's own side: see [`Ctx::subscribe`] and [`Ctx::addr`].
    type Info: Send + 'static;

    /// Accepts or refuses a join. Runs in the channel's own server; a panic here answers `join crashed`.
    fn join(
        join: Join,
        ctx: &mut Ctx<'_, Self>,
    ) -> impl Future<Output = Result<Joined<Self>, JoinRefused>> + Send;

    /// Handles one message of the client. A panic ends the channel with `phx_error`, and the client joins again.
    fn handle_in(&mut self, _push: Push, _ctx: &mut Ctx<'_, Self>) -> impl Future<Output = Answer> + Send {
        async { Answer::error_reason("unknown event") }
    }

    /// Handles one message of the server's side.
    fn handle_info(
        &mut self,
        _info: Self::Info,
        _ctx: &mut Ctx<'_, Self>,
    ) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Cleans up on every end but a kill, after a panic too.
    fn terminate(&mut self, _reason: &Exit, _ctx: &mut Ctx<'_, Self>) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// A request to join a topic.
#[derive(Debug)]
pub struct Join {
    pub(crate) topic: std::sync::Arc<str>,
    pub(crate) payload: PushBody,
}

impl Join {
    /// The whole topic, as in `room:42`.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The part behind the first colon, as in `42`; the whole topic if there is no colon.
    pub fn subtopic(&self) -> &str {
        self.topic.split_once(':').map_or(&*self.topic, |(_, sub)| sub)
    }

    /// The parameters of the join.
    pub fn body(&self) -> &PushBody {
        &self.payload
    }

    /// The parameters of the join, parsed.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        self.payload.json()
    }
}

/// An accepted join: the channel's state, and what the client is told.
#[derive(Debug)]
pub struct Joined<C> {
    pub(crate) channel: C,
    pub(crate) response: Payload,
}

impl<C> Joined<C> {
    /// With the response `{}`.
    pub fn new(channel: C) -> Self {
        Self { channel, response: Payload::empty() }
    }

    /// With a response of its own.
    pub fn with(channel: C, response: impl Into<Payload>) -> Self {
        Self { channel, response: response.into() }
    }
}

/// A refused join, with what the client is told.
#[derive(Debug)]
pub struct JoinRefused(pub Payload);

impl JoinRefused {
    /// Tells the client `{"reason": …}`.
    pub fn reason(reason: &str) -> Self {
        Self(Payload::reason(reason))
    }
}

/// One message of the client to a channel.
#[derive(Debug)]
pub struct Push {
    pub(crate) event: Box<str>,
    pub(crate) body: PushBody,
}

impl Push {
    /// What happens.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The payload as it came.
    pub fn body(&self) -> &PushBody {
        &self.body
    }

    /// The payload, parsed; strings can be borrowed.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        self.body.json()
    }
}

/// A received payload. It holds a part of the frame that brought it: parse it and let it go.
#[derive(Clone)]
pub enum PushBody {
    /// Well-formed JSON.
    Json(JsonText),
    /// Bytes of the application.
    Binary(Bytes),
}

impl PushBody {
    /// Parses JSON; a binary payload is an error.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        match self {
            Self::Json(json) => serde_json::from_str(json.as_str()),
            Self::Binary(_) => Err(serde::de::Error::custom("the payload is binary, not JSON")),
        }
    }

    /// Its size in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(json) => json.as_str().len(),
            Self::Binary(data) => data.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a decoded payload out of the frame it lies in, sharing the frame's memory.
    pub(crate) fn of_text(frame: &Utf8Bytes, body: Body<'_>) -> Self {
        match body {
            Body::Json(json) => {
                let start = json.get().as_ptr() as usize - frame.as_str().as_ptr() as usize;
                Self::Json(JsonText { frame: frame.clone(), start, end: start + json.get().len() })
            }
            Body::Binary(data) => Self::Binary(Bytes::copy_from_slice(data)),
        }
    }

    pub(crate) fn of_binary(frame: &Bytes, body: Body<'_>) -> Self {
        match body {
            Body::Binary(data) => Self::Binary(frame.slice_ref(data)),
            Body::Json(json) => {
                let text = Utf8Bytes::from(json.get());
                Self::Json(JsonText { start: 0, end: text.len(), frame: text })
            }
        }
    }
}

impl fmt::Debug for PushBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(_) => write!(f, "Json({} bytes)", self.len()),
            Self::Binary(_) => write!(f, "Binary({} bytes)", self.len()),
        }
    }
}

/// JSON inside the frame that brought it.
#[derive(Clone)]
pub struct JsonText {
    frame: Utf8Bytes,
    start: usize,
    end: usize,
}

impl JsonText {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.frame.as_str().get(self.start..self.end).unwrap_or_default()
    }
}

/// What a push is answered. A push without a ref gets no answer, whatever is returned.
#[derive(Debug)]
pub enum Answer {
    /// Nothing now; [`Ctx::reply_later`] may answer another time.
    None,
    /// The client's `receive("ok", …)`.
    Ok(Payload),
    /// The client's `receive("error", …)`.
    Error(Payload),
}

impl Answer {
    /// Done.
    pub fn ok(response: impl Into<Payload>) -> Self {
        Self::Ok(response.into())
    }

    /// Not done.
    pub fn error(response: impl Into<Payload>) -> Self {
        Self::Error(response.into())
    }

    /// Not done: `{"reason": …}`.
    pub fn error_reason(reason: &str) -> Self {
        Self::Error(Payload::reason(reason))
    }
}
