//! The one outbound HTTP client: no redirects, bounded time and size, no private addresses.
//!
//! Everything Russet fetches goes through here (security.md §1L, H16). An address is checked after
//! name resolution, on the very addresses that are connected to, so a name that answers differently
//! the second time gains nothing. Plain `http` goes only to addresses that the operator exempted.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ipnet::IpNet;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::Client;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use url::{Host, Url};

use super::UpstreamError;
use super::authorities;
use super::guard::{Guard, refused_by_guard};
use crate::protocol::ambient::Timestamp;
use crate::protocol::secret::SecretString;

/// No answer longer than this is read, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// But a key set may be longer.
const MAX_KEY_SET: usize = 256 * 1024;
/// And the longest picture.
const MAX_PICTURE: usize = 128 * 1024;
/// How long an answer may take, from the connection to its last byte, unless it is configured.
pub const TIMEOUT: Duration = Duration::from_secs(8);
/// A connection that has been quiet for so long is not used again: many servers close theirs after
/// five seconds, and a form that meets the closing is lost and must not be sent twice.
const KEPT_OPEN: Duration = Duration::from_secs(3);

/// How to reach the outside.
pub struct OutboundSettings {
    /// Further trusted authorities, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Networks exempt from the guard against private addresses.
    pub allow_private: Vec<IpNet>,
    /// Servers that the operator's own file names: these very origins are exempt from the guard
    /// wherever they are. Nobody but the operator can put an address here.
    pub named: Vec<Url>,
    /// `User-Agent`: Apple refuses some requests without one (apple.md §1.2).
    pub user_agent: String,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// Why nothing usable came back. Holds no token: URLs are named by their host alone.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OutboundError {
    /// The guard said no.
    #[error("{0} is a private address; allow it in outbound.allow_private if it is meant")]
    Private(String),
    /// Only https leaves this machine.
    #[error("{0} is not https, nor a plain http address in outbound.allow_private")]
    NotHttps(String),
    /// The extra authorities cannot be read, or TLS cannot be set up.
    #[error("outbound TLS cannot be set up; look at outbound.ca_file: {0}")]
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
    #[error("{host} sent more than {limit} bytes")]
    TooLarge {
        /// Who was asked.
        host: String,
        /// How much would have been read.
        limit: usize,
    },
    /// The HTTP library refused a message.
    #[error("malformed HTTP message")]
    Malformed,
}

/// What the guard or TLS refuses only the operator can mend; the rest passes by itself.
impl From<OutboundError> for UpstreamError {
    fn from(error: OutboundError) -> Self {
        let text = error.to_string();
        match error {
            OutboundError::Private(_) | OutboundError::NotHttps(_) | OutboundError::Setup(_) => {
                Self::Misconfigured(text)
            }
            OutboundError::Unreachable { .. }
            | OutboundError::TooLarge { .. }
            | OutboundError::Malformed => Self::Unavailable(text),
        }
    }
}

/// An answer, read to its end.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// The moment in the `Date` header (RFC 9110 §6.6.1), by the other side's clock.
    pub date: Option<Timestamp>,
}

/// What is posted that is not a form.
pub struct Posting<'a> {
    /// Its media type.
    pub content_type: &'static str,
    /// `Accept`.
    pub accept: &'static str,
    /// The bearer token that the receiver wants to see (RFC 6750 §2.1).
    pub bearer: Option<&'a SecretString>,
    /// The body.
    pub body: String,
}

/// The client. Cheap to clone; TLS is set up at the first use.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    settings: OutboundSettings,
    secure: OnceLock<Client>,
    plain: OnceLock<Client>,
    secure_to_named: OnceLock<Client>,
    plain_to_named: OnceLock<Client>,
}

impl Outbound {
    /// A client with these settings. Nothing is parsed or opened before the first request.
    pub fn new(settings: OutboundSettings) -> Self {
        Self(Arc::new(Inner {
            settings,
            secure: OnceLock::new(),
            plain: OnceLock::new(),
            secure_to_named: OnceLock::new(),
            plain_to_named: OnceLock::new(),
        }))
    }

