//! The routes of `/admin/clients`, and of trials.

use actix_web::web;

use super::{client_form, client_secrets, clients, trials};
use crate::op::trial;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/admin/clients").route(web::get().to(clients::list)))
        .service(web::resource("/admin/clients/new").route(web::get().to(client_form::kinds)))
        .service(
            web::resource("/admin/clients/new/{kind}")
                .route(web::get().to(client_form::new_page))
                .route(web::post().to(client_form::create)),
        )
        .service(web::resource("/admin/clients/{client_id}").route(web::get().to(clients::show)))
        .service(
            web::resource("/admin/clients/{client_id}/edit")
                .route(web::get().to(client_form::edit_page))
                .route(web::post().to(client_form::save)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/quickstart")
                .route(web::get().to(client_form::quickstart)),
        )
        .service(web::resource(trial::PATH).route(web::get().to(trials::answer)))
        .service(
            web::resource("/admin/clients/{client_id}/try")
                .route(web::get().to(trials::ask))
                .route(web::post().to(trials::begin)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/try/device")
                .route(web::get().to(trials::device_page))
                .route(web::post().to(trials::ask_device)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/preview")
                .route(web::get().to(trials::preview)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/disable")
                .route(web::get().to(clients::disable_page))
                .route(web::post().to(clients::disable)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/enable")
                .route(web::post().to(clients::enable)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/secret")
                .route(web::post().to(client_secrets::rotate)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/secrets")
                .route(web::post().to(client_secrets::add)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/secrets/{secret}/revoke")
                .route(web::post().to(client_secrets::revoke)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/delete")
                .route(web::get().to(clients::delete_page))
                .route(web::post().to(clients::delete)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/secret/{handle}")
                .route(web::get().to(client_form::secret_page)),
        );
}
