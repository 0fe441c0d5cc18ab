//! Drops the entry of a count that was updated since, and looks at that count never again.
//!
//! test: behaviour::a_sweep_takes_the_dead_and_leaves_the_living
//! verdict: a busy count was never swept away
//>> sweep
        let mut gone = 0;
        while self.queue.peek().is_some_and(|Reverse((due, _))| *due <= now)
            && let Some(Reverse((_, key))) = self.queue.pop()
        {
            if self.counts.get(&key).is_some_and(|count| count.expires <= now) {
                self.counts.remove(&key);
                gone += 1;
            }
        }
        gone
//<<
