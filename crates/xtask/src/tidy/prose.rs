//! Rules for documents: links lead somewhere, commands exist.
//!
//! **Invariant.** A relative link names a file that is there; a `make` target in a document is in the Makefile.

use std::path::Path;

use super::Finding;
use crate::chore::root;

/// Adds what is wrong with one document.
pub(crate) fn check(file: &Path, text: &str, findings: &mut Vec<Finding>) {
    let targets = make_targets();
    let folder = root().join(file.parent().unwrap_or(Path::new("")));
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let mut find = |advice: String| findings.push(Finding::new(file, number + 1, advice));
        if !fenced {
            for target in links(line) {
                let path = target.split('#').next().unwrap_or_default();
                if !path.is_empty()
                    && !path.contains("://")
                    && !path.starts_with("mailto:")
                    && !folder.join(path).exists()
                {
                    find(format!("the link {target} leads nowhere"));
                }
            }
        }
        for target in commands(line, fenced) {
            if !targets.iter().any(|known| known == target) {
                find(format!("`make {target}` is not in the Makefile"));
            }
        }
    }
}

/// The targets of `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|target| !target.contains(' '))
}

/// The words behind `make` in inline code, or at the start of a line of a code block.
fn commands(line: &str, fenced: bool) -> Vec<&str> {
    let code: Vec<&str> = if fenced {
        vec![line.trim_start().trim_start_matches("$ ")]
    } else {
        line.split('`').skip(1).step_by(2).collect()
    };
    code.into_iter()
        .filter_map(|code| code.strip_prefix("make "))
        .filter_map(|rest| rest.split_whitespace().next())
        .map(|word| word.trim_end_matches([',', '.', ';', '…']))
        .filter(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        .collect()
}

fn make_targets() -> Vec<String> {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap_or_default();
    let rules = makefile.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    rules.filter_map(|line| line.split_once(':')).map(|(target, _)| target.trim().to_owned()).collect()
}
