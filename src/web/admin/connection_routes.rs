//! The routes of `/admin/connections`.

use actix_web::web;

use super::{connection_acts, connection_form, connections};

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/admin/connections").route(web::get().to(connections::list)))
        .service(
            web::resource("/admin/connections/new").route(web::get().to(connection_form::kinds)),
        )
        .service(
            web::resource("/admin/connections/new/{kind}")
                .route(web::get().to(connection_form::new_page))
                .route(web::post().to(connection_form::create)),
        )
        .service(web::resource("/admin/connections/{id}").route(web::get().to(connections::show)))
        .service(
            web::resource("/admin/connections/{id}/edit")
                .route(web::get().to(connection_form::edit_page))
                .route(web::post().to(connection_form::save)),
        )
        .service(
            web::resource("/admin/connections/{id}/key")
                .route(web::post().to(connection_form::turn_key)),
        )
        .service(
            web::resource("/admin/connections/{id}/disable")
                .route(web::get().to(connection_acts::disable_page))
                .route(web::post().to(connection_acts::disable)),
        )
        .service(
            web::resource("/admin/connections/{id}/enable")
                .route(web::post().to(connection_acts::enable)),
        )
        .service(
            web::resource("/admin/connections/{id}/delete")
                .route(web::get().to(connection_acts::delete_page))
                .route(web::post().to(connection_acts::delete)),
        )
        .service(
            web::resource("/admin/connections/{id}/check")
                .route(web::post().to(connections::check)),
        );
}
