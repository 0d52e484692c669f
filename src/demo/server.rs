//! How both demo servers are started, stopped and guarded.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpResponse, HttpServer, web};

/// The style sheet of both.
pub(super) const STYLE: &str = include_str!("../../static/demo/demo.css");

/// A server that runs until it is stopped.
pub struct Running {
    local_addr: SocketAddr,
    handle: ServerHandle,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// The address it listens on; tells the port when port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops accepting, finishes what is in flight, and returns once the server is gone.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(%error, "a demo server ended with an error");
        }
    }
}

/// Starts a server on loopback with the routes of `configure`.
///
/// # Errors
/// When the address is taken, or is not a loopback address.
pub(super) fn start<F>(listen: SocketAddr, configure: F) -> std::io::Result<Running>
where
    F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    if !listen.ip().is_loopback() {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            format!("the demo answers on loopback only, not on {listen}"),
        ));
    }
    let listener = TcpListener::bind(listen)?;
    let local_addr = listener.local_addr()?;
    let server = HttpServer::new(move || {
        App::new()
            .wrap(
                DefaultHeaders::new()
                    .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                    .add((header::REFERRER_POLICY, "same-origin")),
            )
            .app_data(web::FormConfig::default().limit(16 * 1024))
            .configure(configure.clone())
            .route("/static/demo.css", web::get().to(style))
    })
    .workers(1)
    .shutdown_timeout(2)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    Ok(Running { local_addr, handle, task: tokio::spawn(server) })
}

async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .body(STYLE)
}

/// A page with a policy that allows no script, no frame, and forms to `form_action` alone.
///
/// Chromium applies `form-action` to the redirects that follow a form as well, so whoever the
/// browser is sent on to must be named.
pub(super) fn page(
    rendered: askama::Result<String>,
    form_action: &[String],
) -> actix_web::Result<HttpResponse> {
    let body = rendered.map_err(actix_web::error::ErrorInternalServerError)?;
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self' {}",
        form_action.join(" ")
    );
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if let Ok(value) = HeaderValue::from_str(policy.trim_end()) {
        response.insert_header((HeaderName::from_static("content-security-policy"), value));
    }
    Ok(response.body(body))
}
