//! Names the last column of the heading, though others are missing before it.
//!
//! test: faults::a_row_of_too_few_fields_is_left_out
//! verdict: two columns are missing, and b is the first
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
                true => (Dirt::TooFewFields, wanted),
                false => (Dirt::TooManyFields, wanted + 1),
            };
            self.note(dirt, number, column, row);
            whole = false;
        }
        self.left_out += u64::from(!whole);
        whole
//<<
