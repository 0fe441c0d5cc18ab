//! Who asks: a session's cookie, a program's bearer token, or nobody.
//!
//! **Invariant.** A handler that changes something takes a [`Caller`], and none is made for a request that a foreign
//! page could have sent: browsers' own word (`Sec-Fetch-Site`, `Origin`) must name the shop, and a session's cookie
//! alone changes nothing without the token that belongs to it. Bearer tokens are sent by programs only, so they
//! need neither. A secret is never stored here: sessions are cached under the hash of theirs.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_core::{CartId, CheckoutKey, CommandId, Principal, UserId};
use pulse_data::accounts::{AccountError, Accounts, csrf_matches};
pub(crate) use pulse_data::carts::of_user as cart_of_user;
use sha2::{Digest, Sha256};

use crate::config::WebConfig;
use crate::error::ApiError;
use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// What a secret is known by.
pub(crate) type TokenHash = [u8; 32];

/// Who a session or a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// In whose name to act.
    pub(crate) principal: Principal,
    /// Which account.
    pub(crate) user: UserId,
    /// Its address.
    pub(crate) email: Option<String>,
}

const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const IDEMPOTENCY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long a guest's cart cookie is kept by the browser, in seconds: 30 days.
const CART_AGE: u32 = 30 * 24 * 60 * 60;

/// Who sent a request, and with which cart.
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) account: Option<Arc<Identity>>,
    /// The session's secret, where a cookie brought it.
    pub(crate) session: Option<String>,
    /// The guest cart's secret, where a cookie brought it.
    guest_cart: Option<String>,
}

/// A [`Caller`] that is signed in.
pub(crate) struct SignedIn {
    pub(crate) caller: Caller,
    pub(crate) account: Arc<Identity>,
}

impl Caller {
    /// The cart that this caller fills; `None` for a guest that has none yet.
    ///
    /// An account has one cart, whatever it signs in from; a guest's is named by the hash of a random secret in its
    /// cookie, so knowing a cart's id (it stands in logs) gives nobody the cart.
    pub(crate) fn cart(&self) -> Option<CartId> {
        match self.principal.user() {
            Some(user) => Some(cart_of_user(user)),
            None => self.guest_cart.as_deref().map(cart_of_guest),
        }
    }

    /// The cart that a guest filled before it signed in.
    pub(crate) fn guest_cart(&self) -> Option<CartId> {
        self.guest_cart.as_deref().map(cart_of_guest)
    }

    /// The caller's cart; a guest without one is given one, with the cookie that goes with it.
    pub(crate) fn cart_or_new(&self, config: &WebConfig) -> (CartId, Option<HeaderValue>) {
        if let Some(cart) = self.cart() {
            return (cart, None);
        }
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        (cart_of_guest(&secret), cookie(config, "cart", &secret, CART_AGE))
    }
}

pub(crate) fn cart_of_guest(secret: &str) -> CartId {
    let digest = Sha256::new().chain_update("cart of guest ").chain_update(secret).finalize();
    CartId(digest.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte)))
}

/// What a secret opens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Secret {
    /// A browser's session.
    Session,
    /// The name of a browser's session, which a page of ours keeps signed.
    SessionId,
    /// A program's bearer token.
    Token,
}

/// The hash under which a secret is cached. What it opens is in it: a session's is no bearer token.
pub(crate) fn hash(kind: Secret, secret: &str) -> TokenHash {
    let label = match kind {
        Secret::Session => "session ",
        Secret::SessionId => "session id ",
        Secret::Token => "token ",
    };
    Sha256::new().chain_update(label).chain_update(secret).finalize().into()
}

/// Forgets a session that has ended, by its secret and by the name that open pages know it by, so that neither is believed
/// any longer.
pub(crate) async fn forget(state: &AppState, session: &str) {
    state.sessions().invalidate(&hash(Secret::Session, session)).await;
    state.sessions().invalidate(&hash(Secret::SessionId, &Accounts::session_id(session))).await;
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let (headers, config) = (&parts.headers, state.config());
        if let Some(secret) = bearer(headers)? {
            let account = resolve(state, secret, Secret::Token).await?;
            let account = account.ok_or_else(|| {
                Problem::new(Kind::Unauthenticated, "the bearer token is unknown, over or revoked")
            })?;
            return Ok(Self {
                principal: account.principal.clone(),
                account: Some(account),
                session: None,
                guest_cart: None,
            });
        }
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if !safe {
            from_the_shop(headers, config)?;
        }
        let guest_cart = guest_cart_of(headers, config);
        let session = session_of(headers, config);
        let account = match session {
            Some(secret) => resolve(state, secret, Secret::Session).await?,
            None => None,
        };
        if let (Some(_), Some(secret), false) = (&account, session, safe) {
            let given = headers.get(CSRF).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if !csrf_matches(secret, given) {
                let detail = "send the session's csrf_token (from GET /api/v1/session) as x-csrf-token";
                return Err(Problem::new(Kind::CrossSite, detail).into());
            }
        }
        Ok(Self {
            principal: account.as_ref().map_or(Principal::Guest, |account| account.principal.clone()),
            session: session.filter(|_| account.is_some()).map(str::to_owned),
            guest_cart: guest_cart.map(str::to_owned),
            account,
        })
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.account.clone() {
            Some(account) => Ok(Self { caller, account }),
            None => Err(Problem::new(Kind::Unauthenticated, "sign in, or send a bearer token").into()),
        }
    }
}

