//! One POST to an endpoint: find its address, check it, connect, ask, read the beginning of the answer.
//!
//! **Invariant.** The whole of it has one deadline; what is read of an answer is bounded; a redirect is an answer like
//! another and is not followed. A connection is used once: an endpoint that stalls holds nothing but its own message.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::{Reach, Signed};

/// Bytes of an answer that are read at most.
const ANSWER: usize = 16 * 1024;

/// Characters of an answer that are kept.
const NOTE: usize = 500;

/// How messages are sent.
#[derive(Debug, Clone, Copy)]
pub struct ClientOptions {
    /// Where they may go.
    pub reach: Reach,
    /// How long a message may take, from looking up the name to the end of the answer.
    pub timeout: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { reach: Reach::Public, timeout: Duration::from_secs(10) }
    }
}

/// What an endpoint has answered.
pub(super) struct Answered {
    pub(super) status: u16,
    /// The beginning of the answer's body.
    pub(super) note: String,
    /// The header of that name, as it came.
    pub(super) retry_after: Option<String>,
}

pub(super) struct Client {
    options: ClientOptions,
    tls: TlsConnector,
}

impl Client {
    pub(super) fn new(options: ClientOptions) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        #[expect(
            clippy::expect_used,
            reason = "the provider has the default versions: it is the library's own"
        )]
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { options, tls: TlsConnector::from(Arc::new(config)) }
    }

    /// The answer, or why there was none.
    pub(super) async fn post(&self, url: &str, body: &str, signed: &Signed) -> Result<Answered, String> {
        let limit = self.options.timeout;
        let deadline = Instant::now() + limit;
        let late = |_| Err(format!("no answer within {limit:?}"));
        let response = timeout_at(deadline, self.ask(url, body, signed)).await.unwrap_or_else(late)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        // What counts is the status, and that has come: the rest may be late, too long, or broken off.
        let note = match timeout_at(deadline, Limited::new(response.into_body(), ANSWER).collect()).await {
            Ok(Ok(read)) => beginning(&read.to_bytes()),
            Ok(Err(_)) => "(the answer was too long or broke off)".to_owned(),
            Err(_) => "(the answer did not end in time)".to_owned(),
        };
        Ok(Answered { status, note, retry_after })
    }

    async fn ask(&self, url: &str, body: &str, signed: &Signed) -> Result<Response<Exchange>, String> {
        let url = Url::parse(url).map_err(|error| format!("its address can't be read: {error}"))?;
        let tcp = self.connect(&url).await?;
        if url.scheme() == "https" {
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let name =
                ServerName::try_from(host).map_err(|_| "its name can't be in a certificate".to_owned())?;
            let secured = self.tls.connect(name, tcp).await;
            exchange(secured.map_err(|error| format!("TLS failed: {error}"))?, &url, body, signed).await
        } else {
            exchange(tcp, &url, body, signed).await
        }
    }

    /// A connection to the first allowed address that answers.
    async fn connect(&self, url: &Url) -> Result<TcpStream, String> {
        let port = url.port_or_known_default().ok_or_else(|| "it has no port".to_owned())?;
        let addresses: Vec<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => {
                let found = tokio::net::lookup_host((name, port)).await;
                found.map_err(|error| format!("its name is not found: {error}"))?.map(|at| at.ip()).collect()
            }
            None => return Err("it has no host".to_owned()),
        };
        let mut refused = "its name has no address".to_owned();
        for address in addresses {
            if !self.options.reach.allows(address) {
                refused =
                    String::from("its address is not a public one, and the shop may send to those alone");
                continue;
            }
            match TcpStream::connect(SocketAddr::new(address, port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => refused = format!("it can't be connected to: {error}"),
            }
        }
        Err(refused)
    }
}

/// An answer's body with the connection that it comes from, which ends with it.
struct Exchange {
    body: Incoming,
    _driving: AbortOnDrop,
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Body for Exchange {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    url: &Url,
    body: &str,
    signed: &Signed,
) -> Result<Response<Exchange>, String> {
    let failed = |error: hyper::Error| format!("the exchange failed: {error}");
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(64 * 1024)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let driving = AbortOnDrop(tokio::spawn(connection).abort_handle());
    let request =
        request(url, body, signed).map_err(|error| format!("the request can't be made: {error}"))?;
    let response = sender.send_request(request).await.map_err(failed)?;
    Ok(response.map(|body| Exchange { body, _driving: driving }))
}

fn request(url: &Url, body: &str, signed: &Signed) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("pulse/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &signed.id)
        .header("webhook-timestamp", signed.timestamp)
        .header("webhook-signature", &signed.signature)
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
}

/// The beginning of an answer as one piece of text that can be shown.
fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).take(NOTE).collect()
}
