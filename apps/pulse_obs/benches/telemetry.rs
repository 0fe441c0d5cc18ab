//! What telemetry costs a request, in CPU time: the same router bare, with metrics and a span, and with log layers installed.

#![expect(clippy::print_stdout, reason = "a benchmark reports by printing")]

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use pulse_obs::{BuildInfo, LogConfig, LogFormat, Metrics, OtlpConfig};
use tower::ServiceExt as _;

const ROUNDS: u32 = 200_000;

/// CPU time of this thread in nanoseconds: the machine may be busy with other things.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(f64::NAN)
}

async fn nanoseconds(router: &Router) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..10 {
        let start = cpu();
        for _ in 0..ROUNDS / 10 {
            let request = Request::get("/orders/7").body(Body::empty()).unwrap_or_default();
            let _ = black_box(router.clone().oneshot(request).await);
        }
        best = best.min((cpu() - start) / f64::from(ROUNDS / 10));
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
