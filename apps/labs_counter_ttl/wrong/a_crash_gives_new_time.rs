//! Gives what it inherits the time of something new.
//!
//! test: laws::crashes_change_nothing_that_was_acknowledged
//! verdict: the count of
//>> inherit
        let mut counters = Counters::new(settings.ttl, settings.keys);
        heir.sweep(now);
        let mut estate = heir.estate();
        for change in &mut estate {
            change.expires = now + settings.ttl;
        }
        counters.apply(&estate);
        Self { counters, heir: heir.clone() }
//<<
