//! The rooms of what goes on by itself: their routes.

use actix_web::web;

use super::{apple, deletions, deliveries, sign_ins};

/// Deletions, deliveries, sign-ins, and Apple over time.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/admin/deletions").route(web::get().to(deletions::list)))
        .service(
            web::resource("/admin/deletions/{id}/retry").route(web::post().to(deletions::retry)),
        )
        .service(web::resource("/admin/deliveries").route(web::get().to(deliveries::list)))
        .service(web::resource("/admin/deliveries/retry").route(web::post().to(deliveries::retry)))
        .service(web::resource("/admin/sign-ins").route(web::get().to(sign_ins::list)))
        .service(web::resource("/admin/sign-ins/replay").route(web::get().to(sign_ins::replay)))
        .service(web::resource("/admin/apple").route(web::get().to(apple::show)))
        .service(web::resource("/admin/apple/people").route(web::get().to(apple::people)))
        .service(
            web::resource("/admin/apple/checks/{act}").route(web::post().to(apple::turn_check)),
        )
        .service(
            web::resource("/admin/apple/transfers/{act}").route(web::post().to(apple::transfer)),
        );
}
