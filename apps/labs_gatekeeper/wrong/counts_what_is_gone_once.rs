//! Counts what does not fit into the tail, and not what it pushes out.
//!
//! test: laws::the_beginning_and_the_end_are_kept
//! verdict: are kept or counted
//>> keep
        let (head, rest) = printed.split_at(printed.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(head);
        // Of what is longer than the tail, only the end can stay.
        let (gone, rest) = rest.split_at(rest.len().saturating_sub(self.half));
        let over = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..over);
        self.tail.extend(rest);
        self.left_out += gone.len() as u64;
//<<
