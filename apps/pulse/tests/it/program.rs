//! Runs the binary in a folder of its own, on a database of its own.
//!
//! **Invariant.** Whatever a test does, its processes end with it; listeners take free ports, so tests run side by side.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use pulse_data::Backend;
use pulse_data::testing::Database;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a loaded machine may take to start a server.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder and a database.
pub(crate) struct Place {
    folder: TempDir,
    database: Option<Database>,
    url: String,
}

/// What a finished command left.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// The one line that a failed command ends with.
    pub(crate) fn complaint(&self) -> &str {
        let mut lines = self.stderr.lines().filter(|line| line.starts_with("pulse: "));
        let line = lines.next().unwrap_or_else(|| panic!("no complaint in {self:?}"));
        assert!(lines.next().is_none(), "more than one complaint: {self:?}");
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("backtrace"), "{self:?}");
        line
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn failed_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.complaint();
        self
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

impl Place {
    /// A fresh database: for SQLite a file that is not there yet, for PostgreSQL a migrated one.
    pub(crate) fn new(backend: Backend) -> Self {
        let folder = tempfile::Builder::new().prefix("pulse-it-").tempdir().unwrap();
        match backend {
            Backend::Sqlite => {
                let url = format!("sqlite://{}", folder.path().join("shop.db").display());
                Self { folder, database: None, url }
            }
            Backend::Postgres => {
                let database = block_on(Database::create(Backend::Postgres));
                let url = database.url().to_owned();
                Self { folder, database: Some(database), url }
            }
        }
    }

    pub(crate) fn sqlite() -> Self {
        Self::new(Backend::Sqlite)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The binary with this place's settings and nothing of the tester's environment that could be a setting.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pulse"));
        self.settle(&mut command);
        command
    }

    /// Gives a command this place's settings.
    pub(crate) fn settle(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("PULSE_") || name == "DATABASE_URL") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.folder())
            .env("DATABASE_URL", &self.url)
            .env("PULSE_SERVER_LISTEN", "127.0.0.1:0")
            .env("PULSE_SERVER_OPS_LISTEN", "127.0.0.1:0")
            .env("PULSE_SERVER_REQUESTS_PER_SECOND", "100000")
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null());
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        finish(self.command().args(arguments))
    }

    /// Starts `serve` and waits until it is open.
    pub(crate) fn serve(&self) -> Server {
        Server::start(self.command().arg("serve"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(database) = self.database.take()
            && !std::thread::panicking()
        {
            block_on(database.drop());
        }
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Finished {
    let output = command.output().unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running `serve`.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
    log: PathBuf,
    pub(crate) shop: SocketAddr,
    pub(crate) ops: SocketAddr,
    _log_folder: TempDir,
}

impl Server {
    /// Starts a `serve` command and waits for its word that it is open.
    pub(crate) fn start(command: &mut Command) -> Self {
        let log_folder = tempfile::Builder::new().prefix("pulse-log-").tempdir().unwrap();
        let log = log_folder.path().join("stderr");
        let mut child =
            command.stdout(Stdio::piped()).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        let (tell, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Self {
            child,
            lines,
            said: Vec::new(),
            log,
            shop: nowhere,
            ops: nowhere,
            _log_folder: log_folder,
        };
        loop {
            match server.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let open = line.starts_with("open ");
                    server.said.push(line);
                    if open {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("not open in time: {:?}\n{}", server.said, server.log())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("ended early: {:?}\n{}", server.said, server.log())
                }
            }
        }
        server.shop = server.address("shop");
        server.ops = server.address("health");
        server
    }

    /// The address of a line like `shop     http://127.0.0.1:4000/`.
    fn address(&self, name: &str) -> SocketAddr {
        let line = self.said.iter().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
        let url = line.split_once("http://").unwrap().1;
        url.split('/').next().unwrap().parse().unwrap()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// What it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it printed so far.
    pub(crate) fn said(&self) -> &[String] {
        &self.said
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// SIGTERM, and the end.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.terminate();
        let status = self.child.wait().unwrap();
        (status, self.log())
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.log())
    }

    /// SIGKILL: no line of the program runs after it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `name::sqlite` and `name::postgres`, for a function of the backend.
macro_rules! on_both {
    ($($name:ident => $body:path;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn sqlite() {
                $body(pulse_data::Backend::Sqlite);
            }

            #[test]
            fn postgres() {
                $body(pulse_data::Backend::Postgres);
            }
        }
    )*};
}
pub(crate) use on_both;
