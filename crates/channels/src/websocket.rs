//! From an HTTP request to a WebSocket that takes little room.
//!
//! Invariant: axum has judged the request. The bytes are tungstenite's on both ways; what it buffers at rest is a few hundred
//! of them.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::gathered::Gathered;
use crate::limits::Limits;

/// The server's end of an open one.
pub(crate) type WebSocket = WebSocketStream<Gathered<TokioIo<Upgraded>>>;

/// What tungstenite's buffers need at rest: a message that is larger takes its room while it is read.
const READ_BUFFER: usize = 1024;

/// A request that may become a WebSocket.
///
/// axum's own upgrade hides tungstenite behind types that can neither cut a message into frames nor say why a read failed.
pub(crate) struct Switch {
    upgraded: OnUpgrade,
    accept: HeaderValue,
    protocol: Option<HeaderValue>,
}

impl Switch {
    /// Judges the request; refuses as axum does. `protocol` is the one subprotocol that is spoken, if the client offers any.
    pub(crate) async fn of(parts: &mut Parts, protocol: &'static str) -> Result<Self, Response> {
        // axum takes the connection out of the request; the copy leads to the same one.
        let upgraded = parts.extensions.get::<OnUpgrade>().cloned();
        let judged =
            WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(IntoResponse::into_response)?;
        let key = parts.headers.get(SEC_WEBSOCKET_KEY);
        let accept = key.and_then(|key| derive_accept_key(key.as_bytes()).try_into().ok());
        let (Some(upgraded), Some(accept)) = (upgraded, accept) else {
            return Err((StatusCode::BAD_REQUEST, "this request opens no WebSocket").into_response());
        };
        let protocol = judged.protocols([protocol]).selected_protocol().cloned();
        Ok(Self { upgraded, accept, protocol })
    }

    /// The answer, after which the client begins.
    pub(crate) fn answer(&self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        if let Some(protocol) = &self.protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
        }
        response
    }

    /// The open WebSocket, when the answer is with the client; `None` if the client has gone meanwhile.
    pub(crate) async fn open(self, limits: &Limits) -> Option<WebSocket> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            // Each frame goes on at once: it is gathered behind tungstenite.
            .write_buffer_size(0)
            .max_message_size(Some(limits.message_bytes))
            .max_frame_size(Some(limits.message_bytes));
        let connection = Gathered::new(TokioIo::new(self.upgraded.await.ok()?));
        Some(WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await)
    }
}
