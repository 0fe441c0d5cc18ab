//! The scrape: requests by route, exemplars, figures of rooms, the process.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::get as on_get;
use pulse_obs::{BuildInfo, Health, Kind, Metrics, Sample, ops_router};

use crate::{ask, get, text};

fn metrics() -> Metrics {
    Metrics::new(BuildInfo { version: "9.8.7", commit: "abc", profile: "debug" })
}

fn shop(metrics: &Metrics) -> Router {
    Router::new()
        .route("/orders/{id}", on_get(async || "an order"))
        .route("/broken", on_get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/never", on_get(std::future::pending::<()>))
        .layer(metrics.http_layer())
}

/// The figure of the one line that begins with `name` and holds each of `labels`.
fn figure(scrape: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let mut lines = scrape.lines().filter(|line| {
        line.split(['{', ' ']).next() == Some(name) && labels.iter().all(|label| line.contains(label))
    });
    let line = lines.next()?;
    assert!(lines.next().is_none(), "more than one {name} with {labels:?}");
    line.split('#').next()?.rsplit(' ').find(|word| !word.is_empty())?.parse().ok()
}

#[tokio::test]
async fn requests_count_under_their_pattern_method_and_class() {
    let metrics = metrics();
    let shop = shop(&metrics);
    for id in 0..3 {
        ask(&shop, get(&format!("/orders/{id}"))).await;
    }
    ask(&shop, get("/broken")).await;
    ask(&shop, get("/no/such/page")).await;
    let odd = Request::builder().method(Method::from_bytes(b"BREW").unwrap()).uri("/orders/1");
    ask(&shop, odd.body(Body::empty()).unwrap()).await;

    let scrape = metrics.encode().unwrap();
    let count = |labels: &[&str]| figure(&scrape, "http_request_duration_seconds_count", labels);
    assert_eq!(count(&["route=\"/orders/{id}\"", "method=\"GET\"", "status=\"2xx\""]), Some(3.0));
    assert_eq!(count(&["route=\"/broken\"", "status=\"5xx\""]), Some(1.0));
    assert_eq!(count(&["method=\"OTHER\"", "status=\"4xx\""]), Some(1.0));
    assert!(!scrape.contains("/no/such/page"), "asked paths must not become series");
    assert_eq!(count(&["route=\"unmatched\"", "status=\"4xx\""]), Some(1.0));
    assert_eq!(figure(&scrape, "http_requests_in_flight", &[]), Some(0.0));
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted_and_leaves_nothing_in_flight() {
    let metrics = metrics();
    let shop = shop(&metrics);
    let mut waiting = Box::pin(ask(&shop, get("/never")));
    assert!(futures_poll(&mut waiting).await);
    assert_eq!(figure(&metrics.encode().unwrap(), "http_requests_in_flight", &[]), Some(1.0));
    drop(waiting);
    let scrape = metrics.encode().unwrap();
    assert_eq!(figure(&scrape, "http_requests_in_flight", &[]), Some(0.0));
    assert_eq!(figure(&scrape, "http_request_duration_seconds_count", &["status=\"gone\""]), Some(1.0));
}

/// Polls once; whether it is still pending.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending()))
        .await
}

#[tokio::test]
async fn an_exemplar_names_the_callers_trace() {
    let metrics = metrics();
    let request = Request::get("/orders/1")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(Body::empty())
        .unwrap();
    ask(&shop(&metrics), request).await;
    let scrape = metrics.encode().unwrap();
    assert!(scrape.contains("# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"}"), "{scrape}");
}

#[tokio::test]
async fn figures_of_rooms_are_read_at_the_scrape() {
    let metrics = metrics();
    metrics.samples("pulse_jobs_waiting", "Jobs that wait", Kind::Gauge, |out| {
        for (queue, waiting) in [("mail", 2.0), ("payments", 5.0)] {
            out.push(Sample { label: Some(("queue", queue.to_owned())), value: waiting });
        }
    });
    metrics.maybe("pulse_absent", "Not there", Kind::Gauge, || None);
    metrics.read("pulse_carts_stored", "Stored cart commands", Kind::Counter, || 12.0);
    let answer = ask(&ops_router(metrics, Health::new()), get("/metrics")).await;
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let scrape = text(answer).await;
    assert_eq!(figure(&scrape, "pulse_jobs_waiting", &["queue=\"payments\""]), Some(5.0));
    assert_eq!(figure(&scrape, "pulse_carts_stored_total", &[]), Some(12.0));
    assert!(!scrape.contains("pulse_absent"));
    assert!(scrape.contains("pulse_build_info{version=\"9.8.7\",commit=\"abc\",profile=\"debug\"} 1"));
    assert!(figure(&scrape, "process_start_time_seconds", &[]).is_some());
    assert!(scrape.ends_with("# EOF\n"));
}
