//! Which pages may open a socket.
//!
//! Invariant: a browser's request from a page that is not on the list is refused; without this check any site could open
//! the socket with the user's cookie. Programs send no `Origin` and are let through: they have no cookie to misuse.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

/// Which origins are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Pages of the host, and port, that the request was sent to.
    SameHost,
    /// These, as browsers write them: `https://shop.example` or `https://shop.example:8443`.
    List(Vec<String>),
    /// Every page of the world. For sockets that know no cookies.
    Any,
}

impl Origins {
    /// Whether a request may pass. The host is the `Host` header, or of HTTP/2 the address itself.
    pub(crate) fn allows(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        match self {
            Self::Any => true,
            Self::List(list) => list.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)),
            Self::SameHost => {
                let host = uri.authority().map(axum::http::uri::Authority::as_str);
                let host = host.or_else(|| headers.get(HOST).and_then(|host| host.to_str().ok()));
                let page = origin.split_once("://").map(|(_, host)| host);
                matches!((page, host), (Some(page), Some(host)) if page.eq_ignore_ascii_case(host))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &Origins, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "shop.example:4000".parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        origins.allows(&headers, &Uri::from_static("/socket/websocket"))
    }

    #[test]
    fn pages_of_other_hosts_or_ports_are_refused() {
        let same = Origins::SameHost;
        assert!(allowed(&same, None));
        assert!(
            allowed(&same, Some("http://shop.example:4000"))
                && allowed(&same, Some("https://SHOP.example:4000"))
        );
        for stranger in
            ["http://shop.example", "http://evil.example", "null", "http://shop.example:4000.evil.example"]
        {
            assert!(!allowed(&same, Some(stranger)), "{stranger}");
        }
    }

    #[test]
    fn a_list_is_exact() {
        let list = Origins::List(vec!["https://shop.example".to_owned()]);
        assert!(allowed(&list, Some("https://shop.example")));
        assert!(
            !allowed(&list, Some("http://shop.example")) && !allowed(&list, Some("https://a.shop.example"))
        );
        assert!(allowed(&Origins::Any, Some("null")));
    }
}
