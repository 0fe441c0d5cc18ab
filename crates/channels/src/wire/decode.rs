//! Frames to messages. Invariant: nothing panics on any bytes, nothing is copied but strings with escapes.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Body, DecodeError, MAX_TEXT, Message};

/// A string that borrows where it can; `Option<Cow<str>>` alone would always copy.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Five<'a>(
    #[serde(borrow)] Option<Text<'a>>,
    #[serde(borrow)] Option<Text<'a>>,
    #[serde(borrow)] Text<'a>,
    #[serde(borrow)] Text<'a>,
    #[serde(borrow)] &'a RawValue,
);

/// Decodes a text frame of either direction. O(length).
pub fn decode_text(frame: &str) -> Result<Message<'_>, DecodeError> {
    let Five(join_ref, reference, topic, event, payload) = serde_json::from_str(frame)?;
    let message = Message {
        join_ref: join_ref.map(|text| text.0),
        reference: reference.map(|text| text.0),
        topic: topic.0,
        event: event.0,
        payload: Body::Json(payload),
    };
    let refs = [&message.join_ref, &message.reference];
    let longest = refs.into_iter().flatten().chain([&message.topic, &message.event]).map(|text| text.len());
    if longest.max() > Some(MAX_TEXT) {
        return Err(DecodeError::TooLong);
    }
    Ok(message)
}

/// Decodes a binary frame from a client: always a push. O(1).
pub fn decode_client_binary(frame: &[u8]) -> Result<Message<'_>, DecodeError> {
    let ([kind, join_ref, reference, topic, event], rest) =
        frame.split_first_chunk().ok_or(DecodeError::Truncated)?;
    if *kind != 0 {
        return Err(DecodeError::Kind(*kind));
    }
    let (join_ref, rest) = text(*join_ref, rest)?;
    let (reference, rest) = text(*reference, rest)?;
    let (topic, rest) = text(*topic, rest)?;
    let (event, data) = text(*event, rest)?;
    Ok(Message {
        join_ref: present(join_ref),
        reference: present(reference),
        topic: topic.into(),
        event: event.into(),
        payload: Body::Binary(data),
    })
}

/// A binary frame from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerMessage<'a> {
    /// To one channel; has no ref.
    Push {
        /// The join that it belongs to.
        join_ref: &'a str,
        /// Which channel.
        topic: &'a str,
        /// What happens.
        event: &'a str,
        /// Bytes of the application.
        data: &'a [u8],
    },
    /// The answer to a push.
    Reply {
        /// The join that it belongs to.
        join_ref: &'a str,
        /// Which push.
        reference: &'a str,
        /// Which channel.
        topic: &'a str,
        /// `ok` or `error`.
        status: &'a str,
        /// Bytes of the application.
        data: &'a [u8],
    },
    /// To all who joined the topic.
    Broadcast {
        /// Which topic.
        topic: &'a str,
        /// What happens.
        event: &'a str,
        /// Bytes of the application.
        data: &'a [u8],
    },
}

/// Decodes a binary frame from a server, as clients and tests need it. O(1).
pub fn decode_server_binary(frame: &[u8]) -> Result<ServerMessage<'_>, DecodeError> {
    match frame {
        [0, join_ref, topic, event, rest @ ..] => {
            let (join_ref, rest) = text(*join_ref, rest)?;
            let (topic, rest) = text(*topic, rest)?;
            let (event, data) = text(*event, rest)?;
            Ok(ServerMessage::Push { join_ref, topic, event, data })
        }
        [1, join_ref, reference, topic, status, rest @ ..] => {
            let (join_ref, rest) = text(*join_ref, rest)?;
            let (reference, rest) = text(*reference, rest)?;
            let (topic, rest) = text(*topic, rest)?;
            let (status, data) = text(*status, rest)?;
            Ok(ServerMessage::Reply { join_ref, reference, topic, status, data })
        }
        [2, topic, event, rest @ ..] => {
            let (topic, rest) = text(*topic, rest)?;
            let (event, data) = text(*event, rest)?;
            Ok(ServerMessage::Broadcast { topic, event, data })
        }
        [] | [0..=2, ..] => Err(DecodeError::Truncated),
        [kind, ..] => Err(DecodeError::Kind(*kind)),
    }
}

/// The first `length` bytes as a string, and the rest.
fn text(length: u8, bytes: &[u8]) -> Result<(&str, &[u8]), DecodeError> {
    let (text, rest) = bytes.split_at_checked(length.into()).ok_or(DecodeError::Truncated)?;
    Ok((std::str::from_utf8(text).map_err(|_| DecodeError::Utf8)?, rest))
}

/// Binary frames have no null: an empty ref is none.
fn present(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}
