//! Joins the lines of a field of several lines.
//!
//! test: behaviour::a_quoted_newline_stays_in_its_field
//! verdict: three rows of two fields were written
//>> quoted
        let (run, rest) = self.run(rest, STOPS_QUOTED);
        self.row.push(run);
        let [stop, after @ ..] = rest else { return rest };
        match *stop {
            QUOTE => self.state = State::QuoteInQuotes,
            0 => self.nul(),
            line_end => {
                self.row.mark(Dirt::LineEndInQuotes);
                self.line += 1;
                if line_end == b'\r' {
                    self.state = State::QuotedAfterCr;
                }
            }
        }
        after
//<<
