//! Messages to frames. Invariant: one buffer a frame, of its final size or nearly so; a text frame is well-formed JSON.

use super::{EncodeError, Frame, MAX_TEXT, REPLY, Status};
use crate::payload::Payload;

/// A server's message to one channel.
pub fn push(
    join_ref: Option<&str>,
    topic: &str,
    event: &str,
    payload: &Payload,
) -> Result<Frame, EncodeError> {
    match payload {
        Payload::Json(json) => Ok(five(join_ref, None, topic, event, json.as_str())),
        Payload::Binary(data) => binary(0, &[join_ref.unwrap_or_default(), topic, event], data),
    }
}

/// The answer to the message with this ref.
pub fn reply(
    join_ref: Option<&str>,
    reference: &str,
    topic: &str,
    status: Status,
    payload: &Payload,
) -> Result<Frame, EncodeError> {
    match payload {
        Payload::Json(json) => {
            let mut text = begin(join_ref, Some(reference), topic, REPLY, json.as_str().len() + 32);
            text.push_str("{\"status\":\"");
            text.push_str(status.as_str());
            text.push_str("\",\"response\":");
            text.push_str(json.as_str());
            text.push_str("}]");
            Ok(Frame::Text(text.into()))
        }
        Payload::Binary(data) => {
            binary(1, &[join_ref.unwrap_or_default(), reference, topic, status.as_str()], data)
        }
    }
}

/// A message to all who joined the topic: encoded once, shared by all.
pub fn broadcast(topic: &str, event: &str, payload: &Payload) -> Result<Frame, EncodeError> {
    match payload {
        Payload::Json(json) => Ok(five(None, None, topic, event, json.as_str())),
        Payload::Binary(data) => binary(2, &[topic, event], data),
    }
}

/// A client's message.
pub fn client_push(
    join_ref: Option<&str>,
    reference: Option<&str>,
    topic: &str,
    event: &str,
    payload: &Payload,
) -> Result<Frame, EncodeError> {
    match payload {
        Payload::Json(json) => Ok(five(join_ref, reference, topic, event, json.as_str())),
        Payload::Binary(data) => {
            let texts = [join_ref.unwrap_or_default(), reference.unwrap_or_default(), topic, event];
            binary(0, &texts, data)
        }
    }
}

fn five(join_ref: Option<&str>, reference: Option<&str>, topic: &str, event: &str, payload: &str) -> Frame {
    let mut text = begin(join_ref, reference, topic, event, payload.len() + 1);
    text.push_str(payload);
    text.push(']');
    Frame::Text(text.into())
}

/// The array up to the payload, in a buffer with room for `more` bytes.
fn begin(join_ref: Option<&str>, reference: Option<&str>, topic: &str, event: &str, more: usize) -> String {
    let refs = join_ref.map_or(4, str::len) + reference.map_or(4, str::len);
    let mut text = String::with_capacity(refs + topic.len() + event.len() + 13 + more);
    text.push('[');
    for reference in [join_ref, reference] {
        match reference {
            Some(reference) => quote(&mut text, reference),
            None => text.push_str("null"),
        }
        text.push(',');
    }
    quote(&mut text, topic);
    text.push(',');
    quote(&mut text, event);
    text.push(',');
    text
}

/// A JSON string. Nearly none has anything to escape.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push_str(text);
    } else {
        for character in text.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\0'..='\x1f' => {
                    const HEX: &[u8; 16] = b"0123456789abcdef";
                    let code = character as usize;
                    out.push_str("\\u00");
                    out.push(char::from(HEX[code >> 4]));
                    out.push(char::from(HEX[code & 15]));
                }
                other => out.push(other),
            }
        }
    }
    out.push('"');
}

fn binary(kind: u8, texts: &[&str], data: &[u8]) -> Result<Frame, EncodeError> {
    let size = 1 + texts.iter().map(|text| 1 + text.len()).sum::<usize>() + data.len();
    let mut frame = Vec::with_capacity(size);
    frame.push(kind);
    for text in texts {
        let length = u8::try_from(text.len()).map_err(|_| EncodeError(text.len()))?;
        frame.push(length);
    }
    const { assert!(MAX_TEXT == u8::MAX as usize) };
    for text in texts {
        frame.extend_from_slice(text.as_bytes());
    }
    frame.extend_from_slice(data);
    Ok(Frame::Binary(frame.into()))
}
