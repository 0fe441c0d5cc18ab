//! What is kept of a check's output: its beginning and its end.
//!
//! **Invariant.** Never more than the bound, however much is printed; what is left out is counted. The beginning says what was run, the
//! end says how it failed.

use std::collections::VecDeque;

/// Output within a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Bytes that each of the two halves may hold.
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Kept {
    /// At most so many bytes.
    pub fn new(bound: usize) -> Self {
        Self { half: bound / 2, head: Vec::new(), tail: VecDeque::new(), left_out: 0 }
    }

    /// Takes in what was printed.
    pub fn push(&mut self, printed: &[u8]) {
        //>> keep
        //? A million lines, and then the reason of the failure. What must still be there, and what may be gone?
        let (head, rest) = printed.split_at(printed.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(head);
        // Of what is longer than the tail, only the end can stay.
        let (gone, rest) = rest.split_at(rest.len().saturating_sub(self.half));
        let over = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..over);
        self.tail.extend(rest);
        self.left_out += (gone.len() + over) as u64;
        //<<
    }

    /// Bytes that were printed and are gone.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Bytes that are held.
    pub fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// Whether nothing was printed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As text, with a line where something is missing; what is no UTF-8 is marked.
    pub fn text(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.left_out == 0 {
            return String::from_utf8_lossy(&[&self.head[..], &tail].concat()).into_owned();
        }
        let (head, tail) = (String::from_utf8_lossy(&self.head), String::from_utf8_lossy(&tail));
        format!("{head}\n[… {} bytes left out …]\n{tail}", self.left_out)
    }
}
