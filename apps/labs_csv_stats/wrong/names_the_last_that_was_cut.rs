//! Names the last column of a row that was cut off: that it is the last says nothing about where it was cut.
//!
//! test: faults::a_file_that_was_cut_off_says_so
//! verdict: two columns were cut off, and b is the first
//>> judge
        if row.marks().is_empty() && row.len() == self.columns.len() {
            return true;
        }
        let number = self.rows + self.left_out + 1;
        let (mut blank, mut whole) = (false, true);
        for &(dirt, column) in row.marks() {
            blank |= dirt == Dirt::BlankLine;
            // What can't be read is told field by field, below.
            if dirt.effect() != Effect::FieldLeftOut {
                self.note(dirt, number, column, row);
            }
            whole &= dirt.effect() != Effect::RowLeftOut;
        }
        if blank {
            return false;
        }
        let (found, wanted) = (row.len(), self.columns.len());
        // An open quote or a row without end has too few or too many fields because of it: one reason is enough.
        if whole && found != wanted {
            let (dirt, column) = match found < wanted {
                true if row.is_cut_off() => (Dirt::Truncated, wanted),
                true => (Dirt::TooFewFields, found + 1),
                false => (Dirt::TooManyFields, wanted + 1),
            };
            self.note(dirt, number, column, row);
            whole = false;
        }
        self.left_out += u64::from(!whole);
        whole
//<<
