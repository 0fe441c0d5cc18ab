//! A number that a check must print, and how large it must be at least.
//!
//! **Invariant.** A figure that is not there is no success: a test run that prints no count may have run no test.

use serde::Deserialize;

/// Where the number stands, and its floor.
///
/// The pattern is words; `{}` stands for the number, `*` for any word. The last line that has it counts.
///
/// ```
/// use labs_gatekeeper::Figure;
/// let tests = Figure { pattern: "{} tests run".to_owned(), least: 1.0 };
/// assert_eq!(tests.find("Summary [ 0.1s] 12 tests run: 12 passed"), Some(12.0));
/// let coverage = Figure { pattern: "TOTAL * * {}".to_owned(), least: 80.0 };
/// assert_eq!(coverage.find("TOTAL  1200  56  95.33%"), Some(95.33));
/// assert_eq!(coverage.find("nothing was measured"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Words around the number.
    #[serde(rename = "find")]
    pub pattern: String,
    /// The least that will do.
    pub least: f64,
}

impl Figure {
    /// The number in a check's output.
    pub fn find(&self, output: &str) -> Option<f64> {
        let pattern: Vec<&str> = self.pattern.split_whitespace().collect();
        output.lines().rev().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.windows(pattern.len().max(1)).find_map(|words| number_in(&pattern, words))
        })
    }
}

fn number_in(pattern: &[&str], words: &[&str]) -> Option<f64> {
    let mut number = None;
    for (wanted, word) in pattern.iter().zip(words) {
        let word = word.trim_end_matches([',', ';', ':', '.']);
        match *wanted {
            "{}" => number = Some(word.trim_end_matches('%').parse().ok().filter(|n: &f64| n.is_finite())?),
            "*" => {}
            wanted if wanted == word => {}
            _ => return None,
        }
    }
    number
}
