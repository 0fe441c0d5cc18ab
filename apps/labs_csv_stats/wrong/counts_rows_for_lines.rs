//! Counts a line where a row ends, and none inside of a field: an editor shows another place.
//!
//! test: faults::lines_are_counted_as_editors_do
//! verdict: the short rows begin on lines 6 and 8
//>> quoted
        let (run, rest) = self.run(rest, STOPS_QUOTED);
        self.row.push(run);
        let [stop, after @ ..] = rest else { return rest };
        match *stop {
            QUOTE => self.state = State::QuoteInQuotes,
            0 => self.nul(),
            line_end => {
                self.row.mark(Dirt::LineEndInQuotes);
                self.row.push(&[line_end]);
                if line_end == b'\r' {
                    self.state = State::QuotedAfterCr;
                }
            }
        }
        after
//<<
