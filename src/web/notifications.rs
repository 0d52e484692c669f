//! What upstreams announce, server to server — apple.md §8. Nobody signs in here: what is posted
//! proves itself, and the answer tells nothing.

use std::net::IpAddr;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{App, html};
use crate::op::notifications::NotReceived;
use crate::protocol::id::ConnectionId;

/// No notification is longer.
pub const MAX_BODY: usize = 16 * 1024;

/// A connection's inbox: 200 when it is written down, 400 when it is none, 503 to come again.
pub async fn receive(
    app: web::Data<App>,
    request: HttpRequest,
    connection: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    if !app.limits.may_announce(&request) {
        return too_many();
    }
    let connection = ConnectionId::new(connection.into_inner());
    let from = app.limits.address(&request).map(source).unwrap_or_default();
    match app.provider.receive_notification(&connection, from, body.to_vec()).await {
        Ok(()) => HttpResponse::Ok().finish(),
        Err(NotReceived::NoInbox) => html::not_found(app, request).await,
        Err(NotReceived::Invalid) if app.limits.may_fail(&request) => {
            HttpResponse::BadRequest().finish()
        }
        Err(NotReceived::Invalid) => too_many(),
        Err(NotReceived::Unavailable) => {
            HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "60")).finish()
        }
    }
}

/// Whoever has one IPv6 address has the other 2⁶⁴ of its network.
fn source(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => (u128::from(address) >> 64).to_string(),
    }
}

fn too_many() -> HttpResponse {
    HttpResponse::TooManyRequests().insert_header((header::RETRY_AFTER, "60")).finish()
}
