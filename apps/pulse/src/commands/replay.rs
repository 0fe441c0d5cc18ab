//! `pulse replay`: plays a real shop's invoices through this one.
//!
//! **Invariant.** Interrupted or killed, what was acknowledged stays; the same command goes on from there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pulse_ingest::replay::{Options, Progress as Counters, ReplayError, Standing, replay};

use crate::cli::Replay;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::rooms::Rooms;
use crate::signals::Stop;
use crate::{output, shop};

pub(super) async fn run(config: &Config, wanted: Replay) -> Result<(), Failure> {
    // Told before anything is opened: a slip in a name must cost nothing.
    if let Some(missing) = wanted.files.iter().find(|file| !file.is_file()) {
        let message = format!("{} is no file that can be replayed: name CSV files", missing.display());
        return Err(Failure::failed(message));
    }
    let stop = Stop::listen("stopping after the work in hand; the same command goes on from here");
    let repo = shop::open_migrated(config, false).await?;
    let rooms = Rooms::open(config, &repo, "").await?;
    let following = tokio::spawn({
        let rooms = rooms.clone();
        async move { rooms.follow_changes().await }
    });
    let result = play(&rooms, wanted.files, wanted.speed, &stop).await;
    following.abort();
    rooms.close(Duration::from_secs(config.server.drain_seconds)).await;
    result
}

async fn play(
    rooms: &Rooms,
    files: Vec<PathBuf>,
    speed: pulse_ingest::replay::Speed,
    stop: &Stop,
) -> Result<(), Failure> {
    let counters = Arc::new(Counters::default());
    let options = Options { speed, stop: stop.token(), ..Options::default() };
    let started = Instant::now();
    let total = files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|meta| meta.len()).sum();
    let shown = tokio::spawn(show(Progress::begin("replay", total), Arc::clone(&counters)));
    let result = replay(&rooms.replay_shop(), &files, &options, &counters).await;
    shown.abort();
    let _ = shown.await;
    let Standing { rows, orders, returns, dead, .. } = counters.look();
    let replayed = result.map_err(|error| failure(&error))?;
    let seconds = started.elapsed().as_secs_f64();
    output::line(format!(
        "replayed {} file(s), {} known before: {rows} rows, {orders} orders, {returns} returns, {dead} dead letters in {seconds:.1} s",
        replayed.done, replayed.known,
    ))?;
    if replayed.stopped {
        return Err(Failure::new(Exit::Interrupted, "stopped before the end: run the same command to go on"));
    }
    Ok(())
}

async fn show(progress: Progress, counters: Arc<Counters>) {
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tick.tick().await;
        progress.reached(counters.look().bytes);
    }
}

fn failure(error: &ReplayError) -> Failure {
    let text = error.to_string();
    let exit = if text.contains("disk is full") { Exit::CantCreate } else { Exit::Failure };
    Failure::new(exit, format!("{text}; what is in is kept, the same command goes on from there"))
}
