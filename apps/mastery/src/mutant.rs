//! Mutants, as cargo-mutants lists them: small changes of a text, each at its place.
//!
//! **Invariant.** A mutant differs from its text within its span alone, and one that touches no hole is none of ours: what a
//! learner is given is not what the gate is there for.

use serde::Deserialize;

use crate::hole::{Marks, Source};

/// A line and a column in it, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Point {
    pub(crate) line: usize,
    column: usize,
}

/// From the first character to the one behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: Point,
    end: Point,
}

/// One change: the fields of `cargo mutants --list --json` that we need.
#[derive(Debug, Deserialize)]
pub(crate) struct Mutant {
    /// From the workspace's folder.
    pub(crate) file: String,
    /// `FILE:LINE:COLUMN: replace < with <= in f`.
    name: String,
    pub(crate) span: Span,
    replacement: String,
}

impl Mutant {
    /// What is changed, in cargo-mutants' words: `replace < with <= in f`.
    pub(crate) fn change(&self) -> &str {
        self.name.split_once(": ").map_or(&self.name, |(_, change)| change)
    }

    /// The text with the change in it. O(length).
    pub(crate) fn applied(&self, text: &str) -> String {
        let (start, end) = (offset(text, self.span.start), offset(text, self.span.end));
        [&text[..start], &self.replacement, &text[end.max(start)..]].concat()
    }

    /// The holes of the text whose bodies it changes.
    pub(crate) fn holes(&self, text: &str) -> Result<Vec<String>, Marks> {
        let source = Source::split(text)?;
        let touched = source.holes().zip(source.bodies()).filter(|(_, (first, body))| {
            self.span.start.line < first + body.len() && self.span.end.line >= *first
        });
        Ok(touched.map(|(hole, _)| hole.name.to_owned()).collect())
    }
}

/// Where a point is, in bytes; the text's end if it is behind it.
fn offset(text: &str, point: Point) -> usize {
    let lines = text.split_inclusive('\n').take(point.line.saturating_sub(1));
    let before: usize = lines.map(str::len).sum();
    let line = &text[before..];
    before + line.char_indices().nth(point.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::{Mutant, Point, Span};

    const TEXT: &str = "fn f() {\n    //>> a\n    ä < b;\n    //<<\n    c < d\n}\n";

    fn mutant(from: (usize, usize), to: (usize, usize)) -> Mutant {
        let point = |(line, column)| Point { line, column };
        Mutant {
            file: String::new(),
            name: "src/lib.rs:3:7: replace < with > in <impl A for B>::f".to_owned(),
            span: Span { start: point(from), end: point(to) },
            replacement: ">".to_owned(),
        }
    }

    #[test]
    fn a_span_is_replaced_and_nothing_else() {
        let small = mutant((3, 7), (3, 8));
        assert_eq!(small.applied(TEXT), TEXT.replace("ä < b", "ä > b"));
        assert_eq!(small.change(), "replace < with > in <impl A for B>::f");
        assert_eq!(mutant((1, 9), (6, 1)).applied(TEXT), "fn f() {>}\n", "over lines");
        assert_eq!(mutant((9, 1), (9, 2)).applied(TEXT), format!("{TEXT}>"), "behind the end");
    }

    #[test]
    fn only_bodies_of_holes_are_touched() {
        let holes = |from, to| mutant(from, to).holes(TEXT).unwrap();
        assert_eq!(holes((3, 7), (3, 8)), ["a"]);
        assert_eq!(holes((1, 9), (6, 1)), ["a"], "a whole function with a hole in it");
        assert_eq!(holes((5, 7), (5, 8)), Vec::<String>::new(), "what is behind the hole is given");
        assert_eq!(holes((1, 1), (2, 5)), Vec::<String>::new(), "so is its mark");
    }
}
