//! Who may try how often. In memory, per replica: a brake on guessing, not a quota.

use std::net::IpAddr;
use std::num::NonZeroU32;

use actix_web::HttpRequest;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

/// Failed client authentications from one address: bursts of 60, then one a second.
const FAILURES: (NonZeroU32, NonZeroU32) = (nonzero(60), nonzero(60));
/// Console sign-ins from one address: bursts of 10, then ten a minute.
const SIGN_INS: (NonZeroU32, NonZeroU32) = (nonzero(10), nonzero(10));

/// User codes entered from one address: bursts of 10, then ten a minute (RFC 8628 §5.1).
const USER_CODES: (NonZeroU32, NonZeroU32) = (nonzero(10), nonzero(10));
/// Notifications from one address, good or bad: bursts of 1200, then twenty a second.
const NOTIFICATIONS: (NonZeroU32, NonZeroU32) = (nonzero(1200), nonzero(1200));

/// Clients registered from one address: bursts of 30, then thirty a minute.
const REGISTRATIONS: (NonZeroU32, NonZeroU32) = (nonzero(30), nonzero(30));

const fn nonzero(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

/// The brakes.
pub struct Limits {
    enabled: bool,
    trusted_proxies: Vec<IpNet>,
    failures: DefaultKeyedRateLimiter<IpAddr>,
    sign_ins: DefaultKeyedRateLimiter<IpAddr>,
    user_codes: DefaultKeyedRateLimiter<IpAddr>,
    notifications: DefaultKeyedRateLimiter<IpAddr>,
    registrations: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limits {
    /// Brakes that count by the address of the client, seen through `trusted_proxies`.
    pub fn new(enabled: bool, trusted_proxies: Vec<IpNet>) -> Self {
        let keyed = |(burst, per_minute)| {
            RateLimiter::keyed(Quota::per_minute(per_minute).allow_burst(burst))
        };
        Self {
            enabled,
            trusted_proxies,
            failures: keyed(FAILURES),
            sign_ins: keyed(SIGN_INS),
            user_codes: keyed(USER_CODES),
            notifications: keyed(NOTIFICATIONS),
            registrations: keyed(REGISTRATIONS),
        }
    }

    /// Whether anything is limited.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// Whether this address may fail to prove a client once more.
    pub fn may_fail(&self, request: &HttpRequest) -> bool {
        self.allows(&self.failures, request)
    }

    /// Whether this address may try to sign in to the console once more.
    pub fn may_sign_in(&self, request: &HttpRequest) -> bool {
        self.allows(&self.sign_ins, request)
    }

    /// Whether this address may enter a device's code once more.
    pub fn may_enter_code(&self, request: &HttpRequest) -> bool {
        self.allows(&self.user_codes, request)
    }

    /// Whether this address may announce something once more.
    pub fn may_announce(&self, request: &HttpRequest) -> bool {
        self.allows(&self.notifications, request)
    }

    /// Whether this address may register a client once more.
    pub fn may_register(&self, request: &HttpRequest) -> bool {
        self.allows(&self.registrations, request)
    }

    /// Forgets addresses that have been quiet.
    pub fn tidy(&self) {
        self.failures.retain_recent();
        self.sign_ins.retain_recent();
        self.user_codes.retain_recent();
        self.notifications.retain_recent();
        self.registrations.retain_recent();
    }

    /// Whether the peer is a proxy that is believed.
    pub fn is_behind_trusted_proxy(&self, request: &HttpRequest) -> bool {
        request.peer_addr().is_some_and(|peer| {
            let peer = peer.ip().to_canonical();
            self.trusted_proxies.iter().any(|net| net.contains(&peer))
        })
    }

    fn allows(&self, limiter: &DefaultKeyedRateLimiter<IpAddr>, request: &HttpRequest) -> bool {
        if !self.enabled {
            return true;
        }
        // Without an address nobody can be told apart, so nobody is let through (CVE-2024-47070).
        self.address(request).is_some_and(|address| limiter.check_key(&address).is_ok())
    }

    /// The client's address: the peer's, or the last hop that a trusted proxy vouches for. An
    /// unreadable header is not believed.
    pub fn address(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        let trusted =
            |address: &IpAddr| self.trusted_proxies.iter().any(|net| net.contains(address));
        if !trusted(&peer) {
            return Some(peer);
        }
        let hops: Vec<&str> = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        for hop in hops.iter().rev() {
            match hop.parse::<IpAddr>() {
                Ok(address) if trusted(&address) => {}
                Ok(address) => return Some(address),
                Err(_) => break,
            }
        }
        Some(peer)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(peer: &str, forwarded: &str) -> HttpRequest {
        TestRequest::default()
            .peer_addr(format!("{peer}:1").parse().unwrap())
            .insert_header(("x-forwarded-for", forwarded))
            .to_http_request()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let limits = Limits::new(true, vec!["10.0.0.0/8".parse().unwrap()]);
        for (peer, forwarded, seen) in [
            ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
            ("10.0.0.1", "203.0.113.7, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
            ("10.0.0.1", "a", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.9, a", "10.0.0.1"),
        ] {
            let address = limits.address(&request(peer, forwarded)).unwrap();
            assert_eq!(address.to_string(), seen, "{peer} {forwarded}");
        }
    }

    #[test]
    fn guessing_is_slowed_and_others_are_not() {
        let limits = Limits::new(true, Vec::new());
        let guesser = request("192.0.2.1", "");
        assert_eq!((0..200).filter(|_| limits.may_fail(&guesser)).count(), 60);
        assert_eq!((0..200).filter(|_| limits.may_enter_code(&guesser)).count(), 10);
        assert!(limits.may_fail(&request("192.0.2.2", "")));
        let off = Limits::new(false, Vec::new());
        assert!((0..200).all(|_| off.may_fail(&guesser)));
    }
}
