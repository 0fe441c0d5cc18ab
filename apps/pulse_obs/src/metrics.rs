//! The registry of everything that is counted, written as `OpenMetrics` text.
//!
//! **Invariant.** A figure is read when it is scraped, from the room that owns it: nothing is copied into the
//! registry in between, and a room that is not there has no metric. Names end in their unit; counters in `_total`.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::{HttpLayer, process};

/// What was built, for `pulse_build_info`.
#[derive(Debug, Clone, Copy)]
pub struct BuildInfo {
    /// The version of the binary.
    pub version: &'static str,
    /// The commit it was built from, or `unknown`.
    pub commit: &'static str,
    /// `debug` or `release`.
    pub profile: &'static str,
}

/// What kind of figure a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; the name is given without `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// One figure, with its label where a family of them shares a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `("queue", "mail")`; absent where there is only one.
    pub label: Option<(&'static str, String)>,
    /// The figure.
    pub value: f64,
}

/// The registry; a cheap handle.
///
/// ```
/// use pulse_obs::{BuildInfo, Kind, Metrics};
/// let metrics = Metrics::new(BuildInfo { version: "1.2.3", commit: "unknown", profile: "debug" });
/// metrics.read("pulse_fleet_awake", "Carts that are awake", Kind::Gauge, || 7.0);
/// assert!(metrics.encode().unwrap().contains("pulse_fleet_awake 7.0"));
/// ```
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<RwLock<Registry>>,
    http: HttpLayer,
}

impl Metrics {
    /// A registry with the build, the process and the HTTP figures in it.
    pub fn new(build: BuildInfo) -> Self {
        let mut registry = Registry::default();
        let labels = vec![("version", build.version), ("commit", build.commit), ("profile", build.profile)];
        registry.register("pulse_build", "What was built", Info::new(labels));
        let http = HttpLayer::register(&mut registry);
        let metrics = Self { registry: Arc::new(RwLock::new(registry)), http };
        metrics.maybe("process_resident_memory_bytes", "Memory in use", Kind::Gauge, process::resident_bytes);
        metrics.maybe("process_cpu_seconds", "CPU time used", Kind::Counter, process::cpu_seconds);
        metrics.maybe("process_open_fds", "Open files and sockets", Kind::Gauge, process::open_files);
        metrics.maybe(
            "process_max_fds",
            "Files and sockets that may be open",
            Kind::Gauge,
            process::max_files,
        );
        let started = process::now_seconds();
        metrics.read(
            "process_start_time_seconds",
            "When it was started, since 1970",
            Kind::Gauge,
            move || started,
        );
        metrics
    }

    /// The layer that measures requests into this registry.
    pub fn http_layer(&self) -> HttpLayer {
        self.http.clone()
    }

    /// Adds a figure that `read` gives at each scrape. A counter's name comes without `_total`.
    pub fn read(
        &self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.samples(name, help, kind, move |out| out.push(Sample { label: None, value: read() }));
    }

    /// Adds a figure that may be missing at a scrape.
    pub fn maybe(
        &self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        read: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) {
        self.samples(name, help, kind, move |out| {
            out.extend(read().map(|value| Sample { label: None, value }));
        });
    }

    /// Adds a family: `read` pushes one sample a label.
    pub fn samples(
        &self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        read: impl Fn(&mut Vec<Sample>) + Send + Sync + 'static,
    ) {
        let reading = Reading { name, help, kind, read: Box::new(read) };
        self.registry.write().unwrap_or_else(PoisonError::into_inner).register_collector(Box::new(reading));
    }

    /// Everything as `OpenMetrics` text, with exemplars.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::with_capacity(16 * 1024);
        text::encode(&mut out, &self.registry.read().unwrap_or_else(PoisonError::into_inner))?;
        Ok(out)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

type Read = Box<dyn Fn(&mut Vec<Sample>) + Send + Sync>;

struct Reading {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    read: Read,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut samples = Vec::new();
        (self.read)(&mut samples);
        if samples.is_empty() {
            return Ok(());
        }
        let kind = match self.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
        };
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        for Sample { label, value } in samples {
            let labels: Vec<(&str, String)> = label.into_iter().collect();
            // An empty label set of a family would be written as `name{}`.
            let sample = |encoder: prometheus_client::encoding::MetricEncoder<'_>| match self.kind {
                Kind::Counter => ConstCounter::new(value).encode(encoder),
                Kind::Gauge => ConstGauge::new(value).encode(encoder),
            };
            if labels.is_empty() {
                return sample(metric);
            }
            sample(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
