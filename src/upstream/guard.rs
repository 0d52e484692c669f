//! Where a request may go: an address is looked at after name resolution, and it is the very one
//! that is connected to (security.md §1L, H16).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;
use super::http::OutboundError;

/// Refuses addresses that only this machine or its network can reach.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) allow_private: Arc<[IpNet]>,
    /// Whether the connection has TLS; without it a public address will not do either.
    pub(super) tls: bool,
    /// Whether it is to a server that the operator's file names.
    pub(super) named: bool,
}

impl Guard {
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        self.named
            || (self.tls && is_public(address))
            || self.allow_private.iter().any(|net| net.contains(&canonical))
    }

    pub(super) fn refusal(&self, host: String) -> OutboundError {
        if self.tls { OutboundError::Private(host) } else { OutboundError::NotHttps(host) }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<SocketAddr> =
                found.filter(|address| guard.permits(address.ip())).collect();
            if permitted.is_empty() {
                return Err(guard.refusal(name.as_str().to_owned()).into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// The guard's own refusal, which the resolver hands in and the HTTP library wraps.
pub(super) fn refused_by_guard(error: &reqwest::Error) -> Option<OutboundError> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(refusal) = inner.downcast_ref::<OutboundError>() {
            return Some(refusal.clone());
        }
        source = inner.source();
    }
    None
}
