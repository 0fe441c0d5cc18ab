//! Spans reach a collector over gRPC, are flushed at the end, and those that could not be sent are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use pulse_obs::{BuildInfo, LogConfig, LogFormat, Metrics, OtlpConfig};

use crate::{ask, get};

/// As much of a collector as an exporter needs: takes each export and says "OK" in gRPC's framing.
fn collector(exports: Arc<AtomicUsize>) -> Router {
    Router::new().fallback(move |body: Body| {
        let exports = Arc::clone(&exports);
        async move {
            let bytes = body.collect().await.map(|body| body.to_bytes().len()).unwrap_or_default();
            exports.fetch_add(usize::from(bytes > 5), Ordering::SeqCst);
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().unwrap());
            let frames = [
                Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(&[0; 5]))),
                Ok(Frame::trailers(trailers)),
            ];
            let body = Body::new(StreamBody::new(tokio_stream::iter(frames)));
            Response::builder()
                .status(StatusCode::OK)
                .header("content-type", "application/grpc")
                .body(body)
                .unwrap()
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_are_flushed_to_the_collector_at_the_end() {
    let exports = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, collector(Arc::clone(&exports))).into_future());

    let config = OtlpConfig { endpoint: format!("http://{address}"), sample_ratio: 1.0, version: "0" };
    let logs = LogConfig { filter: "warn".to_owned(), format: LogFormat::Json };
    let telemetry = pulse_obs::init(&logs, Some(&config)).unwrap();
    let stats = telemetry.export_stats();

    let metrics = Metrics::new(BuildInfo { version: "0", commit: "unknown", profile: "debug" });
    let shop = Router::new()
        .route("/orders/{id}", axum::routing::get(async || "an order"))
        .layer(metrics.http_layer());
    for id in 0..10 {
        ask(&shop, get(&format!("/orders/{id}"))).await;
    }
    tokio::task::spawn_blocking(move || telemetry.shutdown(Duration::from_secs(5))).await.unwrap();
    assert_eq!((stats.exported(), stats.failed(), stats.dropped()), (10, 0, 0));
    assert!(exports.load(Ordering::SeqCst) >= 1);
    assert!(metrics.encode().unwrap().contains("trace_id="), "a sampled trace becomes an exemplar");
}
