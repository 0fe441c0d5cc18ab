//! Counts one too few: whoever comes back misses the first change since.
//!
//! test: behaviour::a_program_that_was_away_is_told_what_it_has_missed
//! verdict: left: (Number(1), Some([]))
//>> since
        let oldest = self.changes.front().map_or(self.version, |change| change.version - 1);
        if known > self.version || known < oldest {
            return Missed::Everything;
        }
        let skip = usize::try_from(known - oldest).unwrap_or(usize::MAX);
        Missed::Changes(self.changes.iter().skip(skip + 1).cloned().collect())
//<<
