//! The splitter: one working source, from which skeletons and known mistakes are rendered.
//!
//! **Invariant.** Rendering touches nothing outside holes, and what is rendered with each hole's own body is the source
//! itself, byte for byte.
//!
//! ```text
//! //>> push
//! //? A question that survives into the skeleton.
//! self.items.push(item);
//! //<<
//! ```

use std::collections::BTreeMap;

use thiserror::Error;

/// What is wrong with the marks of a text; lines count from 1.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Marks {
    #[error("line {0}: a hole begins inside the hole {1}: end that one first, with //<<")]
    Nested(usize, String),
    #[error("line {0}: //<< ends no hole")]
    Stray(usize),
    #[error("line {0}: the hole {1} never ends: put //<< behind its body")]
    Open(usize, String),
    #[error("line {0}: '{1}' is no name of a hole: use a to z, 0 to 9 and _")]
    Name(usize, String),
}

/// A body that a learner is to write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hole<'t> {
    pub(crate) name: &'t str,
    /// The mark with its indent, and the questions, each a whole line.
    head: Vec<&'t str>,
    body: Vec<&'t str>,
    end: &'t str,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Line(&'t str),
    Hole(Hole<'t>),
}

/// A text, and where its holes are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source<'t>(Vec<Piece<'t>>);

impl<'t> Source<'t> {
    /// Finds the holes. O(length).
    pub(crate) fn split(text: &'t str) -> Result<Self, Marks> {
        let mut pieces = Vec::new();
        let mut open: Option<(usize, Hole<'t>)> = None;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let code = line.trim();
            if let Some(name) = code.strip_prefix("//>>") {
                let name = name.trim();
                if let Some((_, hole)) = open {
                    return Err(Marks::Nested(number, hole.name.to_owned()));
                }
                let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
                if name.is_empty() || !name.bytes().all(ok) {
                    return Err(Marks::Name(number, name.to_owned()));
                }
                open = Some((number, Hole { name, head: vec![line], body: Vec::new(), end: "" }));
            } else if code == "//<<" {
                let (_, mut hole) = open.take().ok_or(Marks::Stray(number))?;
                hole.end = line;
                pieces.push(Piece::Hole(hole));
            } else if let Some((_, hole)) = &mut open {
                let asks = code.starts_with("//?") && hole.body.is_empty();
                if asks { &mut hole.head } else { &mut hole.body }.push(line);
            } else {
                pieces.push(Piece::Line(line));
            }
        }
        match open {
            Some((number, hole)) => Err(Marks::Open(number, hole.name.to_owned())),
            None => Ok(Self(pieces)),
        }
    }

