//! `cargo xtask tidy`: what neither the compiler nor clippy can see.
//!
//! **Invariant.** Every finding names file and line and says what to do; all findings are shown, not only the first.

mod arrows;
mod prose;
mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::chore::{Outcome, output, root};

/// One thing to put right: where, and what to do.
pub(crate) struct Finding {
    file: PathBuf,
    line: usize,
    advice: String,
}

impl Finding {
    pub(crate) fn new(file: &Path, line: usize, advice: impl Into<String>) -> Self {
        Self { file: file.to_path_buf(), line, advice: advice.into() }
    }
}

/// Runs all rules over the files that git knows or would add.
pub(crate) fn run() -> Outcome {
    let listed = output(
        Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(root()),
    )?;
    let mut findings = Vec::new();
    let mut seen = 0;
    for file in listed.lines().map(Path::new) {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        seen += 1;
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => sources::check(file, &text, &mut findings),
            Some("md") => prose::check(file, &text, &mut findings),
            _ if file.ends_with("Cargo.toml") => arrows::check(file, &text, &mut findings),
            _ => {}
        }
    }
    for Finding { file, line, advice } in &findings {
        eprintln!("{}:{line}: {advice}", file.display());
    }
    match findings.len() {
        0 => {
            eprintln!("tidy: {seen} files, nothing to put right");
            Ok(())
        }
        n => Err(format!("tidy: {n} finding(s)")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Finding, arrows, prose, sources};

    type Rule = fn(&Path, &str, &mut Vec<Finding>);

    fn advice(rule: Rule, file: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        rule(Path::new(file), text, &mut findings);
        findings.into_iter().map(|finding| format!("{}: {}", finding.line, finding.advice)).collect()
    }

    #[test]
    fn a_source_file_says_what_it_is_for_and_hides_nothing() {
        assert_eq!(advice(sources::check, "src/cart.rs", "//! A cart.\nfn f() {}\n"), Vec::<String>::new());
        let bad = "fn f() {}\n#[allow(dead_code)]\n#[ignore]\n// TODO later\n";
        assert_eq!(advice(sources::check, "src/utils.rs", bad).len(), 5);
        assert_eq!(advice(sources::check, "src/long.rs", &"//! Long.\n".repeat(701)).len(), 1);
    }

    #[test]
    fn a_link_that_leads_nowhere_and_an_unknown_target_are_found() {
        assert_eq!(
            advice(prose::check, "README.md", "[a](Makefile) [b](https://example.org) `make run`\n"),
            Vec::<String>::new()
        );
        let bad = "[a](no/such/file.md)\n\n`make nonsense`\n\n```sh\nmake nothing\n```\n";
        assert_eq!(advice(prose::check, "README.md", bad).len(), 3);
    }

    #[test]
    fn arrows_point_down() {
        let manifest = |dependency: &str| {
            format!("[dependencies]\n{dependency}.workspace = true\n\n[lints]\nworkspace = true\n")
        };
        let broken = |file: &str, dependency: &str| advice(arrows::check, file, &manifest(dependency)).len();
        assert_eq!(broken("apps/pulse_web/Cargo.toml", "pulse_fleet"), 0);
        assert_eq!(broken("apps/pulse_data/Cargo.toml", "pulse_web"), 1);
        assert_eq!(broken("apps/pulse_web/Cargo.toml", "sea-orm"), 1);
        assert_eq!(broken("apps/pulse_core/Cargo.toml", "tokio"), 1);
        assert_eq!(broken("apps/pulse_fleet/Cargo.toml", "pulse_obs"), 1);
        assert_eq!(broken("crates/otp/Cargo.toml", "pulse_core"), 1);
        assert_eq!(broken("apps/labs_cache/Cargo.toml", "pulse_cache"), 1);
        assert_eq!(
            advice(arrows::check, "apps/pulse_core/Cargo.toml", "[dependencies]\n").len(),
            1,
            "no lints"
        );
    }
}
