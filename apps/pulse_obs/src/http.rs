//! Measures each request by its matched route, and lets log lines and spans know to which request they belong.
//!
//! **Invariant.** A route is counted under its pattern, never under the asked path, so that the number of series is
//! bounded by the routes that were declared; a method that HTTP does not name counts as `OTHER`. The handles of a
//! route's series are looked up once and kept: a request takes a read lock and no allocation for its metrics. A span
//! is opened only where something reads it (an export, pretty lines); JSON lines read the [scope](crate::scope).

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::MatchedPath;
use axum::http::{Method, Request, Response, StatusCode};
use foldhash::fast::RandomState;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceState};
use pin_project_lite::pin_project;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tower::{Layer, Service};
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::scope::{RequestTags, Scope};
use crate::trace_id::{Parent, TraceId, parse_traceparent};
use crate::{logs, otlp};

/// Upper bounds in seconds: from a cache hit to a request that somebody noticed.
const BUCKETS: [f64; 14] =
    [0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];
/// `gone`: the client went away before there was an answer.
const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "gone"];
const GONE: usize = 5;
const UNMATCHED: &str = "unmatched";

type Labels = [(&'static str, String); 3];
type Histogram = HistogramWithExemplars<TraceId>;

#[derive(Clone)]
struct Buckets;

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(BUCKETS.into_iter())
    }
}

/// The series of one route, by method and class; filled at first use.
struct Route {
    pattern: Box<str>,
    series: [[OnceLock<Histogram>; CLASSES.len()]; METHODS.len()],
}

struct Inner {
    durations: Family<Labels, Histogram, Buckets>,
    in_flight: Gauge<i64, AtomicI64>,
    routes: RwLock<HashMap<Box<str>, Arc<Route>, RandomState>>,
}

/// The tower layer; apply it with `Router::layer`, so that the matched path is known. A cheap handle.
#[derive(Clone)]
pub struct HttpLayer {
    inner: Arc<Inner>,
}

impl HttpLayer {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let durations = Family::new_with_constructor(Buckets);
        let in_flight = Gauge::default();
        registry.register(
            "http_request_duration_seconds",
            "Time to the head of the answer, by route, method and class of status",
            durations.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests that wait for their answer",
            in_flight.clone(),
        );
        Self { inner: Arc::new(Inner { durations, in_flight, routes: RwLock::default() }) }
    }

    fn route(&self, pattern: &str) -> Arc<Route> {
        let routes = self.inner.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(pattern) {
            return Arc::clone(route);
        }
        drop(routes);
        let mut routes = self.inner.routes.write().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Route { pattern: pattern.into(), series: Default::default() });
        Arc::clone(routes.entry(pattern.into()).or_insert_with(new))
    }

    fn observe(&self, route: &Route, method: usize, class: usize, seconds: f64, trace: Option<TraceId>) {
        let series = route.series[method][class].get_or_init(|| {
            let labels = [
                ("route", route.pattern.to_string()),
                ("method", METHODS[method].to_owned()),
                ("status", CLASSES[class].to_owned()),
            ];
            self.inner.durations.get_or_create_owned(&labels)
        });
        series.observe(seconds, trace, None);
    }
}

impl fmt::Debug for HttpLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for HttpLayer {
    type Service = HttpService<S>;

    fn layer(&self, service: S) -> HttpService<S> {
        HttpService { layer: self.clone(), service }
    }
}

/// The service that [`HttpLayer`] wraps around another.
#[derive(Debug, Clone)]
pub struct HttpService<S> {
    layer: HttpLayer,
    service: S,
}

