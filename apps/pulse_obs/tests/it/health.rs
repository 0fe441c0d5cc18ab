//! `/healthz` and `/readyz` over the phases of a life.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use pulse_obs::{BuildInfo, Health, Metrics, ops_router};

use crate::{ask, get, text};

fn router(health: &Health) -> axum::Router {
    let metrics = Metrics::new(BuildInfo { version: "0", commit: "unknown", profile: "debug" });
    ops_router(metrics, health.clone())
}

#[tokio::test]
async fn ready_is_only_while_serving_and_healthy() {
    let health = Health::new();
    let database = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&database);
    health.check("database", move || {
        let up = seen.load(Ordering::Relaxed);
        async move { if up { Ok(()) } else { Err("connection refused".to_owned()) } }
    });
    let router = router(&health);

    assert_eq!(ask(&router, get("/healthz")).await.status(), StatusCode::OK);
    let starting = ask(&router, get("/readyz")).await;
    assert_eq!(starting.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(starting).await.contains("\"phase\":\"starting\""));

    health.serving();
    assert_eq!(ask(&router, get("/readyz")).await.status(), StatusCode::OK);

    database.store(false, Ordering::Relaxed);
    let gone = ask(&router, get("/readyz")).await;
    assert_eq!(gone.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body: serde_json::Value = serde_json::from_str(&text(gone).await).unwrap();
    assert_eq!(body["checks"][0]["name"], "database");
    assert_eq!(body["checks"][0]["ok"], false);
    assert_eq!(body["checks"][0]["detail"], "connection refused");

    database.store(true, Ordering::Relaxed);
    assert_eq!(ask(&router, get("/readyz")).await.status(), StatusCode::OK);
    health.draining();
    health.serving();
    assert_eq!(ask(&router, get("/readyz")).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask(&router, get("/healthz")).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_or_panics_fails_and_does_not_hang_the_answer() {
    let health = Health::new();
    health.check("hangs", std::future::pending);
    health.check("panics", || async { panic!("boom") });
    health.serving();
    let body = text(ask(&router(&health), get("/readyz")).await).await;
    assert!(body.contains("no answer within 2 s"), "{body}");
    assert!(body.contains("the check itself failed"), "{body}");
}