    /// Fetches a document of up to 64 KiB. Any status is an answer.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn get(&self, url: &Url) -> Result<Answer, OutboundError> {
        send(self.client(url)?.get(url.clone()), url, MAX_BODY).await
    }

    /// Fetches a key set of up to 256 KiB. Any status is an answer.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn get_key_set(&self, url: &Url) -> Result<Answer, OutboundError> {
        send(self.client(url)?.get(url.clone()), url, MAX_KEY_SET).await
    }

    /// Fetches a picture of up to 128 KiB. Any status is an answer.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn get_picture(&self, url: &Url) -> Result<Answer, OutboundError> {
        send(self.client(url)?.get(url.clone()), url, MAX_PICTURE).await
    }

    /// Fetches a document of up to 64 KiB with a bearer token (RFC 6750 §2.1). Any status is an
    /// answer.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn get_with_bearer(
        &self,
        url: &Url,
        bearer: &SecretString,
    ) -> Result<Answer, OutboundError> {
        let request = self.client(url)?.get(url.clone()).bearer_auth(bearer.expose());
        send(request.header("accept", "application/json"), url, MAX_BODY).await
    }

    /// Posts a form. Any status is an answer.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<Answer, OutboundError> {
        self.post_form_with(url, form, None).await
    }

    /// Posts a form, with a bearer token if one is given. Any status is an answer.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn post_form_with(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        bearer: Option<&SecretString>,
    ) -> Result<Answer, OutboundError> {
        let mut request = self.client(url)?.post(url.clone()).form(form);
        // Some token endpoints answer a form unless they are asked for JSON.
        request = request.header("accept", "application/json");
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer.expose());
        }
        send(request, url, MAX_BODY).await
    }

    /// Tells somebody something by a form. What they say to it is read as far as it comes: their
    /// status is all that counts, and some close the connection rudely after it.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn tell_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<Answer, OutboundError> {
        tell(self.client(url)?.post(url.clone()).form(form), url).await
    }

    /// Tells somebody something by a body, as [`Outbound::tell_form`]. Any status is an answer.
    ///
    /// # Errors
    /// Every [`OutboundError`].
    pub async fn tell(&self, url: &Url, posting: Posting<'_>) -> Result<Answer, OutboundError> {
        let mut request = self
            .client(url)?
            .post(url.clone())
            .header(CONTENT_TYPE, posting.content_type)
            .header(ACCEPT, posting.accept)
            .body(posting.body);
        if let Some(bearer) = posting.bearer {
            request = request.bearer_auth(bearer.expose());
        }
        tell(request, url).await
    }

    /// The client for this URL, if the guard lets it pass. What a name stands for is looked at by
    /// that client's resolver, whose answers are the addresses it connects to.
    fn client(&self, url: &Url) -> Result<&Client, OutboundError> {
        let host = || url.host_str().unwrap_or_default().to_owned();
        let named = self.0.settings.named.iter().any(|named| named.origin() == url.origin());
        let (cell, tls) = match (url.scheme(), named) {
            ("https", false) => (&self.0.secure, true),
            ("https", true) => (&self.0.secure_to_named, true),
            ("http", false) => (&self.0.plain, false),
            ("http", true) => (&self.0.plain_to_named, false),
            (_, _) => return Err(OutboundError::NotHttps(host())),
        };
        let allow_private = self.0.settings.allow_private.as_slice().into();
        let guard = Guard { allow_private, tls, named };
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        if literal.is_some_and(|address| !guard.permits(address)) {
            return Err(guard.refusal(host()));
        }
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(guard)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, guard: Guard) -> Result<Client, OutboundError> {
        let setup = |error: reqwest::Error| OutboundError::Setup(error.to_string());
        #[expect(clippy::disallowed_methods, reason = "the owner of outbound requests")]
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(self.0.settings.timeout / 2)
            .timeout(self.0.settings.timeout)
            .pool_idle_timeout(KEPT_OPEN)
            .user_agent(&self.0.settings.user_agent)
            .https_only(guard.tls)
            // A proxy would connect in our place and know nothing of the guard.
            .no_proxy();
        if guard.tls {
            if let Some(pem) = &self.0.settings.ca_pem {
                let tls = authorities::trusting(pem).map_err(OutboundError::Setup)?;
                builder = builder.tls_backend_preconfigured(tls);
            }
        } else {
            // Plain http needs none of the system's authorities, which are slow to read and large.
            builder = builder.tls_certs_only([]);
        }
        builder.dns_resolver(Arc::new(guard)).build().map_err(setup)
    }
}

/// Reads an answer to its end.
async fn send(
    request: reqwest::RequestBuilder,
    url: &Url,
    limit: usize,
) -> Result<Answer, OutboundError> {
    let (answer, whole) = read(request, url, limit).await?;
    whole.map(|()| answer)
}

/// Reads an answer as far as it comes.
async fn tell(request: reqwest::RequestBuilder, url: &Url) -> Result<Answer, OutboundError> {
    read(request, url, MAX_BODY).await.map(|(answer, _)| answer)
}

/// The answer, and why its body is not whole if it is not.
async fn read(
    request: reqwest::RequestBuilder,
    url: &Url,
    limit: usize,
) -> Result<(Answer, Result<(), OutboundError>), OutboundError> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let failed = |error: reqwest::Error| {
        refused_by_guard(&error).unwrap_or_else(|| OutboundError::Unreachable {
            host: host.clone(),
            cause: causes(&error.without_url()),
        })
    };
    let mut response = request.send().await.map_err(&failed)?;
    let status = response.status().as_u16();
    let date = response.headers().get("date").and_then(|date| http_date(date.to_str().ok()?));
    let mut body = Vec::new();
    let whole = loop {
        match response.chunk().await {
            Ok(None) => break Ok(()),
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                break Err(OutboundError::TooLarge { host: host.clone(), limit });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => break Err(failed(error)),
        }
    };
    Ok((Answer { status, body, date }, whole))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}

fn causes(error: &dyn std::error::Error) -> String {
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
            let url = Url::parse(&parts.uri.to_string()).map_err(|_| OutboundError::Malformed)?;
            let builder = self
                .client(&url)?
                .request(parts.method, url.clone())
                .headers(parts.headers)
                .body(body);
            let answer = send(builder, &url, MAX_BODY).await?;
            openidconnect::http::Response::builder()
                .status(answer.status)
                .header("content-type", "application/json")
                .body(answer.body)
                .map_err(|_| OutboundError::Malformed)
        })
    }
}

#[cfg(test)]
#[path = "tests/http.rs"]
mod tests;
