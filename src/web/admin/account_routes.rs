//! The routes of console accounts: signing in and out, proving oneself, everybody's accounts.

use actix_web::web;

use super::{admins, identities, passkeys, second_step, session, upstream_sign_in};

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/admin/login")
                .route(web::get().to(session::login_page))
                .route(web::post().to(session::login)),
        )
        .service(
            web::resource("/admin/login/second")
                .route(web::get().to(second_step::page))
                .route(web::post().to(second_step::answer)),
        )
        .service(
            web::resource("/admin/prove")
                .route(web::get().to(second_step::prove_page))
                .route(web::post().to(second_step::prove)),
        )
        .service(
            web::resource("/admin/login/upstream").route(web::post().to(upstream_sign_in::depart)),
        )
        .service(
            web::resource("/admin/prove/upstream").route(web::post().to(upstream_sign_in::prove)),
        )
        .service(web::resource("/admin/passkey/challenge").route(web::post().to(passkeys::ask)))
        .service(web::resource("/admin/login/passkey").route(web::post().to(passkeys::sign_in)))
        .service(
            web::resource("/admin/invitation/{token}")
                .route(web::get().to(identities::invitation_page))
                .route(web::post().to(identities::accept)),
        )
        .service(web::resource("/admin/logout").route(web::post().to(session::logout)))
        .service(
            web::resource("/admin/admins")
                .route(web::get().to(admins::list))
                .route(web::post().to(admins::create)),
        )
        .service(
            web::resource("/admin/admins/sessions/end").route(web::post().to(admins::end_session)),
        )
        .service(
            web::resource("/admin/admins/invitations/{handle}")
                .route(web::get().to(identities::invited_page)),
        )
        .service(
            web::resource("/admin/admins/{username}/invite")
                .route(web::post().to(identities::invite)),
        )
        .service(
            web::resource("/admin/admins/{username}/unbind")
                .route(web::post().to(identities::remove_of)),
        )
        .service(
            web::resource("/admin/admins/{username}/reset-factors")
                .route(web::post().to(admins::reset_factors)),
        )
        .service(
            web::resource("/admin/admins/{username}")
                .route(web::get().to(admins::edit_page))
                .route(web::post().to(admins::save)),
        );
}
