//! Takes over the estate as new counts, through the update of a client.
//!
//! test: laws::crashes_change_nothing_that_was_acknowledged
//! verdict: the count of
//>> inherit
        let mut counters = Counters::new(settings.ttl, settings.keys);
        for change in heir.estate() {
            let key = change.key.to_string();
            let _ = counters.update(now, &[key], |_, _| change.value);
        }
        Self { counters, heir: heir.clone() }
//<<
