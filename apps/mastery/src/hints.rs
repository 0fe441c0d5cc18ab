//! Hints: three for every hole, from a question to nearly the answer.
//!
//! **Invariant.** Reading them changes nothing; how many were given is in the log alone.

use std::collections::BTreeMap;

/// Hints by hole, from a `hints.md`: `## HOLE`, then a numbered list.
pub(crate) fn read(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut hole: Option<String> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            let name = name.trim().trim_matches('`').to_owned();
            all.entry(name.clone()).or_default();
            hole = Some(name);
            continue;
        }
        let Some(hints) = hole.as_ref().and_then(|name| all.get_mut(name)) else { continue };
        let numbered =
            line.split_once(". ").filter(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        match (numbered, hints.last_mut()) {
            (Some((_, hint)), _) => hints.push(hint.trim().to_owned()),
            (None, Some(last)) if !line.trim().is_empty() => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn hints_are_read_by_hole_over_several_lines() {
        let all =
            read("# Hints\n\n## push\n\n1. What?\n2. Think\n   of it.\n3. That.\n\n## `tick`\n\n1. When?\n");
        assert_eq!(all["push"], ["What?", "Think of it.", "That."]);
        assert_eq!(all["tick"], ["When?"]);
    }
}
