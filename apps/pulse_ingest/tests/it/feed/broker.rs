//! A real NATS server of one's own, with a folder of its own, that can be killed and started again.
//!
//! **Invariant.** It is gone when its value is dropped, however the test ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pipeline::producers::nats::async_nats::{self, jetstream};

pub(crate) struct Broker {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Broker {
    /// On a free port, which it keeps.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut broker = Self { folder, port: 0, child: None };
        broker.up().await;
        broker
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

    /// kill -9; its store stays.
    pub(crate) fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client, and the stream `FEEDS` with the subjects `feeds.>`.
    pub(crate) async fn stream(&self) -> jetstream::Context {
        let connecting = async_nats::ConnectOptions::new().retry_on_initial_connect();
        let context = jetstream::new(connecting.connect(self.address()).await.unwrap());
        let config = jetstream::stream::Config {
            name: "FEEDS".to_owned(),
            subjects: vec!["feeds.>".to_owned()],
            ..jetstream::stream::Config::default()
        };
        context.get_or_create_stream(config).await.unwrap();
        context
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.down();
    }
}

/// Publishes rows, each stored by the broker when this returns; tries again while the broker is away. Each carries an id,
/// so that one whose answer was lost is stored once.
pub(crate) async fn publish(context: &jetstream::Context, subject: &str, rows: &[(String, String)]) {
    for some in rows.chunks(500) {
        let mut waiting = Vec::new();
        for (id, row) in some {
            waiting.push((id, row, sent(context, subject, id, row).await));
        }
        for (id, row, first) in waiting {
            let mut answer = first;
            loop {
                if let Some(answer) = answer
                    && answer.await.is_ok()
                {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                answer = sent(context, subject, id, row).await;
            }
        }
    }
}

async fn sent(
    context: &jetstream::Context,
    subject: &str,
    id: &str,
    row: &str,
) -> Option<jetstream::context::PublishAckFuture> {
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", id);
    context.publish_with_headers(subject.to_owned(), headers, row.to_owned().into()).await.ok()
}
