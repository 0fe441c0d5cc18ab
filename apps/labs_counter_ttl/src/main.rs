//! A counter that crashes and goes on, and one that is given up: `cargo run -p labs_counter_ttl`.
#![expect(clippy::print_stdout, reason = "a demo shows what it does")]

use std::error::Error;
use std::time::Duration;

use labs_counter_ttl::{Counter, Intensity, Settings, Supervisor};
use tokio::time::sleep;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let settings = Settings { ttl: Duration::from_secs(2), ..Settings::default() };
    let (child, counter) = Counter::child(settings);
    let intensity = Intensity { restarts: 3, period: Duration::from_secs(5) };
    let supervised = Supervisor::new(intensity).child(child).start();

    for _ in 0..3 {
        counter.increment("visits").await?;
    }
    println!("visits: {}", counter.get("visits").await?);

    // A batch of two keys whose second step panics: the caller hears of it, and neither key has changed.
    let batch = vec!["visits".to_owned(), "poison".to_owned()];
    let crash =
        |key: &str, count| if key == "poison" { panic!("a bug in the caller's code") } else { count + 100 };
    println!("a batch that crashes: {:?}", counter.update(batch, crash).await);
    sleep(Duration::from_millis(50)).await;
    println!("visits after the crash: {} ({} restart)", counter.get("visits").await?, supervised.restarts());

    sleep(Duration::from_secs(2)).await;
    println!("visits, two seconds after the last one: {}", counter.get("visits").await?);
    sleep(Duration::from_secs(1)).await;
    println!("kept after a sweep: {} keys, {} facts", counter.len().await?, counter.inherited());

    // Once is bad luck. Again and again is a bug that no restart mends.
    for _ in 0..5 {
        let _ = counter.update(vec!["poison".to_owned()], |_, _| panic!("the same bug again")).await;
        sleep(Duration::from_millis(20)).await;
    }
    println!("after five more crashes: {:?}", counter.get("visits").await);
    println!("the supervisor: {:?}", supervised.ended().await);
    Ok(())
}
