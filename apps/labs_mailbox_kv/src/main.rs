//! A thousand clients at one key-value process: `cargo run -p labs_mailbox_kv`.
#![expect(clippy::print_stdout, reason = "a demo shows what it does")]

use std::time::Duration;

use labs_mailbox_kv::process::spawn;
use labs_mailbox_kv::{CallError, Keep, Kv, KvError, Limits};
use tokio::time::sleep;

#[tokio::main]
async fn main() -> Result<(), KvError> {
    let kv = Kv::start(Limits { mailbox: 64, ..Limits::default() });

    // Each client is a process. It writes a key that is its own, and one that outlives it for a second.
    let mut clients = Vec::new();
    for number in 0..1_000 {
        let kv = kv.clone();
        clients.push(spawn(move |me| async move {
            let lease = Keep::forever().owned_by(&me);
            let mut refused = 0;
            while kv.put(&format!("client {number}"), number, lease.clone()).await.is_err() {
                // The named answer at the bound. A client backs off; the server's memory stays flat.
                refused += 1;
                sleep(Duration::from_millis(5)).await;
            }
            let second = Keep::forever().at_most(Duration::from_secs(1));
            let _ = kv.put(&format!("retries of {number}"), refused, second).await;
            sleep(Duration::from_millis(500)).await;
        }));
    }

    for _ in 0..7 {
        sleep(Duration::from_millis(250)).await;
        println!("{:>5} keys, {:>3} messages wait", kv.len().await?, kv.waiting());
    }
    println!("the clients ended and their own keys went with them; then the others' time was over");

    // What a caller hears from a server that is killed: an error at once, and not a wait of five seconds.
    kv.process().kill();
    tokio::task::yield_now().await;
    match kv.get("client 1").await {
        Err(error @ (CallError::NoProc | CallError::Died)) => println!("after a kill: {error}"),
        other => println!("the kill came too late: {other:?}"),
    }
    Ok(())
}
