//! From an HTTP request to an open socket.
//!
//! Invariant: whoever is refused here has cost nothing that lasts: the origin, the version and the room are checked before
//! the application is asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::{RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::conn;
use crate::endpoint::Service;
use crate::socket::{Connect, Socket};
use crate::stats::count;
use crate::websocket::Switch;

/// The only wire format there is here.
const VERSION: &str = "2.0.0";
/// The subprotocol that carries no token.
const PROTOCOL: &str = "phoenix";
/// The subprotocol that carries one.
const TOKEN_PREFIX: &str = "base64url.bearer.phx.";

pub(crate) fn routes<S: Socket, T: Clone + Send + Sync + 'static>(
    service: Arc<Service<S>>,
    path: &str,
) -> axum::Router<T> {
    let handler = move |request: Request| {
        let service = service.clone();
        async move { upgrade(service, request).await.unwrap_or_else(|refused| *refused) }
    };
    axum::Router::new().route(&format!("{}/websocket", path.trim_end_matches('/')), get(handler))
}

async fn upgrade<S: Socket>(service: Arc<Service<S>>, request: Request) -> Result<Response, Box<Response>> {
    let (mut parts, _) = request.into_parts();
    let shared = service.shared.clone();
    let counters = &shared.counters;
    let refuse = |status: StatusCode, why: &'static str| Box::new((status, why).into_response());

    if !service.origins.allows(&parts.headers, &parts.uri) {
        count(&counters.refused_origin);
        return Err(refuse(StatusCode::FORBIDDEN, "this origin may not open the socket"));
    }
    let query = parts.uri.query().unwrap_or_default();
    let params: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if !params.iter().any(|(key, value)| key == "vsn" && value == VERSION) {
        count(&counters.refused_version);
        return Err(refuse(StatusCode::BAD_REQUEST, "send vsn=2.0.0: no other version is spoken here"));
    }
    let switch = Switch::of(&mut parts, PROTOCOL).await.map_err(|refused| {
        count(&counters.refused_version);
        Box::new(refused)
    })?;
    // Counted from here on, so that many requests at once can't all find the last place free.
    let place = shared.tasks.token();
    if shared.tasks.len() > shared.limits.sockets || shared.draining.load(Ordering::SeqCst) {
        count(&counters.refused_sockets);
        let full = (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], "no more sockets now");
        return Err(Box::new(full.into_response()));
    }
    let auth_token = auth_token(&parts.headers);
    let connect = Connect {
        params,
        auth_token,
        peer: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0),
        headers: parts.headers,
        uri: parts.uri,
        extensions: parts.extensions,
    };
    let assigns = service.socket.connect(connect).await.map_err(|refused| {
        count(&counters.refused_connect);
        Box::new(refused.status().into_response())
    })?;
    count(&counters.connects);
    let answer = switch.answer();
    tokio::spawn(async move {
        if let Some(socket) = switch.open(&shared.limits).await {
            conn::run(service, socket, assigns, place).await;
        }
    });
    Ok(answer)
}

/// The client's token, written in base64 without padding.
fn auth_token(headers: &HeaderMap) -> Option<String> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut protocols = offered.flat_map(|line| line.split(',')).map(str::trim);
    let token = protocols.find_map(|protocol| protocol.strip_prefix(TOKEN_PREFIX))?;
    String::from_utf8(LENIENT.decode(token).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_second_subprotocol() {
        let mut headers = HeaderMap::new();
        assert_eq!(auth_token(&headers), None);
        // btoa("tok?n~") without its padding.
        headers.insert(SEC_WEBSOCKET_PROTOCOL, "phoenix, base64url.bearer.phx.dG9rP25+".parse().unwrap());
        assert_eq!(auth_token(&headers).as_deref(), Some("tok?n~"));
        headers.insert(SEC_WEBSOCKET_PROTOCOL, "phoenix, base64url.bearer.phx.YQ".parse().unwrap());
        assert_eq!(auth_token(&headers).as_deref(), Some("a"));
        headers.insert(SEC_WEBSOCKET_PROTOCOL, "phoenix, base64url.bearer.phx.***".parse().unwrap());
        assert_eq!(auth_token(&headers), None);
    }
}
