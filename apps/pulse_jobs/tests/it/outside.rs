//! Programs outside the shop that a test talks to: started on a free port, told what to do by files, ended with the test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// One of `tests/clients`.
pub(crate) struct Outside {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
}

impl Outside {
    pub(crate) fn mail_server(arguments: &[&str]) -> Self {
        Self::start("smtp_server.py", arguments)
    }

    pub(crate) fn receiver() -> Self {
        Self::start("webhook_receiver.py", &[])
    }

    fn start(program: &str, arguments: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = root.join(".tools/python/bin/python");
        assert!(python.exists(), "the tests' Python is missing: `sh tools/setup.sh test` installs it");
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(python)
            .arg(root.join("tests/clients").join(program))
            .arg(folder.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.strip_prefix("port ").unwrap_or_else(|| panic!("{program} did not start: {line:?}"));
        Self { child, folder, port: port.trim().parse().unwrap() }
    }

    /// What it does from now on.
    pub(crate) fn mode(&self, mode: &str) {
        // Whole or not at all: it may be reading.
        let draft = self.path("mode.draft");
        std::fs::write(&draft, mode).unwrap();
        std::fs::rename(draft, self.path("mode")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What came so far, by a file's lines; one that is still being written has not come yet.
    pub(crate) fn seen(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
