//! The one outbound HTTP client: no redirects, bounded time and size, no private addresses.
//!
//! Everything Russet fetches goes through here (security.md §1L, H16). An address is checked after
//! name resolution, on the very addresses that are connected to, so a name that answers differently
//! the second time gains nothing.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ipnet::IpNet;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use url::{Host, Url};

/// No answer longer than this is read.
const MAX_BODY: usize = 256 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(8);

/// How to reach the outside.
pub struct OutboundSettings {
    /// Further trusted authorities, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Networks exempt from the guard against private addresses.
    pub allow_private: Vec<IpNet>,
    /// `User-Agent`: Apple refuses some requests without one (apple.md §1.2).
    pub user_agent: String,
}

/// Why nothing usable came back. Holds no token: URLs are named by their host alone.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The guard said no.
    #[error("{0} is a private address; allow it in outbound.allow_private if it is meant")]
    Private(String),
    /// Only https leaves this machine.
    #[error("{0} is not https")]
    NotHttps(String),
    /// The extra authorities cannot be read, or TLS cannot be set up.
    #[error("outbound TLS cannot be set up: {0}")]
    Setup(String),
    /// No answer in time, or the connection failed.
    #[error("{host} does not answer: {cause}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What went wrong.
        cause: String,
    },
    /// The answer is longer than anything expected.
    #[error("{0} sent more than 256 KiB")]
    TooLarge(String),
    /// The HTTP library refused a message.
    #[error("malformed HTTP message: {0}")]
    Http(#[from] openidconnect::http::Error),
}

/// An answer, read to its end.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The client. Cheap to clone; TLS is set up at the first use.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    settings: OutboundSettings,
    guard: Guard,
    client: OnceLock<Client>,
}

impl Outbound {
    /// A client with these settings.
    pub fn new(settings: OutboundSettings) -> Self {
        let guard = Guard { allow_private: settings.allow_private.clone().into() };
        Self(Arc::new(Inner { settings, guard, client: OnceLock::new() }))
    }

    fn client(&self) -> Result<&Client, OutboundError> {
        if let Some(client) = self.0.client.get() {
            return Ok(client);
        }
        let setup = |error: reqwest::Error| OutboundError::Setup(error.to_string());
        #[expect(clippy::disallowed_methods, reason = "the owner of outbound requests")]
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .user_agent(&self.0.settings.user_agent)
            .dns_resolver(Arc::new(self.0.guard.clone()))
            .no_proxy();
        if let Some(pem) = &self.0.settings.ca_pem {
            let certificates = Certificate::from_pem_bundle(pem).map_err(setup)?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(setup)?;
        Ok(self.0.client.get_or_init(|| client))
    }

    /// Fetches a document.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn get(&self, url: &Url) -> Result<Answer, OutboundError> {
        self.send(self.client()?.get(url.clone()), url).await
    }

    /// Posts a form.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<Answer, OutboundError> {
        self.send(self.client()?.post(url.clone()).form(form), url).await
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        url: &Url,
    ) -> Result<Answer, OutboundError> {
        self.0.guard.check_url(url).await?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let unreachable = |error: reqwest::Error| OutboundError::Unreachable {
            host: host.clone(),
            cause: cause(&error.without_url()),
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(OutboundError::TooLarge(host));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

impl<'c> AsyncHttpClient<'c> for Outbound {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = Url::parse(&parts.uri.to_string())
                .map_err(|error| OutboundError::Setup(error.to_string()))?;
            let builder =
                self.client()?.request(parts.method, url.clone()).headers(parts.headers).body(body);
            let answer = self.send(builder, &url).await?;
            Ok(openidconnect::http::Response::builder()
                .status(answer.status)
                .header("content-type", "application/json")
                .body(answer.body)?)
        })
    }
}

/// Refuses addresses that only this machine or its network can reach.
#[derive(Clone)]
struct Guard {
    allow_private: Arc<[IpNet]>,
}

impl Guard {
    fn is_allowed(&self, address: IpAddr) -> bool {
        is_public(address) || self.allow_private.iter().any(|net| net.contains(&address))
    }

    async fn check_url(&self, url: &Url) -> Result<(), OutboundError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        if literal.is_some_and(|address| !self.is_allowed(address)) {
            return Err(OutboundError::Private(host));
        }
        if url.scheme() == "https" {
            return Ok(());
        }
        // Plain http only to addresses that the operator exempted: a simulated upstream.
        let exempt = |address: &IpAddr| self.allow_private.iter().any(|net| net.contains(address));
        let addresses = match literal {
            Some(address) => vec![address],
            None => resolve(&host).await?,
        };
        if url.scheme() == "http" && addresses.iter().all(exempt) {
            Ok(())
        } else {
            Err(OutboundError::NotHttps(host))
        }
    }
}

async fn resolve(host: &str) -> Result<Vec<IpAddr>, OutboundError> {
    match tokio::net::lookup_host((host, 0)).await {
        Ok(found) => Ok(found.map(|address| address.ip()).collect()),
        Err(error) => {
            Err(OutboundError::Unreachable { host: host.to_owned(), cause: error.to_string() })
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = resolve(&host).await?;
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| guard.is_allowed(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if allowed.is_empty() {
                return Err(OutboundError::Private(host).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is on the public internet (RFC 6890 and its updates).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let segments = v6.segments();
    let [first, second, ..] = segments;
    // 64:ff9b::/96 and 2002::/16 carry an IPv4 address that a gateway would connect to.
    let nat64 = first == 0x64 && second == 0xff9b;
    let six_to_four = first == 0x2002;
    !(v6.is_loopback()
        || v6.is_unspecified()
        || v6.is_multicast()
        || v6.is_unique_local()
        || v6.is_unicast_link_local()
        || (first == 0x2001 && second == 0xdb8)
        || nat64
        || six_to_four
        || segments.iter().take(6).all(|segment| *segment == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["17.32.1.1", "1.1.1.1", "2606:4700::1111"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    fn outbound(allow: &[&str]) -> Outbound {
        Outbound::new(OutboundSettings {
            ca_pem: None,
            allow_private: allow.iter().map(|net| net.parse().unwrap()).collect(),
            user_agent: "Russet/test".into(),
        })
    }

    #[tokio::test]
    async fn the_guard_looks_at_literals_names_and_schemes() {
        let strict = outbound(&[]).0.guard.clone();
        for refused in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest",
            "https://2130706433/",
            "https://0x7f.1/",
            "http://example.com/",
            "http://127.0.0.1/",
            "ftp://example.com/",
        ] {
            assert!(strict.check_url(&Url::parse(refused).unwrap()).await.is_err(), "{refused}");
        }
        let exempt = outbound(&["127.0.0.0/8"]).0.guard.clone();
        assert!(exempt.check_url(&Url::parse("http://127.0.0.1:1/").unwrap()).await.is_ok());
        assert!(exempt.check_url(&Url::parse("http://[::1]:1/").unwrap()).await.is_err());
        let name: Name = "localhost".parse().unwrap();
        assert!(strict.resolve(name).await.is_err());
    }
}
