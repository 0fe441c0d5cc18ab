//! A real NATS server of one's own, with a folder of its own, that can be stopped and started again.
//!
//! **Invariant.** It is gone when its value is dropped, however the test ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pipeline::producers::nats::async_nats::{self, jetstream};

pub(crate) struct Server {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// On a free port, which it keeps.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
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
    pub(crate) async fn up(&mut self) {
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
            .unwrap();
        let ports = folder.join(format!("nats-server_{}.ports", child.id()));
        self.child = Some(child);
        loop {
            // {"nats":["nats://127.0.0.1:41234"]}
            let text = std::fs::read_to_string(&ports).unwrap_or_default();
            if let Some((_, rest)) = text.split_once("127.0.0.1:") {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                self.port = digits.parse().unwrap();
                return;
            }
            let gone = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(gone.is_none(), "nats-server ended at once: {gone:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Kills it; its store stays.
    pub(crate) fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        let client = async_nats::ConnectOptions::new()
            .retry_on_initial_connect()
            // Tries again soon: these tests take the broker away.
            .reconnect_delay_callback(|_| Duration::from_millis(50))
            .connect(self.url())
            .await
            .unwrap();
        jetstream::new(client)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}
