//! The official client's own merge, under Node, as one process for all cases.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// The client, and the pipes to it. It ends with its input.
pub(crate) struct Official {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Official {
    /// Starts the client from `tests/live_client`.
    pub(crate) fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/live_client");
        assert!(
            folder.join("node_modules/phoenix_live_view").is_dir(),
            "the official client is not installed: run `sh tools/setup.sh test` (or `npm ci` in tests/live_client)"
        );
        let started = Command::new("node")
            .arg("merge.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child =
            started.unwrap_or_else(|e| panic!("node is needed for the official client's merge: {e}"));
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            panic!("the pipes to node were asked for above");
        };
        Self { child, requests, answers: BufReader::new(answers) }
    }

    /// Sends a message for the page (a new page when it joins); answers the page, or what went wrong.
    pub(crate) fn show(&mut self, join: bool, destroyed: &[u32], diff: &str) -> Result<String, String> {
        writeln!(self.requests, "{{\"join\":{join},\"destroyed\":{destroyed:?},\"diff\":{diff}}}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value =
            serde_json::from_str(&line).map_err(|e| format!("node answered {line:?}: {e}"))?;
        match (&answer["html"], &answer["error"]) {
            (Value::String(html), _) => Ok(html.clone()),
            (_, error) => Err(error.as_str().unwrap_or("no answer").to_owned()),
        }
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