/// The session's secret that a browser has brought, not looked at yet.
pub(crate) fn session_of<'a>(headers: &'a HeaderMap, config: &WebConfig) -> Option<&'a str> {
    cookie_of(headers, config, "session")
}

/// The secret of a guest's cart that a browser has brought.
pub(crate) fn guest_cart_of<'a>(headers: &'a HeaderMap, config: &WebConfig) -> Option<&'a str> {
    cookie_of(headers, config, "cart").filter(|secret| secret.len() == 43)
}

/// A new guest's cart: the cookie to send back with later requests, and the one to set now.
pub(crate) fn new_guest_cart(config: &WebConfig) -> Option<(HeaderValue, HeaderValue)> {
    let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let sent = HeaderValue::from_str(&format!("{}={secret}", cookie_name(config, "cart"))).ok()?;
    Some((sent, cookie(config, "cart", &secret, CART_AGE)?))
}

/// The account of a secret; believed for a while without asking the store again.
pub(crate) async fn resolve(
    state: &AppState,
    secret: &str,
    kind: Secret,
) -> Result<Option<Arc<Identity>>, ApiError> {
    // No secret of ours is longer, and hashing is not free.
    if secret.len() > 128 {
        return Ok(None);
    }
    let accounts = &state.rooms().accounts;
    let load = async || match kind {
        Secret::Session => {
            let found = accounts.resume(secret).await.map_err(AccountError::from)?;
            Ok(found.map(|found| {
                Arc::new(Identity { principal: found.principal, user: found.user, email: found.email })
            }))
        }
        Secret::SessionId => {
            let found = accounts.revisit(secret).await.map_err(AccountError::from)?;
            Ok(found.map(|user| {
                let principal = Principal::User { id: user.id, role: user.role };
                Arc::new(Identity { principal, user: user.id, email: user.email })
            }))
        }
        Secret::Token => {
            let found = accounts.bearer(secret).await.map_err(AccountError::from)?;
            let Some((principal, user)) = found.and_then(|who| who.user().map(|user| (who, user))) else {
                return Ok(None);
            };
            let email = accounts.get(&principal, user).await?.email;
            Ok(Some(Arc::new(Identity { principal, user, email })))
        }
    };
    state.sessions().get_or_load(&hash(kind, secret), load).await
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().ok().and_then(|text| text.split_once(' '));
    match text {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(Some(token.trim()))
        }
        _ => Err(Problem::new(Kind::Unauthenticated, "send the token as `authorization: Bearer TOKEN`")),
    }
}

/// Refuses what a foreign page has sent. Programs send neither header and hold no cookies that a page could use.
pub(crate) fn from_the_shop(headers: &HeaderMap, config: &WebConfig) -> Result<(), Problem> {
    let refuse =
        || Err(Problem::new(Kind::CrossSite, "this can only be asked for from the shop's own pages"));
    if let Some(site) = headers.get(FETCH_SITE) {
        return if matches!(site.as_bytes(), b"same-origin" | b"none") { Ok(()) } else { refuse() };
    }
    let Some(origin) = headers.get(header::ORIGIN).map(HeaderValue::as_bytes) else { return Ok(()) };
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
    let scheme: &[u8] = if config.is_https() { b"https://" } else { b"http://" };
    let same_host = origin.strip_prefix(scheme).is_some_and(|rest| rest == host && !host.is_empty());
    let public = config.public_url.trim_end_matches('/').as_bytes();
    if same_host || origin == public { Ok(()) } else { refuse() }
}

/// What browsers are told to keep under that name. `__Host-`: only over TLS, only for this host.
fn cookie_name(config: &WebConfig, name: &str) -> String {
    if config.is_https() { format!("__Host-pulse-{name}") } else { format!("pulse-{name}") }
}

