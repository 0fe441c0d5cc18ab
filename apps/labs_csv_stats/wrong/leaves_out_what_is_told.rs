//! Leaves out every row with a mark, though most marks are only told.
//!
//! test: behaviour::what_is_only_told_leaves_nothing_out
//! verdict: a quoted line end is no reason
//>> judge
        let number = self.rows + self.left_out + 1;
        for &(dirt, column) in row.marks() {
            self.note(dirt, number, column, row);
        }
        let (found, wanted) = (row.len(), self.columns.len());
        if found != wanted && row.marks().is_empty() {
            let (dirt, column) = match found < wanted {
                true if row.is_cut_off() => (Dirt::Truncated, found + 1),
                true => (Dirt::TooFewFields, found + 1),
                false => (Dirt::TooManyFields, wanted + 1),
            };
            self.note(dirt, number, column, row);
        }
        let whole = found == wanted && row.marks().is_empty();
        self.left_out += u64::from(!whole);
        whole
//<<
