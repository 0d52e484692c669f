//! The words and rules of the protocols Russet speaks.
//!
//! Nothing here opens a socket, reads a clock or draws a random number: time and chance come in as
//! [`ambient::Clock`] and [`ambient::Entropy`], everything else as plain values. What an RFC says
//! lives in exactly one file, named in the RFC's own words.

pub mod access_token;
pub mod acr;
pub mod admin;
pub mod ambient;
pub mod api;
pub mod api_key;
pub mod apple_transfer;
pub mod audit;
pub mod authorization_request;
pub mod authorization_response;
pub mod claim_mapping;
pub mod claims_request;
pub mod client;
pub mod client_assertion;
pub mod client_auth;
pub mod client_certificate;
pub mod client_settings;
pub mod confirmation;
pub mod connection;
pub mod deletion;
pub mod delivery;
pub mod device_code;
pub mod dpop;
pub mod error;
pub mod event;
pub mod grant;
pub mod id;
pub mod id_token;
pub mod interaction;
pub mod job;
pub mod jose;
pub mod jwk;
pub mod jws;
pub mod keyring;
pub mod local_account;
pub mod logout_token;
pub mod master_key;
pub mod metadata;
pub mod notification;
pub mod p8;
pub mod params;
pub mod pkce;
pub mod presented;
pub mod profile;
pub mod redirect_uri;
pub mod refresh_token;
pub mod registration;
pub mod request_object;
pub mod scope;
pub mod secret;
pub mod security_event;
pub mod session;
pub mod session_state;
pub mod sign_in;
pub mod standard_claims;
pub mod token_exchange;
pub mod totp;
pub mod trusted_issuer;
pub mod upstream_claims;
pub mod upstream_grant;
pub mod user;
