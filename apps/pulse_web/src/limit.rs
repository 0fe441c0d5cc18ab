//! How often one client may come.
//!
//! **Invariant.** The memory for clients is bounded: a client is known by the low bits of a seeded hash, so there are
//! at most [`SLOTS`] of them, and two that share a slot share its allowance. Nobody can choose with whom.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::config::Rate;

/// Clients that are told apart.
const SLOTS: u64 = 1 << 16;

/// An allowance for each client.
pub(crate) struct Limiter {
    slots: DefaultKeyedRateLimiter<u16>,
    hasher: std::hash::RandomState,
    clock: DefaultClock,
}

impl Limiter {
    pub(crate) fn new(rate: Rate) -> Self {
        let period = rate.one_per.max(Duration::from_nanos(1));
        let quota = Quota::with_period(period)
            .unwrap_or_else(|| Quota::per_second(rate.burst))
            .allow_burst(rate.burst);
        Self {
            slots: DefaultKeyedRateLimiter::keyed(quota),
            hasher: std::hash::RandomState::new(),
            clock: DefaultClock::default(),
        }
    }

    /// Takes one from the client's allowance; where there is none left, the seconds until there is.
    pub(crate) fn take(&self, client: IpAddr) -> Result<(), u32> {
        let slot = self.slot(client);
        self.slots.check_key(&slot).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            u32::try_from(wait.as_secs()).unwrap_or(u32::MAX - 1) + 1
        })
    }

    fn slot(&self, client: IpAddr) -> u16 {
        // Whoever has one IPv6 address has all of its /64 network.
        let network = match client {
            IpAddr::V4(v4) => u64::from(v4.to_bits()),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => u64::from(v4.to_bits()),
                None => (v6.to_bits() >> 64) as u64,
            },
        };
        #[expect(clippy::cast_possible_truncation, reason = "less than SLOTS, which is 2^16")]
        let slot = (self.hasher.hash_one(network) % SLOTS) as u16;
        slot
    }
}

/// The client behind the proxies that are ours: each adds the address it was reached from at the end, so the last
/// `proxies` entries are true and everything before them is only claimed.
pub(crate) fn client_behind(peer: IpAddr, forwarded: Option<&str>, proxies: usize) -> IpAddr {
    let Some(header) = forwarded.filter(|_| proxies > 0) else { return peer };
    let entry = header.rsplit(',').nth(proxies - 1).map(str::trim);
    entry.and_then(|text| text.parse().ok()).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_what_our_own_proxies_wrote_is_believed() {
        let peer = ip("10.0.0.1");
        let header = Some("6.6.6.6, 203.0.113.9, 10.0.0.2");
        assert_eq!(client_behind(peer, header, 0), peer);
        assert_eq!(client_behind(peer, header, 1), ip("10.0.0.2"));
        assert_eq!(client_behind(peer, header, 2), ip("203.0.113.9"));
        assert_eq!(client_behind(peer, header, 9), peer);
        assert_eq!(client_behind(peer, Some("nonsense"), 1), peer);
        assert_eq!(client_behind(peer, None, 1), peer);
    }

    #[test]
    fn a_burst_is_let_through_and_then_no_more() {
        let burst = std::num::NonZeroU32::new(3).unwrap();
        let limiter = Limiter::new(Rate { burst, one_per: Duration::from_hours(1) });
        let client = ip("203.0.113.9");
        assert_eq!([(); 4].map(|()| limiter.take(client).is_ok()), [true, true, true, false]);
        assert!(limiter.take(client).unwrap_err() > 3_000);
        assert!(limiter.take(ip("203.0.113.10")).is_ok());
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let burst = std::num::NonZeroU32::MIN;
        let limiter = Limiter::new(Rate { burst, one_per: Duration::from_hours(1) });
        assert!(limiter.take(ip("2001:db8:1:2::1")).is_ok());
        assert!(limiter.take(ip("2001:db8:1:2:ffff::9")).is_err());
    }
}