    /// The holes, in their order.
    pub(crate) fn holes(&self) -> impl Iterator<Item = &Hole<'t>> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(hole),
            Piece::Line(_) => None,
        })
    }

    /// Each body's lines, and the number of the first one.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (usize, &[&'t str])> {
        let lines = |piece: &Piece<'t>| match piece {
            Piece::Line(_) => 1,
            Piece::Hole(hole) => hole.head.len() + hole.body.len() + 1,
        };
        let starts = self.0.iter().scan(1, move |line, piece| {
            let start = *line;
            *line += lines(piece);
            Some((start, piece))
        });
        starts.filter_map(|(start, piece)| match piece {
            Piece::Hole(hole) => Some((start + hole.head.len(), hole.body.as_slice())),
            Piece::Line(_) => None,
        })
    }

    /// With every hole empty: its questions, and a `todo!` of its name.
    pub(crate) fn skeleton(&self) -> String {
        self.filled_with(|hole| format!("todo!(\"{}\")", hole.name))
    }

    /// With every hole ending the process as if all were well.
    pub(crate) fn leaving(&self) -> String {
        self.filled_with(|_| "std::process::exit(0)".to_owned())
    }

    /// With these bodies in the holes named so; the other holes as they are.
    pub(crate) fn with(&self, bodies: &BTreeMap<String, String>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Line(line) => text.push_str(line),
                Piece::Hole(hole) => {
                    text.extend(hole.head.iter().copied());
                    match bodies.get(hole.name) {
                        Some(body) => text.push_str(body),
                        None => text.extend(hole.body.iter().copied()),
                    }
                    text.push_str(hole.end);
                }
            }
        }
        text
    }

    /// One expression that never returns in the place of each body.
    fn filled_with(&self, fill: impl Fn(&Hole<'t>) -> String) -> String {
        let mut text = String::new();
        for (at, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Line(line) => text.push_str(line),
                Piece::Hole(hole) => {
                    text.extend(hole.head.iter().copied());
                    let mark = hole.head.first().copied().unwrap_or_default();
                    let indent = &mark[..mark.len() - mark.trim_start().len()];
                    let end = if self.code_follows(at) { ";\n" } else { "\n" };
                    text.extend([indent, &fill(hole), end, hole.end]);
                }
            }
        }
        text
    }

    /// Whether anything but the end of the block comes behind this piece.
    fn code_follows(&self, at: usize) -> bool {
        let next = self.0[at + 1..].iter().find(|piece| match piece {
            Piece::Line(line) => !line.trim().is_empty() && !line.trim_start().starts_with("//"),
            Piece::Hole(_) => true,
        });
        !matches!(next, Some(Piece::Line(line)) if line.trim_start().starts_with('}'))
    }
}

impl Hole<'_> {
    /// The body as it stands.
    pub(crate) fn body(&self) -> String {
        self.body.concat()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Marks, Source};

    const TEXT: &str = "\
fn push(&mut self) -> usize {
    let n = 1;
    //>> push
    //? How many?
    //? And then?
    self.items += n; // a remark
    self.items
    //<<
}

fn clear(&mut self) {
    //>> clear
    self.items = 0;
    //<<
    self.told();
}
";

    #[test]
    fn a_skeleton_keeps_questions_and_what_is_around() {
        let skeleton = "\
fn push(&mut self) -> usize {
    let n = 1;
    //>> push
    //? How many?
    //? And then?
    todo!(\"push\")
    //<<
}

fn clear(&mut self) {
    //>> clear
    todo!(\"clear\");
    //<<
    self.told();
}
";
        assert_eq!(Source::split(TEXT).unwrap().skeleton(), skeleton);
    }

    #[test]
    fn with_its_own_bodies_a_source_is_itself() {
        for text in [TEXT, "", "no holes", "//>> a\n//<<", "//>> a\n//? why\n\n//? not a question\n//<<\r\n"]
        {
            let source = Source::split(text).unwrap();
            assert_eq!(source.with(&BTreeMap::new()), text);
            let own = source.holes().map(|hole| (hole.name.to_owned(), hole.body())).collect();
            assert_eq!(source.with(&own), text);
        }
    }

    #[test]
    fn a_body_is_replaced_by_name() {
        let bodies = BTreeMap::from([("clear".to_owned(), "    self.items -= 1;\n".to_owned())]);
        let text = Source::split(TEXT).unwrap().with(&bodies);
        assert_eq!(text, TEXT.replace("self.items = 0", "self.items -= 1"));
    }

    #[test]
    fn marks_that_do_not_fit_are_named_with_their_line() {
        let wrong = |text| Source::split(text).unwrap_err();
        assert_eq!(wrong("//>> a\n//>> b\n"), Marks::Nested(2, "a".to_owned()));
        assert_eq!(wrong("\n//<<\n"), Marks::Stray(2));
        assert_eq!(wrong("x\n//>> a\ny\n"), Marks::Open(2, "a".to_owned()));
        assert_eq!(wrong("//>> a-b\n"), Marks::Name(1, "a-b".to_owned()));
        assert_eq!(wrong("//>>\n"), Marks::Name(1, String::new()));
    }
}
