//! A replay in a process of its own, killed with -9 at random points, and started again.
//!
//! **Invariant.** As the replay promises: the same report, no piece lost or made.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pulse_data::testing::Database;
use pulse_data::{Backend, Repo, RepoOptions};
use pulse_ingest::demo::Dice;
use pulse_ingest::replay::{Options, replay};
use tokio::runtime::Runtime;

use crate::sample;
use crate::shop::{close, open};

/// Where the child finds its database.
const DATABASE: &str = "PULSE_KILLED_DATABASE";

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What the child process runs: this test binary again, with this test alone. By itself it does nothing.
#[test]
fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    runtime().block_on(async {
        let repo = Repo::connect(&url, RepoOptions::default()).await.unwrap();
        let shop = open(&repo).await;
        let options = Options { workers: 16, ..Options::default() };
        replay(&shop, &sample::files(), &options, &Arc::default()).await.unwrap();
        close(&shop).await;
    });
}

fn killed_and_started_again(backend: Backend) {
    let runtime = runtime();
    let database = runtime.block_on(async {
        let database = Database::create(backend).await;
        database.repo().await.close().await;
        database
    });
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child", "--nocapture"])
            .env(DATABASE, database.url())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut dice = Dice::new(9);
    for _ in 0..8 {
        let mut child = start();
        std::thread::sleep(Duration::from_millis(dice.between(60, 500).unsigned_abs()));
        // SIGKILL; an error means that the child was faster.
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(start().wait().unwrap().success(), "left alone, it goes on to the end");
    runtime.block_on(async {
        let repo = database.repo().await;
        let shop = open(&repo).await;
        sample::agrees(&shop, &repo).await;
        close(&shop).await;
        repo.close().await;
        database.drop().await;
    });
}

#[test]
fn a_killed_replay_goes_on_on_sqlite() {
    killed_and_started_again(Backend::Sqlite);
}

#[test]
fn a_killed_replay_goes_on_on_postgres() {
    killed_and_started_again(Backend::Postgres);
}
