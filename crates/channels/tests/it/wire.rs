//! Laws of the wire: what is written can be read, and nothing that is read does harm.

use channels::Payload;
use channels::wire::{
    self, Body, DecodeError, Frame, MAX_TEXT, Message, ServerMessage, Status, decode_client_binary,
    decode_server_binary, decode_text,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9:]{1,12}", "\\PC{1,60}", Just("\"\\\u{1}\n\u{7f}\u{2028}".to_owned())]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        value().prop_map(Payload::from),
        prop::collection::vec(any::<u8>(), 0..64).prop_map(Payload::binary)
    ]
}

fn decode(frame: &Frame) -> Message<'_> {
    match frame {
        Frame::Text(text) => decode_text(text.as_str()).expect("a text frame"),
        Frame::Binary(data) => decode_client_binary(data).expect("a binary frame"),
    }
}

fn read_binary(frame: &Frame) -> ServerMessage<'_> {
    let Frame::Binary(bytes) = frame else { panic!("bytes go as binary") };
    decode_server_binary(bytes).expect("a server's frame")
}

fn same(body: Body<'_>, payload: &Payload) -> bool {
    match (body, payload) {
        (Body::Json(json), Payload::Json(raw)) => json.get() == raw.as_str(),
        (Body::Binary(data), Payload::Binary(bytes)) => data == &**bytes,
        _ => false,
    }
}

proptest! {
    #[test]
    fn what_a_client_writes_the_server_reads(
        refs in prop::option::of((text(), text())), topic in text(), event in text(), payload in payload()
    ) {
        let (join_ref, reference) = refs.as_ref().map_or((None, None), |(join, own)| (Some(join.as_str()), Some(own.as_str())));
        let frame = wire::client_push(join_ref, reference, &topic, &event, &payload).unwrap();
        let message = decode(&frame);
        prop_assert_eq!(message.join_ref.as_deref(), join_ref);
        prop_assert_eq!(message.reference.as_deref(), reference);
        prop_assert_eq!(&*message.topic, &*topic);
        prop_assert_eq!(&*message.event, &*event);
        prop_assert!(same(message.payload, &payload));
    }

    #[test]
    fn what_the_server_writes_a_client_reads(
        join_ref in text(), reference in text(), topic in text(), event in text(), payload in payload(), ok in any::<bool>()
    ) {
        let status = if ok { Status::Ok } else { Status::Error };
        let push = wire::push(Some(&join_ref), &topic, &event, &payload).unwrap();
        let reply = wire::reply(Some(&join_ref), &reference, &topic, status, &payload).unwrap();
        let all = wire::broadcast(&topic, &event, &payload).unwrap();
        match &payload {
            Payload::Json(raw) => {
                let value: Value = serde_json::from_str(raw.as_str()).unwrap();
                let read = |frame: &Frame| -> Value {
                    let Frame::Text(text) = frame else { panic!("JSON goes as text") };
                    serde_json::from_str(text.as_str()).unwrap()
                };
                prop_assert_eq!(read(&push), json!([join_ref, null, topic, event, value]));
                prop_assert_eq!(read(&all), json!([null, null, topic, event, value]));
                let answer = json!({ "status": status.as_str(), "response": value });
                prop_assert_eq!(read(&reply), json!([join_ref, reference, topic, "phx_reply", answer]));
            }
            Payload::Binary(data) => {
                let data: &[u8] = data;
                let (join_ref, reference, topic, event) = (&*join_ref, &*reference, &*topic, &*event);
                prop_assert_eq!(read_binary(&push), ServerMessage::Push { join_ref, topic, event, data });
                prop_assert_eq!(read_binary(&all), ServerMessage::Broadcast { topic, event, data });
                let status = status.as_str();
                prop_assert_eq!(read_binary(&reply), ServerMessage::Reply { join_ref, reference, topic, status, data });
            }
        }
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        // Whatever is read lies inside of what came.
        if let Ok(message) = decode_client_binary(&bytes) {
            let Body::Binary(data) = message.payload else { panic!("a binary frame has bytes") };
            prop_assert!(message.topic.len() + message.event.len() + data.len() < bytes.len());
        }
        let _ = decode_server_binary(&bytes);
        let _ = decode_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_text_that_looks_like_a_message_does_harm(parts in prop::collection::vec(
        prop_oneof![Just("["), Just("]"), Just(","), Just("null"), Just("\"a\""), Just("{}"), Just("\""), Just("\\u"), Just("1e999")], 0..24)
    ) {
        if let Ok(message) = decode_text(&parts.concat()) {
            prop_assert!(message.topic.len() <= MAX_TEXT && message.event.len() <= MAX_TEXT);
        }
    }
}

#[test]
fn the_frames_of_the_specification() {
    let payload = Payload::binary(vec![1, 2, 3]);
    let frame = wire::client_push(Some("0"), Some("1"), "top", "ev", &payload).unwrap();
    let bytes = [b"\0\x01\x01\x03\x0201topev".as_slice(), &[1, 2, 3]].concat();
    assert_eq!(frame, Frame::Binary(bytes.into()));
    let frame = wire::reply(Some("12"), "2", "top", Status::Ok, &payload).unwrap();
    let bytes = [b"\x01\x02\x01\x03\x02122topok".as_slice(), &[1, 2, 3]].concat();
    assert_eq!(frame, Frame::Binary(bytes.into()));
    let frame = wire::push(Some("12"), "top", "ev", &payload).unwrap();
    assert_eq!(frame, Frame::Binary([b"\0\x02\x03\x0212topev".as_slice(), &[1, 2, 3]].concat().into()));
    let frame = wire::broadcast("top", "ev", &payload).unwrap();
    assert_eq!(frame, Frame::Binary([b"\x02\x03\x02topev".as_slice(), &[1, 2, 3]].concat().into()));
}

#[test]
fn what_is_decoded_borrows_from_its_frame() {
    let frame = r#"["1",null,"room:1","say",{"a":1}]"#;
    let message = decode_text(frame).unwrap();
    assert!(matches!(message.topic, std::borrow::Cow::Borrowed(_)));
    assert!(matches!(message.join_ref, Some(std::borrow::Cow::Borrowed("1"))));
    let Body::Json(json) = message.payload else { panic!("text is JSON") };
    assert!(frame.as_bytes().as_ptr_range().contains(&json.get().as_ptr()));
}

#[test]
fn texts_have_their_longest() {
    let fits = "t".repeat(MAX_TEXT);
    assert!(decode_text(&format!(r#"[null,null,"{fits}","e",0]"#)).is_ok());
    assert!(matches!(decode_text(&format!(r#"[null,null,"{fits}t","e",0]"#)), Err(DecodeError::TooLong)));
    let data = Payload::binary(vec![]);
    assert!(wire::broadcast(&fits, "e", &data).is_ok());
    assert_eq!(wire::broadcast(&format!("{fits}t"), "e", &data), Err(wire::EncodeError(256)));
}
