//! Drains by letting the timer do it: a stop takes as long as the patience.
//!
//! test: faults::a_stop_finishes_what_was_taken_and_takes_no_more
//! verdict: it waited for a batch that nothing more comes into
//>> drain
        // Whatever is held, `tick` will write.
//<<
