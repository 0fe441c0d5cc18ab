//! Checked input.
