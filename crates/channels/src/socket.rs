//! The application's side of a connection: who may connect, and as whom.
//!
//! Invariant: what `connect` returns is all that is kept of the request.

use std::net::SocketAddr;

use axum::http::{Extensions, HeaderMap, StatusCode, Uri};

/// Decides about connections and says what their channels know of them.
///
/// ```
/// use channels::{Connect, Refused, Socket};
/// struct UserSocket;
/// impl Socket for UserSocket {
///     type Assigns = String;
///     async fn connect(&self, connect: Connect) -> Result<String, Refused> {
///         connect.param("user").map(str::to_owned).ok_or(Refused::Forbidden)
///     }
/// }
/// ```
pub trait Socket: Send + Sync + 'static {
    /// Kept as long as the socket is open, shared by its channels. What is small here is small a thousand times.
    type Assigns: Send + Sync + 'static;

    /// Accepts or refuses a connection, before the upgrade. The origin has been checked already.
    fn connect(&self, connect: Connect) -> impl Future<Output = Result<Self::Assigns, Refused>> + Send;

    /// A name under which all sockets of a user, say, can be disconnected with
    /// [`Endpoint::disconnect`](crate::Endpoint::disconnect).
    fn id(&self, _assigns: &Self::Assigns) -> Option<String> {
        None
    }
}

/// A request to connect.
#[derive(Debug, Default)]
pub struct Connect {
    /// The query's parameters in their order, decoded. `vsn` is among them.
    pub params: Vec<(String, String)>,
    /// The request's headers: cookies, user agent.
    pub headers: HeaderMap,
    /// The request's address.
    pub uri: Uri,
    /// The other side, if the server was made with `into_make_service_with_connect_info::<SocketAddr>()`.
    pub peer: Option<SocketAddr>,
    /// The client's `authToken`, which travels in `Sec-WebSocket-Protocol` so that no log has it.
    pub auth_token: Option<String>,
    /// What middleware has left on the request, such as an identity.
    pub extensions: Extensions,
}

impl Connect {
    /// The first parameter with this name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why a connection was refused. The client tries again and again, so that this is for programs and strangers: to send a
/// user elsewhere, accept the socket and refuse the join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// 401: no credentials, or wrong ones.
    Unauthorized,
    /// 403: not this one.
    Forbidden,
    /// 503: not now.
    Unavailable,
}

impl Refused {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
