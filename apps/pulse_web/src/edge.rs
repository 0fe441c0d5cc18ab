//! What every request passes through: its id, its client's allowance, its deadline, and how its answer leaves.
//!
//! **Invariant.** No answer leaves without the request's id and the security headers; none of status 400 or more
//! without a problem as its body; a panic ends one request and nothing else. One layer does all of it, because each
//! layer costs an allocation a request.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tower::{Layer, Service};

use crate::config::WebConfig;
use crate::limit::{Limiter, client_behind};
use crate::problem::{Kind, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// JSON loads nothing and is framed by nobody. Pages bring their own policy.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// The id of a request, in its extensions: the client's, where it is a sensible one, else drawn here.
#[derive(Debug, Clone)]
pub struct RequestId(pub HeaderValue);

/// Where a request comes from, in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) IpAddr);

struct Shared {
    limiter: Limiter,
    proxies: usize,
    https: bool,
    answer_time: Duration,
    ids: RequestIds,
}

/// Puts [`Edge`] around a service.
#[derive(Clone)]
pub(crate) struct EdgeLayer(Arc<Shared>);

impl EdgeLayer {
    pub(crate) fn new(config: &WebConfig) -> Self {
        Self(Arc::new(Shared {
            limiter: Limiter::new(config.requests),
            proxies: config.proxies,
            https: config.is_https(),
            answer_time: config.answer_time,
            ids: RequestIds::new(),
        }))
    }
}

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, inner: S) -> Edge<S> {
        Edge { inner, shared: Arc::clone(&self.0) }
    }
}

/// The layer's service.
#[derive(Clone)]
pub(crate) struct Edge<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request> for Edge<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        let id = given_id(request.headers()).unwrap_or_else(|| shared.ids.next());
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
        let forwarded = request.headers().get_all(FORWARDED_FOR).iter().next_back();
        let client = client_behind(peer, forwarded.and_then(|value| value.to_str().ok()), shared.proxies);
        if let Err(seconds) = shared.limiter.take(client) {
            let mut problem =
                Problem::new(Kind::RateLimited, "more requests than one client may make: wait a little");
            problem.retry_after = Some(seconds);
            return Box::pin(std::future::ready(Ok(finish(problem.into_response(), &id, shared.https))));
        }
        request.extensions_mut().insert(Client(client));
        request.extensions_mut().insert(RequestId(id.clone()));
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        Box::pin(async move {
            let response = match tokio::time::timeout(shared.answer_time, answer).await {
                Ok(Ok(Ok(response))) => response.into_response(),
                // The panic hook has already written where and why.
                Ok(Err(_panic)) => {
                    Problem::new(Kind::Internal, "the request could not be answered; it is in the log under its id")
                        .into_response()
                }
                Err(_late) => {
                    Problem::new(Kind::Unavailable, "no answer in time; what was asked may still happen: repeat it with the same Idempotency-Key")
                        .into_response()
                }
            };
            Ok(finish(response, &id, shared.https))
        })
    }
}

/// Writes the problem, if it is one, and the headers that every answer has.
fn finish(mut response: Response, id: &HeaderValue, https: bool) -> Response {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let known = response.extensions_mut().remove::<Problem>();
        let problem = known.unwrap_or_else(|| {
            let kind = Kind::of_status(status);
            Problem::new(kind, kind.title())
        });
        let request = id.to_str().unwrap_or_default();
        if status.is_server_error() {
            tracing::warn!(request, status = status.as_u16(), detail = %problem.detail, "a request failed");
        }
        // A page for people says in words what a problem says to programs.
        if !is_page(&response) {
            *response.body_mut() = Body::from(problem.body(request));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
            headers.remove(header::CONTENT_LENGTH);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.clone());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    response
}

fn is_page(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The client's own id: 1 to 64 letters, digits, `-`, `_` or `.`; others could forge lines in a log.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let given = headers.get(REQUEST_ID)?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&given.len()) && given.as_bytes().iter().all(fits)).then(|| given.clone())
}

/// Draws ids: a counter behind a random start, scrambled by a function that maps no two numbers to one
/// (splitmix64's finalizer), so ids of one process never repeat and tell nothing about the traffic.
struct RequestIds(AtomicU64);

impl RequestIds {
    fn new() -> Self {
        Self(AtomicU64::new(rand::random()))
    }

    fn next(&self) -> HeaderValue {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut x = self.0.fetch_add(1, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        let mut text = [0_u8; 16];
        for (pair, byte) in text.chunks_exact_mut(2).zip(x.to_be_bytes()) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]);
        }
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("0"))
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    /// The answer of one handler behind the edge.
    async fn behind_the_edge(
        handler: axum::routing::MethodRouter,
        config: &WebConfig,
    ) -> (u16, serde_json::Value) {
        let router = axum::Router::new().route("/", handler).layer(EdgeLayer::new(config));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_panic_ends_one_request_with_a_problem() {
        async fn handler() -> &'static str {
            panic!("a test's panic")
        }
        let (status, problem) = behind_the_edge(get(handler), &WebConfig::default()).await;
        assert_eq!((status, problem["type"].as_str()), (500, Some("/api/docs#problem-internal")));
        assert!(!problem.to_string().contains("a test's panic"), "clients are not told");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_takes_too_long_is_given_up() {
        let (status, problem) =
            behind_the_edge(get(std::future::pending::<&'static str>), &WebConfig::default()).await;
        assert_eq!((status, problem["type"].as_str()), (503, Some("/api/docs#problem-unavailable")));
    }

    #[tokio::test]
    async fn a_status_without_a_problem_is_given_one() {
        let (status, problem) =
            behind_the_edge(get(async || axum::http::StatusCode::NOT_FOUND), &WebConfig::default()).await;
        assert_eq!((status, problem["status"].as_u64()), (404, Some(404)));
    }

    #[test]
    fn drawn_ids_differ() {
        let ids = RequestIds::new();
        let drawn: std::collections::HashSet<_> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(drawn.len(), 10_000);
    }

    #[test]
    fn a_given_id_that_could_forge_a_log_line_is_replaced() {
        let given = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(text).unwrap());
            given_id(&headers).is_some()
        };
        assert!(given(b"7f-A_9.x"));
        assert!(!given(b"") && !given(b"a b") && !given("\u{fc}".as_bytes()) && !given(&[b'a'; 65]));
    }
}
