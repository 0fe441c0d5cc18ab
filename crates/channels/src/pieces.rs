//! A message as the frames it is written in.
//!
//! Invariant: put together as RFC 6455 says (5.4), the frames are the message, and none of them carries more than [`LARGEST`] bytes.
//! tungstenite keeps the room of the largest frame that it ever wrote, for each socket as long as it is open: uncut, the first
//! page of a view would stay there.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as Piece;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::wire::Frame;

/// Bytes that one frame carries at most: with its head of four it fills an allocator's usual size.
const LARGEST: usize = 1020;

/// What is left of a message.
pub(crate) struct Pieces {
    rest: Bytes,
    /// What the next frame says it is; none after the last.
    next: Option<Data>,
}

impl Pieces {
    pub(crate) fn of(frame: Frame) -> Self {
        let (rest, kind) = match frame {
            Frame::Text(text) => (text.into(), Data::Text),
            Frame::Binary(bytes) => (bytes, Data::Binary),
        };
        Self { rest, next: Some(kind) }
    }
}

impl Iterator for Pieces {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        let kind = self.next.take()?;
        let piece = self.rest.split_to(self.rest.len().min(LARGEST));
        let last = self.rest.is_empty();
        if !last {
            self.next = Some(Data::Continue);
        }
        Some(Message::Frame(Piece::message(piece, OpCode::Data(kind), last)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use tokio_tungstenite::tungstenite::WebSocket;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    /// What tungstenite's own client reads of these messages.
    fn read_back(frames: Vec<Frame>) -> Vec<Message> {
        let mut server = WebSocket::from_raw_socket(Cursor::new(Vec::new()), Role::Server, None);
        let count = frames.len();
        for piece in frames.into_iter().flat_map(Pieces::of) {
            let Message::Frame(frame) = &piece else { panic!("{piece:?} is no frame") };
            assert!(frame.payload().len() <= LARGEST, "a frame of {} bytes", frame.payload().len());
            server.write(piece).unwrap();
        }
        server.flush().unwrap();
        let wire = Cursor::new(std::mem::take(server.get_mut().get_mut()));
        let mut client = WebSocket::from_raw_socket(wire, Role::Client, None);
        (0..count).map(|_| client.read().unwrap()).collect()
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_message(texts in prop::collection::vec(".{0,2000}", 1..4), bytes in prop::collection::vec(any::<u8>(), 0..5_000)) {
            let mut frames: Vec<_> = texts.iter().map(|text| Frame::Text(text.as_str().into())).collect();
            frames.push(Frame::Binary(bytes.clone().into()));
            let mut expected: Vec<_> = texts.into_iter().map(Message::text).collect();
            expected.push(Message::binary(bytes));
            prop_assert_eq!(read_back(frames), expected);
        }
    }

    #[test]
    fn a_message_of_the_largest_size_is_one_frame_and_an_empty_one_too() {
        for (size, frames) in [(0, 1), (LARGEST, 1), (LARGEST + 1, 2), (3 * LARGEST, 3)] {
            assert_eq!(Pieces::of(Frame::Binary(vec![7; size].into())).count(), frames, "{size} bytes");
        }
    }
}
