//! A real NATS server of one's own, with a folder of its own, that can be stopped and started again.
//!
//! **Invariant.** It is gone when its value is dropped, however the test ends.
//!
//! The program is the one that `sh tools/setup.sh test` installs into the workspace.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test kit: to panic is to fail the test; each function does where the server or its folder does not do what it is asked"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::producers::nats::async_nats::{self, jetstream};

/// A server with JetStream, on the loopback interface.
#[derive(Debug)]
pub struct NatsServer {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl NatsServer {
    /// On a free port, which it keeps.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self { folder, port: 0, child: None };
        server.up().await;
        server
    }

    fn program() -> PathBuf {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/nats/bin/nats-server");
        assert!(path.exists(), "the tests' NATS server is missing: run `sh tools/setup.sh test`");
        path
    }

    /// Starts it (again), and waits until it listens.
    pub async fn up(&mut self) {
        let folder = self.folder.path();
        // -1: any free port.
        let port = if self.port == 0 { "-1".to_owned() } else { self.port.to_string() };
        let child = Command::new(Self::program())
            .args(["--addr", "127.0.0.1", "--port", &port, "--jetstream", "--store_dir"])
            .arg(folder.join("store"))
            .arg("--ports_file_dir")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server starts");
        let ports = folder.join(format!("nats-server_{}.ports", child.id()));
        self.child = Some(child);
        loop {
            // {"nats":["nats://127.0.0.1:41234"]}
            let text = std::fs::read_to_string(&ports).unwrap_or_default();
            if let Some((_, rest)) = text.split_once("127.0.0.1:") {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                self.port = digits.parse().expect("a port");
                return;
            }
            let gone = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(gone.is_none(), "nats-server ended at once: {gone:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Kills it; its store stays.
    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is ours to kill");
            child.wait().expect("it ends");
        }
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client that waits for the server, and comes back to it soon.
    pub async fn jetstream(&self) -> jetstream::Context {
        let client = async_nats::ConnectOptions::new()
            .retry_on_initial_connect()
            // Tries again soon: these tests take the broker away.
            .reconnect_delay_callback(|_| Duration::from_millis(50))
            .connect(self.url())
            .await
            .expect("a client");
        jetstream::new(client)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.down();
    }
}
