//! Phoenix's V2 wire format, without I/O: bytes to messages and messages to frames.
//!
//! Invariant: topic, event and refs of a decoded message are at most [`MAX_TEXT`] bytes each, so that every answer to
//! it can be written as a binary frame, too. Decoding allocates by what is there, never by a claimed length.
//!
//! Text frames are JSON arrays `[join_ref, ref, topic, event, payload]`, the same in both directions. Binary frames
//! begin with their kind and one length byte for each string; a client's push has four strings, a server's push three.
//!
//! ```
//! use channels::wire::{self, Body};
//! let message = wire::decode_text(r#"["1","2","room:lobby","say",{"text":"hi"}]"#)?;
//! assert_eq!((&*message.topic, &*message.event), ("room:lobby", "say"));
//! assert!(matches!(message.payload, Body::Json(json) if json.get() == r#"{"text":"hi"}"#));
//! # Ok::<(), wire::DecodeError>(())
//! ```

mod decode;
mod encode;

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;
use thiserror::Error;
use tokio_tungstenite::tungstenite::Utf8Bytes;

pub use decode::{ServerMessage, decode_client_binary, decode_server_binary, decode_text};
pub use encode::{broadcast, client_push, push, reply};

/// The longest topic, event or ref in bytes: what one length byte of a binary frame can say.
pub const MAX_TEXT: usize = 255;

/// The topic of the socket itself: heartbeats.
pub const PHOENIX: &str = "phoenix";
/// A client's keep-alive.
pub const HEARTBEAT: &str = "heartbeat";
/// A client asks to join a topic.
pub const JOIN: &str = "phx_join";
/// A client leaves a topic.
pub const LEAVE: &str = "phx_leave";
/// The answer to a message with a ref.
pub const REPLY: &str = "phx_reply";
/// The channel ended in good order.
pub const CLOSE: &str = "phx_close";
/// The channel crashed; the client joins again after a while.
pub const ERROR: &str = "phx_error";

/// A decoded message that borrows from its frame; strings are owned only where JSON escaped them.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The ref of the join that this message belongs to.
    pub join_ref: Option<Cow<'a, str>>,
    /// What the answer shall carry; none, then no answer is wanted.
    pub reference: Option<Cow<'a, str>>,
    /// Which channel.
    pub topic: Cow<'a, str>,
    /// What happens.
    pub event: Cow<'a, str>,
    /// The rest, not yet parsed.
    pub payload: Body<'a>,
}

/// The payload of a decoded message.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// JSON text, known to be well formed.
    Json(&'a RawValue),
    /// Bytes of the application.
    Binary(&'a [u8]),
}

/// An encoded frame. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// For a text message of the WebSocket.
    Text(Utf8Bytes),
    /// For a binary message.
    Binary(Bytes),
}

impl Frame {
    /// Its size in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes, which no encoded frame is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether a push was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The client's `receive("ok", …)`.
    Ok,
    /// The client's `receive("error", …)`.
    Error,
}

impl Status {
    /// As it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

/// Why a frame is no message.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// A text frame that is no JSON array of five.
    #[error("the text frame is not [join_ref, ref, topic, event, payload]: {0}")]
    Json(#[from] serde_json::Error),
    /// A binary frame of another kind than this direction has.
    #[error("the binary frame has the unknown kind {0}")]
    Kind(u8),
    /// A binary frame that ends before its strings do.
    #[error("the binary frame ends inside its header")]
    Truncated,
    /// A string of a binary frame that is not UTF-8.
    #[error("a string of the binary frame is not UTF-8")]
    Utf8,
    /// Topic, event or ref over [`MAX_TEXT`] bytes.
    #[error("topic, event or ref is longer than {MAX_TEXT} bytes")]
    TooLong,
}

/// A topic, event or ref is too long for a binary frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the binary frame's topic, event or ref has {0} bytes; at most {MAX_TEXT} fit")]
pub struct EncodeError(pub usize);
