//! The built desk in a real browser. What a learner must pass is in `tests/gate` and `tests/budget.rs`.

mod browser;
