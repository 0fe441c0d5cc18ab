//! Takes an entry that is due for a count that is over.
//!
//! test: behaviour::a_sweep_takes_the_dead_and_leaves_the_living
//! verdict: two were not updated since
//>> sweep
        let mut gone = 0;
        while self.queue.peek().is_some_and(|Reverse((due, _))| *due <= now)
            && let Some(Reverse((_, key))) = self.queue.pop()
        {
            gone += usize::from(self.counts.remove(&key).is_some());
        }
        gone
//<<
