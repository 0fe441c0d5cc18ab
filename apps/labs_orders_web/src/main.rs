//! The orders desk: `cargo run -p labs_orders_web [ADDRESS]`, then open it in two tabs.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::time::Duration;

use labs_orders_web::site::Site;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned());
    // Open pages join again after a restart only if the secret is the same: a real application keeps it.
    let site = Site::open(rand::random()).await?;
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stopped = async {
        // Without a signal there is nothing to wait for; the desk then runs until it is killed.
        let _ = tokio::signal::ctrl_c().await;
    };
    let serving = axum::serve(listener, site.routes()).with_graceful_shutdown(stopped);
    serving.await?;
    if !site.drain(Duration::from_secs(10)).await {
        eprintln!("some sockets did not close in time");
    }
    Ok(())
}
