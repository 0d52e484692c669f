//! The requests the demo makes, and a record of each for the page to show.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// Why a request got no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutboundError {
    /// Nobody answered, or not in HTTP.
    #[error("{url} could not be reached: {source}")]
    Unreachable {
        /// Where the request went.
        url: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The request could not be built.
    #[error("the request could not be built: {0}")]
    Request(String),
    /// More than a megabyte was answered.
    #[error("{0} answered more than a megabyte")]
    TooLarge(String),
}

/// An HTTP client that follows no redirect.
#[derive(Clone, Debug)]
pub(super) struct Outbound(reqwest::Client);

impl Outbound {
    /// A client with the demo's limits.
    ///
    /// # Errors
    /// When the TLS library cannot be initialised.
    #[expect(
        clippy::disallowed_methods,
        reason = "the demo is an outsider and makes its own connections"
    )]
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .no_proxy()
            .build()?;
        Ok(Self(client))
    }

    /// A client whose exchanges are written down.
    pub(super) fn recorded(&self) -> Recorder {
        Recorder { outbound: self.clone(), exchanges: Mutex::new(Vec::new()) }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`OutboundError`] when there is no answer to read.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, OutboundError> {
        let url = request.uri().to_string();
        let unreachable = |source| OutboundError::Unreachable { url: url.clone(), source };
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let mut answer = self.0.execute(request).await.map_err(unreachable)?;
        let mut builder = http::Response::builder().status(answer.status());
        if let Some(headers) = builder.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(OutboundError::TooLarge(url));
            }
            body.extend_from_slice(&chunk);
        }
        builder.body(body).map_err(|error| OutboundError::Request(error.to_string()))
    }
}

/// A GET request for JSON.
///
/// # Errors
/// [`OutboundError::Request`] when `url` is none.
pub(super) fn get(url: &str, bearer: Option<&str>) -> Result<HttpRequest, OutboundError> {
    let mut builder =
        http::Request::builder().uri(url).header(http::header::ACCEPT, "application/json");
    if let Some(token) = bearer {
        builder = builder.header(http::header::AUTHORIZATION, format!("Bearer {token}"));
    }
    builder.body(Vec::new()).map_err(|error| OutboundError::Request(error.to_string()))
}

/// One request and its answer, as the page shows them.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// `GET` or `POST`.
    pub(super) method: String,
    /// Where it went.
    pub(super) url: String,
    /// The status, such as `200 OK`.
    pub(super) status: String,
    /// Whether the status is a success.
    pub(super) ok: bool,
    /// `WWW-Authenticate`, when the answer had one.
    pub(super) challenge: Option<String>,
    /// The body as it came.
    pub(super) body: String,
}

/// A client that writes down what it does.
#[derive(Debug)]
pub(super) struct Recorder {
    outbound: Outbound,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Recorder {
    /// What was sent and answered so far, in order.
    pub(super) fn into_exchanges(self) -> Vec<Exchange> {
        self.exchanges.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and writes the exchange down.
    ///
    /// # Errors
    /// [`OutboundError`] when there is no answer to read.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, OutboundError> {
        let (method, url) = (request.method().to_string(), request.uri().to_string());
        let response = self.outbound.send(request).await?;
        let exchange = Exchange {
            method,
            url,
            status: response.status().to_string(),
            ok: response.status().is_success(),
            challenge: response
                .headers()
                .get(http::header::WWW_AUTHENTICATE)
                .and_then(|value| value.to_str().ok())
                .map(ToOwned::to_owned),
            body: String::from_utf8_lossy(response.body()).into_owned(),
        };
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Recorder {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
