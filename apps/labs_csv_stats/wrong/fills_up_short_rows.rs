//! Takes a ragged row as far as it goes.
//!
//! test: laws::every_row_is_counted_once
//! verdict: fields of a column in
//>> judge
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
        self.left_out += u64::from(!whole);
        whole
//<<
