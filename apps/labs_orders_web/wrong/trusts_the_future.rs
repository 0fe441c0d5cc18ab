//! Takes a version that is greater than its own for one that knows everything: after a restart nobody is told anything.
//!
//! test: laws::who_was_away_for_too_long_or_knows_another_book_reads_anew
//! verdict: right: Everything
//>> since
        let oldest = self.changes.front().map_or(self.version, |change| change.version - 1);
        if known < oldest {
            return Missed::Everything;
        }
        let skip = usize::try_from(known - oldest).unwrap_or(usize::MAX);
        Missed::Changes(self.changes.iter().skip(skip).cloned().collect())
//<<
