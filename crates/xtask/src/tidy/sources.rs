//! Rules for Rust files.
//!
//! **Invariant.** They look at lines alone; what needs the syntax is clippy's.

use std::path::Path;

use super::Finding;

/// Longer files hide more than one idea.
const LONGEST: usize = 700;

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 4] = ["utils", "helpers", "common", "misc"];

/// Adds what is wrong with one file.
pub(crate) fn check(file: &Path, text: &str, findings: &mut Vec<Finding>) {
    let mut find = |line, advice: &str| findings.push(Finding::new(file, line, advice));
    if !text.lines().any(|line| line.starts_with("//!") || line.starts_with("#![doc")) {
        find(1, "say in a `//!` line what this module is for and which invariant it keeps");
    }
    if file.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| EMPTY_NAMES.contains(&stem)) {
        find(1, "name the module after what is in it");
    }
    if text.lines().count() > LONGEST {
        find(LONGEST, "over 700 lines: split the file by idea");
    }
    // The rules and their tests spell the forbidden words out.
    if file.ends_with("tidy/sources.rs") || file.ends_with("xtask/src/tidy.rs") {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let mut rule = |broken: bool, advice: &str| {
            if broken {
                findings.push(Finding::new(file, number + 1, advice));
            }
        };
        // Inside a macro `expect` can't know what its caller uses; there an `allow` says why, too.
        let allow = code.starts_with("#[allow(") || code.starts_with("#![allow(");
        rule(allow && !code.contains("reason ="), "use #[expect(…, reason = \"…\")]");
        rule(code.starts_with("#[ignore"), "an ignored test protects nothing: assert what happens today");
        let marks = ["TODO", "XXX", "HACK"];
        rule(
            marks.iter().any(|mark| code.contains(&format!("// {mark}"))),
            "finish it, or open an issue and say so in words",
        );
    }
}
