//! The measure: actix-web with one handler that does nothing, in a process of its own.

use std::net::TcpListener;

use actix_web::{App, HttpResponse, HttpServer, web};
use bytes::Bytes;

/// Serves `/{size}` until killed: a GET or POST is answered with JSON of that many bytes.
pub(crate) fn serve(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
    let served = actix_web::rt::System::new().block_on(
        HttpServer::new(|| {
            App::new().service(
                web::resource("/{size}").route(web::get().to(answer)).route(web::post().to(answer)),
            )
        })
        .workers(2)
        .listen(listener)
        .expect("a server")
        .run(),
    );
    served.expect("a server");
}

static BODY: &[u8] = &[b' '; 8192];

async fn answer(size: web::Path<usize>, _body: web::Bytes) -> HttpResponse {
    let body = BODY.get(..size.into_inner()).unwrap_or(BODY);
    HttpResponse::Ok().content_type("application/json").body(Bytes::from_static(body))
}
