//! What telemetry costs a request: the same router bare, with metrics and a span, and with log layers installed.

#![expect(clippy::print_stdout, reason = "a benchmark reports by printing")]

use std::hint::black_box;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use pulse_obs::{BuildInfo, LogConfig, LogFormat, Metrics, OtlpConfig};
use tower::ServiceExt as _;

const ROUNDS: u32 = 200_000;

async fn nanoseconds(router: &Router) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..ROUNDS / 5 {
            let request = Request::get("/orders/7").body(Body::empty()).unwrap_or_default();
            let _ = black_box(router.clone().oneshot(request).await);
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS / 5));
    }
    best
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let metrics = Metrics::new(BuildInfo { version: "0", commit: "unknown", profile: "bench" });
    let bare = Router::new().route("/orders/{id}", get(async || "an order"));
    let measured = bare.clone().layer(metrics.http_layer());
    let off = nanoseconds(&bare).await;
    println!("bare router                         {off:8.0} ns");
    println!("metrics, no subscriber            + {:8.0} ns", nanoseconds(&measured).await - off);
    let otlp = std::env::args().any(|arg| arg == "--otlp").then(|| OtlpConfig {
        endpoint: "http://127.0.0.1:1".to_owned(),
        sample_ratio: 0.01,
        version: "0",
    });
    let logs = LogConfig { filter: "info".to_owned(), format: LogFormat::Json };
    let telemetry = pulse_obs::init(&logs, otlp.as_ref());
    let on = nanoseconds(&measured).await - off;
    println!(
        "metrics, span, JSON log{} + {on:8.0} ns",
        if otlp.is_some() { ", OTLP 1 %" } else { "          " }
    );
    drop(telemetry);
}
