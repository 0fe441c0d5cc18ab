//! How things look on a terminal: few colours, and nothing that says less without them.
//!
//! **Invariant.** A colour repeats what a word says. Lines that we write are at most 80 columns wide; what a compiler or a test
//! said is shown as it was.

use std::fmt;
use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};

const WIDTH: usize = 80;

/// A text in a style; plain where the output is no terminal, or `NO_COLOR` is set.
pub(crate) struct Styled<T>(T, Style);

impl<T: fmt::Display> fmt::Display for Styled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, style) = self;
        write!(f, "{style}{text}{style:#}")
    }
}

pub(crate) fn good<T>(text: T) -> Styled<T> {
    Styled(text, AnsiColor::Green.on_default())
}

pub(crate) fn bad<T>(text: T) -> Styled<T> {
    Styled(text, AnsiColor::Red.on_default().bold())
}

pub(crate) fn bold<T>(text: T) -> Styled<T> {
    Styled(text, Style::new().bold())
}

pub(crate) fn dim<T>(text: T) -> Styled<T> {
    Styled(text, Style::new().dimmed())
}

/// Whether a program that we run may colour what it says.
pub(crate) fn coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Breaks a text at spaces into lines that fit behind an indent. A word that is longer stands alone.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && indent + line + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else if let Some(last) = lines.last_mut() {
            if line > 0 {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    let margin = " ".repeat(indent);
    lines.iter().map(|line| format!("{margin}{line}")).collect::<Vec<_>>().join("\n")
}

/// The most that is shown of one line: a whole page can be one.
const LONGEST: usize = 1000;

/// The first lines of a text, and how many were left out.
pub(crate) fn first(text: &str, most: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    let shown = lines.iter().take(most).map(|line| {
        let cut = line.char_indices().nth(LONGEST).map_or(line.len(), |(at, _)| at);
        format!("    {}{}", &line[..cut], if cut < line.len() { "…" } else { "" })
    });
    let shown = shown.collect::<Vec<_>>().join("\n");
    match lines.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown}\n    … and {more} more lines"),
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn no_line_is_wider_than_eighty_columns_unless_a_word_is() {
        let text = "word ".repeat(60) + &"x".repeat(90);
        let lines: Vec<_> = wrapped(&text, 4).lines().map(str::to_owned).collect();
        assert!(lines.iter().all(|line| line.starts_with("    ")));
        assert!(lines[..lines.len() - 1].iter().all(|line| line.len() <= 80 && line.len() > 70));
        assert_eq!(lines.last().unwrap().len(), 94);
    }
}
