//! Installs the logs and, where it is configured, the export of spans.
//!
//! **Invariant.** Logs go to standard error, so that what a command prints can be piped; a filter that can't be read
//! is an error at the start, never a silent default; and nothing of [`crate::what_is_never_logged`] passes.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::otlp::{self, ExportStats, OtlpConfig};
use crate::{redact, scope};

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Pretty,
    /// One object a line.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// As `RUST_LOG`: `info`, `warn,pulse_fleet=debug`.
    pub filter: String,
    /// The look.
    pub format: LogFormat,
}

/// Why telemetry could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum ObsError {
    /// The filter is not one.
    #[error(
        "the log filter {filter:?} can't be read ({reason}): use directives like \"info\" or \"warn,pulse_fleet=debug\""
    )]
    Filter {
        /// As it was configured.
        filter: String,
        /// What the parser said.
        reason: String,
    },
    /// The exporter could not be built.
    #[error(
        "the OTLP endpoint {endpoint:?} can't be used ({reason}): give one like \"http://127.0.0.1:4317\""
    )]
    Endpoint {
        /// As it was configured.
        endpoint: String,
        /// What the exporter said.
        reason: String,
    },
    /// Another subscriber is already there.
    #[error("logging is already installed in this process")]
    Installed,
}

/// What [`init`] installed. Keep it until the end and [`shutdown`](Self::shutdown) it: spans wait in a queue.
#[derive(Debug)]
#[must_use = "dropping it loses the spans that wait for their export"]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
    stats: ExportStats,
}

impl Telemetry {
    /// Counters of the export; all zero where there is none.
    pub fn export_stats(&self) -> ExportStats {
        self.stats.clone()
    }

    /// Whether spans are exported.
    pub const fn exports(&self) -> bool {
        self.provider.is_some()
    }

    /// Sends what waits, for at most `limit`. Blocks: call it where nothing else runs any more.
    pub fn shutdown(self, limit: Duration) {
        if let Some(provider) = self.provider {
            // A collector that is not there must not turn a clean end into a failure; the count tells.
            let _ = provider.shutdown_with_timeout(limit);
        }
    }
}

/// Installs logs, and the export where `otlp` is given (then inside a tokio runtime).
pub fn init(logs: &LogConfig, otlp: Option<&OtlpConfig>) -> Result<Telemetry, ObsError> {
    let stats = ExportStats::default();
    let provider = match otlp {
        Some(config) => Some(otlp::provider(config, &stats).map_err(|error| ObsError::Endpoint {
            endpoint: redact::url(&config.endpoint),
            reason: error.to_string(),
        })?),
        None => None,
    };
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("pulse"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            // Nothing here asks OpenTelemetry for its current context; keeping it would cost each poll.
            .with_context_activation(false)
            .with_filter(redact::wire_cap().with_default(LevelFilter::INFO))
    });
    let filter = filter(&logs.filter)?;
    tracing_subscriber::registry()
        .with(lines(logs.format, io::stderr).with_filter(filter.and(redact::wire_cap())))
        .with(traces)
        .try_init()
        .map_err(|_| ObsError::Installed)?;
    Ok(Telemetry { provider, stats })
}

fn filter(text: &str) -> Result<EnvFilter, ObsError> {
    EnvFilter::builder()
        .parse(text)
        .map_err(|error| ObsError::Filter { filter: text.to_owned(), reason: error.to_string() })
}

/// Set where lines are pretty: only their formatter shows the fields of spans.
static SPANS: AtomicBool = AtomicBool::new(false);

/// Whether lines show the request's span. Where they don't, the tags of its scope say as much for less.
pub(crate) fn wants_spans() -> bool {
    SPANS.load(Ordering::Relaxed)
}

