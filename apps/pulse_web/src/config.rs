//! How the web room is set up.
//!
//! **Invariant.** Each bound has a default that a public server can run with.

use std::num::NonZeroU32;
use std::time::Duration;

/// What a deployment decides.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The address under which browsers reach the shop, without a path: `https://shop.example`. Decides whether
    /// cookies are `Secure` and `__Host-`, and which `Origin` is the shop's own.
    pub public_url: String,
    /// Reverse proxies in front that each add to `X-Forwarded-For`. 0: the header is not believed.
    pub proxies: usize,
    /// Requests a client (an IPv4 address or an IPv6 /64 network) may make.
    pub requests: Rate,
    /// Attempts a client may make at what guesses secrets or sends mail: login, registration, resets.
    pub attempts: Rate,
    /// Bytes of a body at most.
    pub body_bytes: usize,
    /// Bytes of a delivery's body at most.
    pub delivery_bytes: usize,
    /// Bytes of a posted feed at most.
    pub feed_bytes: usize,
    /// Bytes that a packed one may unpack to at most.
    pub feed_unpacked_bytes: u64,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How long an answer may take.
    pub answer_time: Duration,
    /// How long a session that the cache knows is believed without asking the store. Logging out on this node
    /// ends it at once, on others within this time.
    pub session_belief: Duration,
    /// How long a page of the catalogue is served without asking the store, where no change was announced.
    pub page_belief: Duration,
    /// What signs the tokens of open pages, newest first: the first one signs, all of them verify, so a secret can be
    /// changed without ending anybody's page. Random unless given: then pages are loaded again after a restart.
    pub secrets: Vec<[u8; 32]>,
    /// Bytes of rendered catalogue pages that are kept.
    pub page_bytes: u64,
}

/// So many in a second or minute, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many at once after a pause.
    pub burst: NonZeroU32,
    /// The time in which one more becomes free.
    pub one_per: Duration,
}

impl Rate {
    /// `per_second` a second, `burst` at once.
    pub fn per_second(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { burst, one_per: Duration::from_secs(1) / per_second.get() }
    }
}

const fn number(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            public_url: "http://localhost:4000".to_owned(),
            proxies: 0,
            requests: Rate::per_second(number(100), number(400)),
            attempts: Rate { burst: number(10), one_per: Duration::from_secs(6) },
            body_bytes: 64 * 1024,
            delivery_bytes: 1024 * 1024,
            feed_bytes: 8 * 1024 * 1024,
            feed_unpacked_bytes: pulse_ingest::feed::MOST_UNPACKED,
            body_time: Duration::from_secs(10),
            answer_time: Duration::from_secs(30),
            session_belief: Duration::from_secs(10),
            page_belief: Duration::from_secs(5),
            secrets: vec![rand::random()],
            page_bytes: 32 * 1024 * 1024,
        }
    }
}

impl WebConfig {
    /// Whether browsers come over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}
