//! A PostgreSQL of a test's own, which it may stop.
//!
//! **Invariant.** The server ends with its test: it is stopped when the value is dropped.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    /// As root the server must belong to somebody else.
    owner: Option<(u32, u32)>,
}

fn id(args: &[&str]) -> u32 {
    let told = Command::new("id").args(args).output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().parse().unwrap()
}

/// The newest of Debian's folders.
fn binaries() -> PathBuf {
    let folders =
        std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL's server programs: `make setup`");
    folders
        .map(|folder| folder.unwrap().path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .max()
        .unwrap()
}

impl Server {
    pub(crate) fn start() -> Self {
        // Not in a folder that only root may enter.
        let folder = tempfile::Builder::new().prefix("jobs-postgres-").tempdir_in("/var/tmp").unwrap();
        let owner = (id(&["-u"]) == 0).then(|| (id(&["-u", "postgres"]), id(&["-g", "postgres"])));
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { folder, port, owner };
        server.run("initdb", &["--auth", "trust", "--username", "postgres", "--locale", "C", "--no-sync"]);
        server.resume();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it (again), on the same port.
    pub(crate) fn resume(&self) {
        let options = format!(
            "-p {} -c unix_socket_directories='' -c listen_addresses=127.0.0.1 -c fsync=off",
            self.port
        );
        self.run("pg_ctl", &["start", "--wait", "--silent", "--options", &options, "--log", "/dev/null"]);
    }

    /// As a crash would stop it.
    pub(crate) fn crash(&self) {
        self.run("pg_ctl", &["stop", "--mode", "immediate", "--wait", "--silent"]);
    }

    fn run(&self, program: &str, args: &[&str]) {
        assert!(self.command(program, args).status().unwrap().success(), "{program} {args:?}");
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(binaries().join(program));
        command.args(args).env("PGDATA", self.folder.path()).current_dir("/").stdout(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.command("pg_ctl", &["stop", "--mode", "immediate", "--wait", "--silent"]).status();
    }
}
