//! A private PostgreSQL from the installed server binaries.
//!
//! **Invariant.** It listens on the loopback interface alone, keeps everything in one folder, and never runs as root:
//! as root, the server and its folder belong to the `postgres` user.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::chore::{Outcome, output, run};

/// A server's folder and port; running after [`Server::start`].
pub(crate) struct Server {
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
    owner: Option<(u32, u32)>,
}

impl Server {
    /// Prepares `folder` (made where it is missing) and starts a server on `port`, or on another free one where that
    /// is taken (0: any).
    pub(crate) fn start(folder: &Path, settings: &str, port: u16) -> Outcome<Self> {
        let binaries = binaries()?;
        let owner = owner()?;
        let listener = TcpListener::bind(("127.0.0.1", port)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
        let listener = listener.map_err(|error| format!("no free port: {error}"))?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        drop(listener);
        let server = Self { binaries, folder: folder.to_path_buf(), port, owner };
        server.prepare(settings)?;
        let options = format!("-p {port} -c unix_socket_directories='' -c listen_addresses=127.0.0.1");
        let log = folder.join("server.log");
        let started = server
            .command("pg_ctl")
            .args(["start", "--wait", "--silent", "--options", &options, "--log"])
            .arg(&log)
            .stdout(Stdio::null())
            .status();
        match started {
            Ok(status) if status.success() => Ok(server),
            Ok(status) => Err(format!("PostgreSQL did not start ({status}): see {}", log.display())),
            Err(error) => Err(format!("pg_ctl can't be started: {error}")),
        }
    }

    /// Stops the server of a folder, if one runs there.
    pub(crate) fn stop(folder: &Path) -> Outcome {
        if !folder.join("postmaster.pid").exists() {
            return Ok(());
        }
        let server = Self { binaries: binaries()?, folder: folder.to_path_buf(), port: 0, owner: owner()? };
        run(server.command("pg_ctl").args(["stop", "--mode", "fast", "--wait", "--silent"]))
    }

    /// Stops the server and removes its folder when the guard is dropped, and also when this process dies in any
    /// other way: a shell waits for the pipe from us to close.
    pub(crate) fn guard(&self) -> Outcome<Guard> {
        const SCRIPT: &str =
            r#"cat >/dev/null; "$0" stop --mode immediate --wait --silent; rm -rf "$PGDATA""#;
        let mut watcher = Command::new("sh");
        watcher
            .arg("-c")
            .arg(SCRIPT)
            .arg(self.binaries.join("pg_ctl"))
            .env("PGDATA", &self.folder)
            .current_dir("/");
        if let Some((user, group)) = self.owner {
            watcher.uid(user).gid(group);
        }
        // A process group of its own: ctrl-C is for us, not for the one that cleans up after us.
        watcher.process_group(0).stdin(Stdio::piped());
        watcher.spawn().map(Guard).map_err(|error| format!("sh can't be started: {error}"))
    }

    /// Where to connect as the server's own superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn prepare(&self, settings: &str) -> Outcome {
        let folder = &self.folder;
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        if let Some((user, group)) = self.owner {
            chown(folder, Some(user), Some(group)).map_err(failed)?;
        }
        if folder.join("PG_VERSION").exists() {
            return Ok(());
        }
        let mut initdb = self.command("initdb");
        initdb.args([
            "--auth",
            "trust",
            "--username",
            "postgres",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]);
        output(&mut initdb)?;
        let configuration = folder.join("postgresql.auto.conf");
        fs::write(&configuration, settings).map_err(failed)
    }

    /// One of the server's programs on our folder, as the user that owns it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.env("PGDATA", &self.folder).current_dir("/");
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

/// See [`Server::guard`].
pub(crate) struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if let Err(error) = self.0.wait() {
            eprintln!("xtask: the test server may still run: {error}");
        }
    }
}

/// Where `initdb` and its siblings are: the newest of Debian's folders, or what `pg_config` says.
fn binaries() -> Outcome<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").exists())
        .collect();
    found.sort();
    if let Some((_, newest)) = found.pop() {
        return Ok(newest);
    }
    let told = output(Command::new("pg_config").arg("--bindir")).map(|folder| PathBuf::from(folder.trim()));
    match told {
        Ok(folder) if folder.join("initdb").exists() => Ok(folder),
        _ => Err("no PostgreSQL server is installed: `make setup` installs one".to_owned()),
    }
}

/// The user and group that the server must run as, where we are root.
fn owner() -> Outcome<Option<(u32, u32)>> {
    let id = |args: &[&str]| -> Outcome<u32> {
        let told = output(Command::new("id").args(args))?;
        told.trim().parse().map_err(|_| format!("`id` said {told:?}"))
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    let missing = |_| {
        "PostgreSQL refuses to run as root and there is no user `postgres`: install its server package"
            .to_owned()
    };
    Ok(Some((id(&["-u", "postgres"]).map_err(missing)?, id(&["-g", "postgres"]).map_err(missing)?)))
}
