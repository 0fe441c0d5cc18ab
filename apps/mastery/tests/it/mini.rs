//! A copy of a small project with one lab, and the command run in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// One test's project. All of them build into one folder, so that dependencies are built once; and as cargo knows a package
/// by its place in its workspace, which is the same in all copies, there is one of them at a time.
pub(crate) struct Mini {
    pub(crate) root: PathBuf,
    _turn: File,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) said: String,
    pub(crate) code: Option<i32>,
}

impl Ran {
    /// Fails, with all that was said, unless it says this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.said.contains(text), "it does not say '{text}', but:\n{}", self.said);
        self
    }

    /// Fails unless it ended so.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "it said:\n{}", self.said);
        self
    }
}

impl Mini {
    /// A fresh copy for this test.
    pub(crate) fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let turn = File::create(folder.join("mini.lock")).unwrap();
        turn.lock().unwrap();
        let root = folder.join("mini").join(test);
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&here.join("tests/mini"), &root);
        let mini = Self { root, _turn: turn };
        let gate = here.join("../../crates/gate").canonicalize().unwrap();
        mini.edit("Cargo.toml", "GATE", gate.to_str().unwrap());
        fs::copy(here.join("../../Cargo.lock"), mini.root.join("Cargo.lock")).unwrap();
        mini
    }

    /// With the lab started.
    pub(crate) fn started(test: &str) -> Self {
        let mini = Self::new(test);
        mini.run(&["start", "mini"]).ends(0);
        mini
    }

    /// With the lab started and solved.
    pub(crate) fn solved(test: &str) -> Self {
        let mini = Self::started(test);
        let solution = mini.read("apps/labs_mini/src/lib.rs");
        mini.write("work/labs_mini/src/lib.rs", &solution);
        mini
    }

    /// The command, to be run in the project's folder. No network: what is asked of it goes nowhere.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mastery"));
        command
            .args(args)
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("mini-target"))
            .env("CARGO_HTTP_PROXY", "127.0.0.1:9")
            .env_remove("GATE_TICKET");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(&self.command(args).output().unwrap())
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a text that must be there.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no '{from}':\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// Writes this body in the place of a hole that is empty.
    #[track_caller]
    pub(crate) fn fill(&self, hole: &str, body: &str) {
        self.edit("work/labs_mini/src/lib.rs", &format!("todo!(\"{hole}\")"), body);
    }
}

pub(crate) fn ran(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { said: text(&output.stdout) + &text(&output.stderr), code: output.status.code() }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
