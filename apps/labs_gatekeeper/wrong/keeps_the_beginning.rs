//! Stops keeping at the bound: the reason of the failure is what comes last.
//!
//! test: laws::the_beginning_and_the_end_are_kept
//! verdict: the end
//>> keep
        let (head, rest) = printed.split_at(printed.len().min(2 * self.half - self.head.len()));
        self.head.extend_from_slice(head);
        self.left_out += rest.len() as u64;
//<<
