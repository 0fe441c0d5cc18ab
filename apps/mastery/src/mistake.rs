//! Known mistakes: what people leave out, kept beside the test that catches it and what it must say.
//!
//! **Invariant.** A mistake replaces whole holes by name, so that it survives edits of the solution elsewhere.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::hole::Source;

/// One file of `wrong/`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The file's name.
    pub(crate) name: String,
    /// What it believes or omits, in a sentence.
    pub(crate) idea: String,
    /// The test that must catch it.
    pub(crate) test: String,
    /// What that test must print, literally.
    pub(crate) verdict: String,
    /// Bodies by hole.
    pub(crate) bodies: BTreeMap<String, String>,
}

impl Mistake {
    /// Reads `//!` lines (the idea, `test:`, `verdict:`), and bodies between hole marks.
    pub(crate) fn read(name: String, text: &str) -> Result<Self> {
        let (mut idea, mut caught_by, mut verdict) = (Vec::new(), String::new(), String::new());
        for line in text.lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim) {
            if let Some(id) = line.strip_prefix("test:") {
                id.trim().clone_into(&mut caught_by);
            } else if let Some(said) = line.strip_prefix("verdict:") {
                said.trim().clone_into(&mut verdict);
            } else if !line.is_empty() {
                idea.push(line);
            }
        }
        let source = Source::split(text)?;
        let bodies: BTreeMap<_, _> = source.holes().map(|hole| (hole.name.to_owned(), hole.body())).collect();
        if idea.is_empty() || caught_by.is_empty() || verdict.is_empty() || bodies.is_empty() {
            bail!("it needs `//! IDEA`, `//! test: STAGE::NAME`, `//! verdict: TEXT` and at least one hole");
        }
        Ok(Self { name, idea: idea.join(" "), test: caught_by, verdict, bodies })
    }

    /// The stage that must catch it; those before must let it pass.
    pub(crate) fn stage(&self) -> &str {
        self.test.split("::").next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Mistake;

    #[test]
    fn a_mistake_is_read() {
        let text =
            "//! Forgets.\n//!\n//! test: laws::keeps\n//! verdict: 3: lost\n//>> push\nlost();\n//<<\n";
        let mistake = Mistake::read("forgets".to_owned(), text).unwrap();
        assert_eq!((mistake.idea.as_str(), mistake.test.as_str()), ("Forgets.", "laws::keeps"));
        assert_eq!((mistake.verdict.as_str(), mistake.stage()), ("3: lost", "laws"));
        assert_eq!(mistake.bodies["push"], "lost();\n");
        assert!(Mistake::read(String::new(), "//! Forgets.\n//>> push\n//<<\n").is_err());
    }
}
