//! Sends sampled spans to an OTLP collector (gRPC), and counts what could not be sent.
//!
//! **Invariant.** Exporting never blocks a request: at the bound of the queue a span is dropped and counted. Every
//! sampled span that ends is, sooner or later, exactly one of exported, failed or dropped.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, Span, SpanData, SpanExporter,
    SpanProcessor,
};

/// Spans that may wait for their export.
const QUEUE: usize = 4096;

/// Set once, when an exporter is installed: the HTTP layer then takes its trace ids from there.
static ON: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Where spans go and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpConfig {
    /// `http://host:4317`.
    pub endpoint: String,
    /// Of the traces that begin here, the share that is kept: 0.0 to 1.0. A caller's decision is followed.
    pub sample_ratio: f64,
    /// The service's version, a resource attribute.
    pub version: &'static str,
}

/// Counters of the export; a cheap handle.
#[derive(Debug, Clone, Default)]
pub struct ExportStats {
    inner: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    ended: AtomicU64,
    taken: AtomicU64,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl ExportStats {
    /// Spans that the collector took.
    pub fn exported(&self) -> u64 {
        self.inner.exported.load(Ordering::Relaxed)
    }

    /// Spans that the collector did not take.
    pub fn failed(&self) -> u64 {
        self.inner.failed.load(Ordering::Relaxed)
    }

    /// Spans for which the queue had no room.
    pub fn dropped(&self) -> u64 {
        self.inner.dropped.load(Ordering::Relaxed)
    }
}

/// Builds the provider. Must run inside a tokio runtime: the gRPC channel lives there.
pub(crate) fn provider(
    config: &OtlpConfig,
    stats: &ExportStats,
) -> Result<SdkTracerProvider, opentelemetry_otlp::ExporterBuildError> {
    let exporter = OtlpExporter::builder()
        .with_tonic()
        .with_endpoint(config.endpoint.clone())
        .with_timeout(Duration::from_secs(3))
        .build()?;
    let provider = build(config, Counting { exporter, stats: stats.clone() }, stats);
    ON.store(true, Ordering::Relaxed);
    Ok(provider)
}

fn build<E: SpanExporter + 'static>(
    config: &OtlpConfig,
    exporter: Counting<E>,
    stats: &ExportStats,
) -> SdkTracerProvider {
    let batch = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let inner = BatchSpanProcessor::builder(exporter).with_batch_config(batch).build();
    let resource = Resource::builder()
        .with_service_name("pulse")
        .with_attribute(KeyValue::new("service.version", config.version))
        .build();
    SdkTracerProvider::builder()
        .with_span_processor(Gate { inner, stats: stats.clone() })
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio))))
        .with_resource(resource)
        .build()
}

/// Counts what an exporter takes and what it fails to hand over.
struct Counting<E> {
    exporter: E,
    stats: ExportStats,
}

impl<E> fmt::Debug for Counting<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counting").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl<E: SpanExporter> SpanExporter for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let counts = &self.stats.inner;
        counts.taken.fetch_add(spans, Ordering::Relaxed);
        let result = self.exporter.export(batch).await;
        let outcome = if result.is_ok() { &counts.exported } else { &counts.failed };
        outcome.fetch_add(spans, Ordering::Relaxed);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Lets a span pass while fewer than [`QUEUE`] wait; the batch processor's own drops are visible to nobody.
#[derive(Debug)]
struct Gate {
    inner: BatchSpanProcessor,
    stats: ExportStats,
}

impl SpanProcessor for Gate {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.inner.on_start(span, cx);
    }

    fn on_end(&self, span: SpanData) {
        let counts = &self.stats.inner;
        let ended = counts.ended.fetch_add(1, Ordering::Relaxed) + 1;
        let gone = counts.taken.load(Ordering::Relaxed) + counts.dropped.load(Ordering::Relaxed);
        if ended.saturating_sub(gone) > QUEUE as u64 {
            counts.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
