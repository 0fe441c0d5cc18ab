//! Tells of a line feed between quotes, and keeps quiet about the other line ends.
//!
//! test: behaviour::a_quoted_newline_stays_in_its_field
//! verdict: three line ends between quotes
//>> quoted
        let (run, rest) = self.run(rest, STOPS_QUOTED);
        self.row.push(run);
        let [stop, after @ ..] = rest else { return rest };
        match *stop {
            QUOTE => self.state = State::QuoteInQuotes,
            0 => self.nul(),
            line_end => {
                if line_end == b'\n' {
                    self.row.mark(Dirt::LineEndInQuotes);
                }
                self.row.push(&[line_end]);
                self.line += 1;
                if line_end == b'\r' {
                    self.state = State::QuotedAfterCr;
                }
            }
        }
        after
//<<
