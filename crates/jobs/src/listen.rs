//! NOTIFY and LISTEN between the engines of all processes, on PostgreSQL.
//!
//! **Invariant.** What is lost on the way costs a poll and nothing else: after each reconnection everything is looked at
//! anew. A node hears no word of its own. Words that are posted while others are being sent go out together.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use crate::core::Core;
use crate::wake::{CHANNEL, CONTROL, notification};

/// Words that are posted within this time go out as one statement.
const GATHER: Duration = Duration::from_millis(5);

/// How long to wait before the next try to listen.
const RECONNECT: Duration = Duration::from_millis(500);

/// Hears what other nodes say, for ever.
pub(crate) async fn hear(core: Arc<Core>, server: PgConnectOptions) {
    loop {
        if let Err(error) = hear_until_lost(&core, &server).await {
            tracing::warn!(%error, "notifications can't be heard; polling until they can");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn hear_until_lost(core: &Core, server: &PgConnectOptions) -> Result<(), sea_orm::sqlx::Error> {
    // A pool of one: the listener wants one, and a shared pool would lack this connection for good.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(server.clone())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    // What was said before we could hear it.
    core.options.wake.control_here();
    while let Some(notification) = listener.try_recv().await? {
        let Some((node, word)) = notification.payload().split_once('|') else { continue };
        match word {
            _ if node == core.node => {}
            CONTROL => core.options.wake.control_here(),
            queue => core.options.wake.here(queue),
        }
    }
    Ok(())
}

/// Sends on what is posted in this process, for ever.
pub(crate) async fn send(core: Arc<Core>) {
    core.options.wake.send_on(true);
    loop {
        let words = core.options.wake.posted().await;
        if let Err(error) = core.store.run(notification(&core.node, words)).await {
            // The others poll.
            tracing::debug!(%error, "a notification was not sent");
        }
        tokio::time::sleep(GATHER).await;
    }
}
