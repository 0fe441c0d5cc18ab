//! Logs, traces, metrics and health: what the shop tells those who run it.
//!
//! **Invariant.** Only the binary depends on this crate. The rooms speak through the `tracing` facade and plain
//! counters; the binary hands closures over those counters to [`Metrics`], so that no room knows how it is watched.
//! Telemetry never blocks and never fails a request: what can't be exported is dropped and counted.
//!
//! - [`init`] installs logs (pretty on a terminal, JSON elsewhere) and, if configured, the OTLP export of spans.
//! - [`HttpLayer`] measures each request by matched route and tells log lines and spans which request they belong to.
//! - [`Metrics`] collects and writes `OpenMetrics` text; [`Health`] holds the named readiness checks.
//! - [`ops_router`] serves `/metrics`, `/healthz` and `/readyz` on a listener of their own.

mod health;
mod http;
mod logs;
mod metrics;
mod ops;
mod otlp;
mod process;
pub mod redact;
mod scope;
mod trace_id;

pub use health::{CheckResult, Health, Phase, Report};
pub use http::{HttpLayer, HttpService, ResponseFuture};
pub use logs::{LogConfig, LogFormat, ObsError, Telemetry, init};
pub use metrics::{BuildInfo, Kind, Metrics, Sample};
pub use ops::ops_router;
pub use otlp::{ExportStats, OtlpConfig};
pub use trace_id::TraceId;

#[doc = include_str!("../../../docs/what-is-never-logged.md")]
pub mod what_is_never_logged {}
