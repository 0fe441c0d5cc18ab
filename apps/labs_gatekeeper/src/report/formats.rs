//! The report for people, for programs (JSON), and for CI systems (`JUnit`).
//!
//! **Invariant.** All three say the same of each check. What a check printed can't break their syntax.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::{Report, Resulted};
use crate::verdict::Verdict;

/// One word for programs.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed { .. } => "failed",
        Verdict::Killed { .. } => "killed",
        Verdict::TimedOut => "timed_out",
        Verdict::Flaky { .. } => "flaky",
        Verdict::BelowFloor { .. } => "below_floor",
        Verdict::NoFigure => "no_figure",
        Verdict::NotStarted { .. } => "not_started",
        Verdict::Stopped => "stopped",
        Verdict::Skipped { .. } => "skipped",
    }
}

/// A few words for people.
fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Failed { code } => format!("failed with exit code {code}"),
        Verdict::Killed { signal } => format!("was killed by signal {signal}"),
        Verdict::TimedOut => "took too long, and was ended".to_owned(),
        Verdict::Flaky { passed, runs } => format!("is flaky: {passed} of {runs} runs passed"),
        Verdict::BelowFloor { found, least } => format!("reached {found}, and {least} is the least"),
        Verdict::NoFigure => "did not print the figure that was asked for".to_owned(),
        Verdict::NotStarted { reason } => format!("could not run: {reason}"),
        Verdict::Stopped => "was stopped".to_owned(),
        Verdict::Skipped { because } => format!("was not run, because of {because}"),
    }
}

/// One line a check; behind those that are red, what they printed.
pub fn text(result: &Resulted) -> String {
    let mark = match &result.verdict {
        Verdict::Passed => "ok",
        verdict if verdict.is_red() => "RED",
        _ => "--",
    };
    let mut text =
        format!("{mark:<4}{} {} ({})\n", result.name, words(&result.verdict), seconds(result.took));
    if result.verdict.is_red() {
        for line in result.output.text().lines() {
            // A string takes any text without an error.
            let _ = writeln!(text, "    | {line}");
        }
    }
    text
}

/// A list of objects with `name`, `verdict`, `detail`, `seconds`, `output`, and the exit code.
pub fn json(report: &Report) -> String {
    let results: Vec<_> = report
        .results()
        .iter()
        .map(|result| {
            json!({
                "name": result.name,
                "verdict": word(&result.verdict),
                "detail": words(&result.verdict),
                "seconds": result.took.as_secs_f64(),
                "output": result.output.text(),
            })
        })
        .collect();
    format!("{:#}\n", json!({ "code": report.code(), "checks": results }))
}

/// `JUnit`'s XML, as CI systems read it: a test case a check.
pub fn junit(report: &Report) -> String {
    let count = |counts: fn(&Verdict) -> bool| {
        report.results().iter().filter(|result| counts(&result.verdict)).count()
    };
    let (red, skipped) = (count(Verdict::is_red), count(|verdict| !verdict.is_green() && !verdict.is_red()));
    let all = report.results().len();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ =
        writeln!(xml, "<testsuite name=\"gate\" tests=\"{all}\" failures=\"{red}\" skipped=\"{skipped}\">");
    for result in report.results() {
        let (name, detail) = (escaped(&result.name), escaped(&words(&result.verdict)));
        let _ = writeln!(xml, "  <testcase name=\"{name}\" time=\"{:.3}\">", result.took.as_secs_f64());
        if result.verdict.is_red() {
            let kind = word(&result.verdict);
            let output = escaped(&result.output.text());
            let _ = writeln!(xml, "    <failure type=\"{kind}\" message=\"{detail}\">{output}</failure>");
        } else if !result.verdict.is_green() {
            let _ = writeln!(xml, "    <skipped message=\"{detail}\"/>");
        }
        xml.push_str("  </testcase>\n");
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// XML has no word at all for most control characters, a terminal's colours among them.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character if character.is_control() => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
