//! What is read from a lab's lesson.
//!
//! **Invariant.** The questions stand in the README alone.

/// The questions under "Predict before you code".
pub(crate) fn predictions(readme: &str) -> Vec<String> {
    let section = readme.lines().skip_while(|line| *line != "## Predict before you code").skip(1);
    let mut questions: Vec<String> = Vec::new();
    for line in section.take_while(|line| !line.starts_with("## ")) {
        if let Some(question) = line.strip_prefix("- ") {
            questions.push(question.to_owned());
        } else if let (Some(last), false) = (questions.last_mut(), line.trim().is_empty()) {
            last.push(' ');
            last.push_str(line.trim());
        }
    }
    questions
}

#[cfg(test)]
mod tests {
    #[test]
    fn questions_are_read_over_several_lines() {
        let readme =
            "# X\n\n- no\n\n## Predict before you code\n\n- What\n  then?\n- When?\n\n## Tasks\n\n- no\n";
        assert_eq!(super::predictions(readme), ["What then?", "When?"]);
    }
}