fn cookie_of<'a>(headers: &'a HeaderMap, config: &WebConfig, name: &str) -> Option<&'a str> {
    let prefix = if config.is_https() { "__Host-pulse-" } else { "pulse-" };
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(prefix)?.strip_prefix(name)?.strip_prefix('='))
        .filter(|value| !value.is_empty())
}

/// A `Set-Cookie` header; with an age of 0 the browser drops the cookie.
pub(crate) fn cookie(config: &WebConfig, name: &str, value: &str, age: u32) -> Option<HeaderValue> {
    let secure = if config.is_https() { "; Secure" } else { "" };
    let name = cookie_name(config, name);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    HeaderValue::from_str(&text).ok()
}

/// The client's name for what it asks, where it gave one: 1 to 64 visible ASCII characters.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl FromRequestParts<AppState> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(IDEMPOTENCY) else { return Ok(Self(None)) };
        let bytes = value.as_bytes();
        if (1..=64).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic) {
            return Ok(Self(Some(String::from_utf8_lossy(bytes).into_owned())));
        }
        Err(Problem::field("Idempotency-Key", "format", "must have 1 to 64 visible ASCII characters"))
    }
}

impl IdempotencyKey {
    /// The key, where it must be there.
    pub(crate) fn required(self) -> Result<String, Problem> {
        self.0.ok_or_else(|| {
            let mut problem = Problem::field("Idempotency-Key", "required", "must be sent as a header");
            problem.kind = Kind::Malformed;
            problem.detail = "draw a key, send it as `Idempotency-Key`, and repeat with the same one".into();
            problem
        })
    }

    /// The id of a cart command: the key's hash, so that a repeat is answered and not done again; else a new one.
    pub(crate) fn command(&self) -> CommandId {
        match &self.0 {
            None => CommandId(rand::random()),
            Some(key) => {
                let digest = Sha256::new().chain_update("command ").chain_update(key).finalize();
                CommandId(digest.iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte)))
            }
        }
    }
}

/// The name of a checkout: the client's key within its cart, so that two clients can't meet on a key like `1`.
pub(crate) fn checkout_key(cart: CartId, key: &str) -> Result<CheckoutKey, Problem> {
    CheckoutKey::new(&format!("{cart}:{key}")).map_err(|_| {
        Problem::field("Idempotency-Key", "format", "must have 1 to 64 visible ASCII characters")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    fn https() -> WebConfig {
        WebConfig { public_url: "https://shop.example".into(), ..WebConfig::default() }
    }

    #[test]
    fn a_foreign_page_is_refused_by_what_its_browser_says() {
        let (plain, tls) = (WebConfig::default(), https());
        let passes = |pairs: &[(&str, &str)], config| from_the_shop(&headers(pairs), config).is_ok();
        assert!(passes(&[], &plain));
        assert!(passes(&[("sec-fetch-site", "same-origin")], &plain));
        assert!(!passes(&[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:4000")], &plain));
        assert!(!passes(&[("sec-fetch-site", "same-site")], &plain));
        assert!(passes(&[("origin", "http://localhost:4000")], &plain));
        assert!(passes(&[("origin", "http://127.0.0.1:9"), ("host", "127.0.0.1:9")], &plain));
        assert!(!passes(&[("origin", "https://evil.example"), ("host", "shop.example")], &tls));
        assert!(!passes(&[("origin", "http://shop.example"), ("host", "shop.example")], &tls));
        assert!(!passes(&[("origin", "null")], &plain));
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = headers(&[("cookie", "a=1; pulse-cart=x; __Host-pulse-cart=y; pulse-cartoon=z")]);
        assert_eq!(cookie_of(&headers, &WebConfig::default(), "cart"), Some("x"));
        assert_eq!(cookie_of(&headers, &https(), "cart"), Some("y"));
        assert_eq!(cookie_of(&headers, &https(), "session"), None);
    }

    #[test]
    fn cookies_are_bound_to_the_host_over_tls() {
        let set = cookie(&https(), "session", "s", 60).unwrap();
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-pulse-session=s; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        let plain = cookie(&WebConfig::default(), "session", "s", 60).unwrap();
        assert!(!plain.to_str().unwrap().contains("Secure"));
    }

    #[test]
    fn a_session_is_no_bearer_token() {
        assert_ne!(hash(Secret::Session, "a"), hash(Secret::Token, "a"));
    }

    #[test]
    fn a_command_is_named_by_its_key_alone() {
        let named = |key: &str| IdempotencyKey(Some(key.to_owned())).command();
        assert_eq!(named("a"), named("a"));
        assert_ne!(named("a"), named("b"));
        assert_ne!(IdempotencyKey(None).command(), IdempotencyKey(None).command());
    }
}
