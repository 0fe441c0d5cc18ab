//! What feeds need of a real NATS server: their stream, and rows that are surely in it.
//!
//! **Invariant.** A row that was published is stored once, however often the broker goes away meanwhile.

use std::time::Duration;

use pipeline::producers::nats::async_nats::{self, jetstream};
use pipeline::testing::nats_server::NatsServer;

/// A client, and the stream `FEEDS` with the subjects `feeds.>`.
pub(crate) async fn stream(broker: &NatsServer) -> jetstream::Context {
    let context = broker.jetstream().await;
    let config = jetstream::stream::Config {
        name: "FEEDS".to_owned(),
        subjects: vec!["feeds.>".to_owned()],
        ..jetstream::stream::Config::default()
    };
    context.get_or_create_stream(config).await.unwrap();
    context
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
