//! What the tests of several connectors share: a small upstream on loopback.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use url::Url;

use super::http::{Outbound, OutboundSettings};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The path.
    pub(super) path: String,
    /// What follows its `?`.
    pub(super) query: String,
    /// `Authorization`, or nothing.
    pub(super) authorization: String,
    /// The body.
    pub(super) body: String,
}

/// A server whose answers a closure gives and which remembers what it was asked.
pub(super) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(super) origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts on a free port. The closure gets the request and the server's own origin.
    pub(super) fn start(
        answer: impl Fn(&Seen, &str) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (log, own, answer) = (Arc::clone(&seen), origin.clone(), Arc::new(answer));
        let server = HttpServer::new(move || {
            let (log, own, answer) = (Arc::clone(&log), own.clone(), Arc::clone(&answer));
            App::new().default_service(web::to(move |request: HttpRequest, body: String| {
                let header = request.headers().get("authorization");
                let seen = Seen {
                    path: request.path().to_owned(),
                    query: request.query_string().to_owned(),
                    authorization: header
                        .and_then(|value| value.to_str().ok())
                        .unwrap_or_default()
                        .to_owned(),
                    body,
                };
                let response = answer(&seen, &own);
                log.lock().unwrap().push(seen);
                async move { response }
            }))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        tokio::spawn(server);
        Self { origin, seen }
    }

    /// A URL on this server.
    pub(super) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.origin)).unwrap()
    }

    /// The requests for `path`, in their order.
    pub(super) fn asked(&self, path: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path == path).cloned().collect()
    }
}

/// An outbound client that may reach these networks besides the public internet.
pub(super) fn outbound(allow: &[&str]) -> Outbound {
    Outbound::new(OutboundSettings {
        ca_pem: None,
        allow_private: allow.iter().map(|net| net.parse().unwrap()).collect(),
        named: Vec::new(),
        user_agent: "Russet/test".into(),
        timeout: crate::upstream::http::TIMEOUT,
    })
}