/// The layer that writes lines, in the wanted look.
pub(crate) fn lines<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    let pretty = match format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    if pretty {
        SPANS.store(true, Ordering::Relaxed);
        let colors = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        return Box::new(tracing_subscriber::fmt::layer().with_ansi(colors).with_writer(writer));
    }
    let mut layer = json_subscriber::JsonLayer::new(writer);
    layer.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
    layer.with_level("level");
    layer.with_target("target");
    layer.with_event("fields");
    layer.with_flattened_span_fields("span");
    // The request for which the line's thread is working.
    layer.add_dynamic_field("trace_id", |_, _| scope::current(|tags| tags.trace.to_string()));
    layer.add_dynamic_field("method", |_, _| scope::current(|tags| tags.method));
    layer.add_dynamic_field("route", |_, _| {
        scope::current(|tags| tags.route.as_ref().map(|route| route.as_str().to_owned())).flatten()
    });
    Box::new(layer)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tower::ServiceExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(directives: &str, work: impl FnOnce()) -> Vec<serde_json::Value> {
        let out = Lines::default();
        let writer = out.clone();
        let layer = lines(LogFormat::Json, move || writer.clone());
        let subscriber = tracing_subscriber::registry()
            .with(layer.with_filter(filter(directives).unwrap().and(redact::wire_cap())));
        tracing::subscriber::with_default(subscriber, work);
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_json_line_carries_the_trace_of_its_request() {
        let lines = logged("info", || {
            let mut tags =
                Some(scope::RequestTags { trace: crate::TraceId(0xab), method: "GET", route: None });
            let _request = scope::Scope::enter(&mut tags);
            let _inner = tracing::info_span!("inner", step = 1).entered();
            tracing::info!(order = 7, "order placed");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["trace_id"], "000000000000000000000000000000ab");
        assert_eq!(lines[0]["fields"]["message"], "order placed");
        assert_eq!(lines[0]["fields"]["order"], 7);
        assert_eq!(lines[0]["method"], "GET");
        assert_eq!(lines[0]["span"]["step"], 1);
        assert_eq!(lines[0]["level"], "INFO");
        assert!(lines[0]["timestamp"].is_string());
    }

    #[test]
    fn a_handlers_line_carries_its_request_and_a_line_outside_carries_none() {
        let build = crate::BuildInfo { version: "0", commit: "unknown", profile: "debug" };
        let layer = crate::Metrics::new(build).http_layer();
        let handler = async || {
            tokio::task::yield_now().await;
            tracing::info!("order shown");
        };
        let shop = axum::Router::new().route("/orders/{id}", axum::routing::get(handler)).layer(layer);
        let lines = logged("info", || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let request = axum::http::Request::get("/orders/7")
                .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
                .body(axum::body::Body::empty());
            let answer = runtime.block_on(shop.oneshot(request.unwrap())).unwrap();
            assert_eq!(answer.status(), 200);
            tracing::info!("outside");
        });
        assert_eq!(lines[0]["fields"]["message"], "order shown");
        assert_eq!(lines[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(
            (lines[0]["method"].as_str(), lines[0]["route"].as_str()),
            (Some("GET"), Some("/orders/{id}"))
        );
        assert_eq!(lines[1]["fields"]["message"], "outside");
        assert!(lines[1]["trace_id"].is_null() && lines[1]["route"].is_null());
    }

    #[test]
    fn libraries_that_print_the_wire_stay_quiet_under_any_filter() {
        let lines = logged("trace,sea_orm=trace,hyper=trace", || {
            tracing::trace!(target: "sea_orm::driver", "SELECT 'secret'");
            tracing::debug!(target: "hyper::proto", "cookie: secret");
            tracing::warn!(target: "sqlx::pool", "slow");
            tracing::trace!(target: "pulse_web", "ours");
        });
        let messages: Vec<_> = lines.iter().map(|line| line["fields"]["message"].clone()).collect();
        assert_eq!(messages, ["slow", "ours"]);
    }

    #[test]
    fn a_bad_filter_is_an_error_that_names_it() {
        let error = filter("info,=,=").unwrap_err().to_string();
        assert!(error.contains("\"info,=,=\""), "{error}");
    }
}
