//! A bounded queue that owns no memory while it is empty and at rest.
//!
//! Invariant: `taken` counts every message ever handed out, so that the number given by `push` tells later
//! whether that very message was taken or died in the queue.

use std::collections::VecDeque;

/// Buffers up to this many slots are kept while the queue is in use; larger ones shrink as they empty.
const KEEP: usize = 64;

/// The queue of one server. It lies inside the server's lock.
pub(crate) struct Mailbox<M> {
    items: VecDeque<M>,
    taken: u64,
    capacity: u32,
}

impl<M> Mailbox<M> {
    pub(crate) const fn new(capacity: u32) -> Self {
        Self { items: VecDeque::new(), taken: 0, capacity }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn capacity(&self) -> u32 {
        self.capacity
    }

    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= self.capacity as usize
    }

    /// The message that would be taken next.
    pub(crate) fn front(&self) -> Option<&M> {
        self.items.front()
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Queues a message and returns its number: it was taken once `taken()` is greater.
    pub(crate) fn push(&mut self, message: M) -> Result<u64, M> {
        if self.is_full() {
            return Err(message);
        }
        Ok(self.push_beyond_capacity(message))
    }

    /// For the runtime's own messages (down, timer), which are bounded by what the server itself asked for.
    pub(crate) fn push_beyond_capacity(&mut self, message: M) -> u64 {
        self.items.push_back(message);
        self.taken + self.items.len() as u64 - 1
    }

    pub(crate) fn pop(&mut self) -> Option<M> {
        let message = self.items.pop_front()?;
        self.taken += 1;
        let buffer = self.items.capacity();
        if buffer > KEEP && self.items.len() < buffer / 4 {
            self.items.shrink_to(buffer / 2);
        }
        Some(message)
    }

    /// Gives the buffer back; called when the server goes to rest with nothing queued.
    pub(crate) fn rest(&mut self) {
        if self.items.capacity() > 0 && self.items.is_empty() {
            self.items = VecDeque::new();
        }
    }

    /// Takes what is queued without counting it as taken.
    pub(crate) fn drain(&mut self) -> VecDeque<M> {
        std::mem::take(&mut self.items)
    }

    #[cfg(test)]
    pub(crate) fn buffer(&self) -> usize {
        self.items.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_mailbox_at_rest_owns_no_memory() {
        let mut mailbox = Mailbox::new(10_000);
        assert_eq!(mailbox.buffer(), 0);
        for n in 0..10_000 {
            mailbox.push(n).unwrap();
        }
        while mailbox.pop().is_some() {}
        assert!(mailbox.buffer() <= KEEP, "shrinks while it empties: {}", mailbox.buffer());
        mailbox.rest();
        assert_eq!(mailbox.buffer(), 0);
    }

    #[derive(Clone, Debug)]
    enum Op {
        Push,
        Force,
        Pop,
        Rest,
        Drain,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => Just(Op::Push),
            1 => Just(Op::Force),
            4 => Just(Op::Pop),
            1 => Just(Op::Rest),
            1 => Just(Op::Drain),
        ]
    }

    proptest! {
        /// Order, bound and the fate of every message agree with a plain model.
        #[test]
        fn behaves_as_a_bounded_queue_that_knows_the_fate_of_each_message(
            capacity in 1u32..8, ops in prop::collection::vec(op(), 0..200),
        ) {
            let mut mailbox = Mailbox::new(capacity);
            let mut model: VecDeque<(u64, usize)> = VecDeque::new();
            let mut taken = Vec::new();
            for (n, op) in ops.into_iter().enumerate() {
                match op {
                    Op::Push => match mailbox.push(n) {
                        Ok(number) => {
                            prop_assert!(model.len() < capacity as usize);
                            model.push_back((number, n));
                        }
                        Err(back) => {
                            prop_assert_eq!(back, n);
                            prop_assert!(model.len() >= capacity as usize);
                        }
                    },
                    Op::Force => model.push_back((mailbox.push_beyond_capacity(n), n)),
                    Op::Pop => {
                        let expected = model.pop_front();
                        prop_assert_eq!(mailbox.pop(), expected.map(|(_, n)| n));
                        taken.extend(expected.map(|(number, _)| number));
                    }
                    Op::Rest => mailbox.rest(),
                    Op::Drain => {
                        let lost = mailbox.drain();
                        prop_assert_eq!(Vec::from(lost), model.iter().map(|(_, n)| *n).collect::<Vec<_>>());
                        for (number, _) in model.drain(..) {
                            prop_assert!(mailbox.taken() <= number, "a drained message was never taken");
                        }
                        // A server drains once, when it closes for good.
                        return Ok(());
                    }
                }
                prop_assert_eq!(mailbox.len(), model.len());
                prop_assert!(taken.iter().all(|number| mailbox.taken() > *number));
                prop_assert!(model.iter().all(|(number, _)| mailbox.taken() <= *number));
            }
        }
    }
}
