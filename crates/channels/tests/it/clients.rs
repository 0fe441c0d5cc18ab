//! Clients that others wrote: the official one from npm under Node, one from Python's index, and bare messages from
//! Python. `make setup` installs them; without them these tests fail and say so.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::app::App;

/// A run that hangs is killed and shown.
const PATIENCE: Duration = Duration::from_mins(2);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a client and gives what it printed. Fails in one line if it is not installed.
async fn run(program: &Path, script: &str, needs: &Path, url: &str) -> String {
    assert!(needs.exists(), "{} is missing: run `make setup`", needs.display());
    let script = root().join("tests/clients/channels").join(script);
    let child = Command::new(program)
        .args([script.as_os_str(), url.as_ref()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let child = child.unwrap_or_else(|error| panic!("{}: {error}: run `make setup`", program.display()));
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.expect("the client ends in time").expect("the client's output can be read");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

async fn python(app: &App, script: &str) -> String {
    let program = root().join(".tools/python/bin/python");
    run(&program, script, &program, &format!("ws://{}/socket/websocket", app.addr)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_from_npm() {
    let mut app = App::start().await;
    let endpoint = app.endpoint.clone();
    let mut log = std::mem::replace(&mut app.log, tokio::sync::mpsc::unbounded_channel().1);
    // The server drops one client, once.
    tokio::spawn(async move {
        while let Some(told) = log.recv().await {
            if told == "join room:drop" {
                endpoint.disconnect("user:dropped");
                break;
            }
        }
    });
    let needs = root().join("tests/clients/channels/node_modules/phoenix");
    let said = run(Path::new("node"), "phoenix.mjs", &needs, &format!("ws://{}/socket", app.addr)).await;
    assert!(said.ends_with("12 checks passed\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_from_pypi() {
    let app = App::start().await;
    let bells = app.bells.clone();
    // For as long as the client lives; it waits for three.
    let ringing = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        for n in 0_u64.. {
            ticks.tick().await;
            bells.publish("bell", n.to_string());
        }
    });
    let said = python(&app, "receive.py").await;
    ringing.abort();
    assert!(said.ends_with("6 checks passed\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_websockets_from_python() {
    let app = App::start().await;
    let said = python(&app, "raw.py").await;
    assert!(said.ends_with("7 checks passed\n"), "{said}");
}