impl<S, B, R> Service<Request<B>> for HttpService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let pattern = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        let method = method_index(request.method());
        let header = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
        let parent = header.and_then(parse_traceparent);
        let (span, id, trace) = if otlp::is_on() || logs::wants_spans() {
            open_span(parent, METHODS[method], pattern)
        } else {
            let id = parent.map_or_else(TraceId::draw, |parent| parent.trace);
            (Span::none(), id, Some(id))
        };
        let route = self.layer.route(pattern);
        self.layer.inner.in_flight.inc();
        let tags = Some(RequestTags { trace: id, method: METHODS[method], route: matched });
        let layer = self.layer.clone();
        let flight = Flight { layer, route, method, started: Instant::now(), trace, answered: false };
        // Not entered here: a service does its work when its future is polled.
        let answer = self.service.call(request);
        ResponseFuture { answer, tags, span, flight }
    }
}

/// The request's span, its trace, and the exemplar to show.
fn open_span(
    parent: Option<Parent>,
    method: &'static str,
    pattern: &str,
) -> (Span, TraceId, Option<TraceId>) {
    let span = tracing::span!(
        target: "pulse::http",
        Level::INFO,
        "request",
        method = tracing::field::Empty,
        route = tracing::field::Empty,
        status = tracing::field::Empty,
    );
    let (id, trace) = open_trace(&span, parent);
    // Of a trace that nobody keeps, nobody reads the fields.
    if logs::wants_spans() || trace.is_some() {
        span.record("method", method);
        span.record("route", pattern);
    }
    (span, id, trace)
}

/// Gives the span its trace and says which exemplar to show: none where the trace is not kept anywhere.
fn open_trace(span: &Span, parent: Option<Parent>) -> (TraceId, Option<TraceId>) {
    if otlp::is_on() {
        if let Some(parent) = parent {
            let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
            let remote = SpanContext::new(
                opentelemetry::trace::TraceId::from_bytes(parent.trace.0.to_be_bytes()),
                SpanId::from_bytes(parent.span.to_be_bytes()),
                flags,
                true,
                TraceState::NONE,
            );
            // Fails only where no OpenTelemetry layer is there or the span was filtered out: no trace then.
            let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(remote));
        }
        let context = span.context();
        let context = context.span();
        let context = context.span_context();
        if context.is_valid() {
            let id = TraceId(u128::from_be_bytes(context.trace_id().to_bytes()));
            return (id, context.is_sampled().then_some(id));
        }
    }
    let id = parent.map_or_else(TraceId::draw, |parent| parent.trace);
    (id, Some(id))
}

fn method_index(method: &Method) -> usize {
    let name = method.as_str();
    METHODS.iter().position(|known| *known == name).unwrap_or(METHODS.len() - 1)
}

fn class_index(status: StatusCode) -> usize {
    usize::from(status.as_u16() / 100).clamp(1, 5) - 1
}

/// One request under way. Dropping it unanswered means that the client went away.
struct Flight {
    layer: HttpLayer,
    route: Arc<Route>,
    method: usize,
    started: Instant,
    trace: Option<TraceId>,
    answered: bool,
}

impl Flight {
    fn land(&mut self, class: usize) -> f64 {
        self.answered = true;
        let seconds = self.started.elapsed().as_secs_f64();
        self.layer.inner.in_flight.dec();
        self.layer.observe(&self.route, self.method, class, seconds, self.trace);
        seconds
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.answered {
            self.land(GONE);
        }
    }
}

pin_project! {
    /// The answer under way.
    pub struct ResponseFuture<F> {
        #[pin]
        answer: F,
        tags: Option<RequestTags>,
        span: Span,
        flight: Flight,
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _scope = Scope::enter(this.tags);
        let _entered = this.span.enter();
        let result = std::task::ready!(this.answer.poll(cx));
        let class = result.as_ref().map_or(4, |response| class_index(response.status()));
        let seconds = this.flight.land(class);
        if let Ok(response) = &result {
            let status = response.status().as_u16();
            if this.flight.trace.is_some() && otlp::is_on() {
                this.span.record("status", status);
            }
            if status >= 500 {
                tracing::warn!(target: "pulse::http", status, seconds, "request failed");
            } else {
                tracing::debug!(target: "pulse::http", status, seconds, "request");
            }
        }
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
