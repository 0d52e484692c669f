//! What is counted, as Prometheus text — on a listener of its own, for it is nobody's business.
//!
//! Labels come from small closed sets (routes, error codes, grant types, connections), so that no
//! request can make the page grow.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::{App as ActixApp, HttpRequest, HttpResponse, HttpServer, web};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::App;
use crate::op::Failure;
use crate::protocol::client::GrantType;
use crate::protocol::error::ErrorCode;
use crate::protocol::id::ConnectionId;
use crate::protocol::keyring::KeyState;

/// Upper bounds of the duration histogram, seconds: from a cached answer to an upstream's time-out.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 15.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenAnswer {
    grant_type: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Login {
    connection: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Key {
    alg: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

/// The counters. They exist only where `metrics.listen` is set; otherwise nothing is counted.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram>,
    tokens: Family<TokenAnswer, Counter>,
    logins: Family<Login, Counter>,
    ready: Gauge,
    keys: Family<Key, Gauge>,
    memory: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("russet");
        let requests = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> _);
        let tokens = Family::default();
        let logins = Family::default();
        let ready = Gauge::default();
        let keys = Family::default();
        let memory = Gauge::default();
        let build = Family::<Build, Gauge>::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("http_requests", "Requests answered", Family::clone(&requests));
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's",
            Unit::Seconds,
            Family::clone(&durations),
        );
        registry.register("token_requests", "Token endpoint, by grant", Family::clone(&tokens));
        registry.register("logins", "Sign-ins that came back", Family::clone(&logins));
        registry.register("ready", "1 when /readyz answers 200", Gauge::clone(&ready));
        registry.register("signing_keys", "Signing keys, by state", Family::clone(&keys));
        registry.register_with_unit(
            "resident_memory",
            "Memory in use by the process",
            Unit::Bytes,
            Gauge::clone(&memory),
        );
        registry.register("build", "This binary", build);
        Self { registry, requests, durations, tokens, logins, ready, keys, memory }
    }
}

impl Metrics {
    /// Counts an answered request. `route` is the pattern, never the path.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let method = match method {
            "GET" => "GET",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            "HEAD" => "HEAD",
            "OPTIONS" => "OPTIONS",
            _ => "other",
        };
        let route = route.to_owned();
        let labels = Request { method, route: route.clone(), status };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&Route { route }).observe(took.as_secs_f64());
    }

    /// Counts a token request by its grant type, as far as it is one we know.
    pub fn token_answered(&self, grant_type: Option<&str>, failure: Option<&Failure>) {
        let grant_type = grant_type.and_then(GrantType::parse).map_or("other", GrantType::as_str);
        let outcome = failure.map_or("ok", outcome);
        self.tokens.get_or_create(&TokenAnswer { grant_type, outcome }).inc();
    }

    /// Counts somebody who came back from an upstream that there is.
    pub fn login(&self, connection: &ConnectionId, failure: Option<&Failure>) {
        let outcome = failure.map_or("ok", outcome);
        self.logins.get_or_create(&Login { connection: connection.to_string(), outcome }).inc();
    }

    async fn render(&self, app: &App) -> Result<String, std::fmt::Error> {
        self.ready.set(i64::from(app.provider.ready().await.is_ok()));
        self.memory.set(resident_memory().unwrap_or_default());
        let now = app.provider.now();
        self.keys.clear();
        for key in app.provider.keys().list().await.unwrap_or_default() {
            let state = match key.state(now) {
                KeyState::Next => "next",
                KeyState::Active => "active",
                KeyState::Retiring => "retiring",
                KeyState::Gone => "gone",
            };
            self.keys.get_or_create(&Key { alg: key.alg.as_str(), state }).inc();
        }
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

/// The error code a failure is counted under.
fn outcome(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(refusal) => refusal.code.as_str(),
        Failure::Fault(_) => ErrorCode::ServerError.as_str(),
    }
}

/// Resident memory in bytes, where the system tells (Linux).
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The listener's server: `/metrics` and nothing else.
///
/// # Errors
/// The system's, when the socket cannot be used.
pub fn serve(listener: TcpListener, app: web::Data<App>) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .service(web::resource("/metrics").route(web::get().to(page)))
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

const OPENMETRICS: &str = "application/openmetrics-text";

/// The same in Prometheus' text format, which names a counter as its samples are named.
fn in_prometheus_text(openmetrics: &str) -> String {
    let kind = |line: &str, kind: &str| {
        let declared = line.strip_prefix("# TYPE ")?.strip_suffix(kind)?;
        declared.strip_suffix(' ').map(ToOwned::to_owned)
    };
    let counters: Vec<_> = openmetrics.lines().filter_map(|line| kind(line, "counter")).collect();
    let mut text = String::with_capacity(openmetrics.len());
    for line in openmetrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("UNIT"), ..) => continue,
            (Some("#"), Some(word), Some(name), Some(rest))
                if counters.iter().any(|c| c == name) =>
            {
                text.extend(["# ", word, " ", name, "_total ", rest]);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// In OpenMetrics where it is asked for, else in the older text format, which everything reads.
fn written(request: &HttpRequest, text: String) -> HttpResponse {
    let accepted = request.headers().get_all(header::ACCEPT);
    let (kind, text) = if accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(OPENMETRICS))
    {
        (format!("{OPENMETRICS}; version=1.0.0; charset=utf-8"), text)
    } else {
        ("text/plain; version=0.0.4; charset=utf-8".to_owned(), in_prometheus_text(&text))
    };
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, kind)).body(text)
}

async fn page(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let rendered = match &app.metrics {
        Some(metrics) => metrics.render(&app).await,
        None => return HttpResponse::NotFound().finish(),
    };
    match rendered {
        Ok(text) => written(&request, text),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_text_format_names_counters_as_their_samples() {
        let openmetrics = "# HELP a Answered.\n# TYPE a counter\na_total{b=\"c\"} 1\n\
             # HELP a_b Bytes.\n# TYPE a_b gauge\n# UNIT a_b bytes\na_b 2\n# EOF\n";
        let text = "# HELP a_total Answered.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n\
             # HELP a_b Bytes.\n# TYPE a_b gauge\na_b 2\n";
        assert_eq!(in_prometheus_text(openmetrics), text);
    }
}
