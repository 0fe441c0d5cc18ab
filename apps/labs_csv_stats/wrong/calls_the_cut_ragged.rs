//! Does not look at how the file ends: a download that broke off looks like one careless row.
//!
//! test: faults::a_file_that_was_cut_off_says_so
//! verdict: of the row that was cut
//>> judge
        if row.marks().is_empty() && row.len() == self.columns.len() {
            return true;
        }
        let number = self.rows + self.left_out + 1;
        let (mut blank, mut whole) = (false, true);
        for &(dirt, column) in row.marks() {
            blank |= dirt == Dirt::BlankLine;
            if dirt.effect() != Effect::FieldLeftOut {
                self.note(dirt, number, column, row);
            }
            whole &= dirt.effect() != Effect::RowLeftOut;
        }
        if blank {
            return false;
        }
        let (found, wanted) = (row.len(), self.columns.len());
        if whole && found != wanted {
            let dirt = if found < wanted { Dirt::TooFewFields } else { Dirt::TooManyFields };
            self.note(dirt, number, found.min(wanted) + 1, row);
            whole = false;
        }
        self.left_out += u64::from(!whole);
        whole
//<<
