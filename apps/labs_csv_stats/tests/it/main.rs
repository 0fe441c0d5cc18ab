//! What is no gate: the program from outside, and the real files beside an independent count.

mod program;
mod retail;
