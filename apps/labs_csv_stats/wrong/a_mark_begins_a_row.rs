//! Takes the byte order mark for the beginning of a row: a blank line behind it has a field then.
//!
//! test: faults::a_byte_order_mark_is_dropped
//! verdict: a mark and a blank line are no heading
//>> step
        match (self.state, byte) {
            (State::Plain, _) => return self.plain(rest, each),
            (State::FieldStart, QUOTE) => self.state = State::Quoted,
            (State::FieldStart, _) => {
                self.state = State::Plain;
                return rest;
            }
            (State::RowStart, b'\n' | b'\r') => {
                self.row.mark(Dirt::BlankLine);
                self.end_line(byte, each);
            }
            (State::RowStart, _) => {
                self.state = State::FieldStart;
                return rest;
            }
            (State::Quoted, _) => return self.quoted(rest),
            (State::QuotedAfterCr, _) => {
                self.state = State::Quoted;
                // A line feed right behind is part of the same line end.
                if byte == b'\n' {
                    self.row.push(b"\n");
                    return after;
                }
                return rest;
            }
            (State::QuoteInQuotes, QUOTE) => {
                self.row.push(b"\"");
                self.state = State::Quoted;
            }
            (State::QuoteInQuotes, b'\n' | b'\r') => self.end_line(byte, each),
            (State::QuoteInQuotes, _) if byte == self.delimiter => self.end_field(),
            (State::QuoteInQuotes, _) => {
                self.row.mark(Dirt::TextAfterQuote);
                self.state = State::Plain;
                return rest;
            }
            (State::AfterCr, b'\n') => self.end_row(LineEnd::CrLf, each),
            (State::AfterCr, _) => {
                self.end_row(LineEnd::Cr, each);
                return rest;
            }
            (State::FileStart(seen), _) if byte == MARK[usize::from(seen)] => {
                if seen == 2 {
                    self.row.mark(Dirt::ByteOrderMark);
                    self.state = State::FieldStart;
                } else {
                    self.state = State::FileStart(seen + 1);
                }
            }
            (State::FileStart(0), _) => {
                self.state = State::RowStart;
                return rest;
            }
            (State::FileStart(seen), _) => {
                self.row.push(&MARK[..usize::from(seen)]);
                self.state = State::Plain;
                return rest;
            }
        }
        after
//<<
