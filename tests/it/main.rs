//! The product over real sockets, as a relying party and a person see it, on both databases.

#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

mod account;
mod address_linking;
mod admin_api;
mod advertised;
mod api_clients;
mod api_escalation;
mod api_manners;
mod api_overview;
mod api_parity;
mod api_resources;
mod api_trials;
mod apple_defects;
mod apple_sign_in;
mod apple_transfer;
mod apple_transfer_rehearsal;
mod apple_transfer_runs;
mod audit;
mod audit_stream;
mod authorization_endpoint;
mod backchannel_logout;
mod branding;
mod claim_rows;
mod claims;
mod client_assertion;
mod conformance;
mod conformance_index;
mod connections;
mod console;
mod console_lists;
mod console_rooms;
mod console_upstream;
mod daily_check;
mod daily_check_properties;
mod deletion;
mod device;
mod doctor;
mod dpop;
mod fapi;
mod fresh_proof;
mod giving_and_ending;
mod giving_back;
mod import;
mod kept_forms;
mod languages;
mod late_notifications;
mod linking;
mod lists;
mod local_accounts;
mod master_key;
mod metrics;
mod mutual_tls;
mod mutual_tls_pairings;
mod native_sign_in;
mod notifications;
mod offline_access;
mod opaque_tokens;
mod outage;
mod passkeys;
mod person_factors;
mod pushed_authorization;
mod registration;
mod rights;
mod rooms;
mod rp_initiated_logout;
mod safety;
mod second_factors;
mod secrets;
mod sessions;
mod shared_signals;
mod sign_in_trace;
mod signing_keys;
mod subjects;
mod tidy;
mod token_endpoint;
mod token_exchange;
mod trials;
mod trust_room;
mod upkeep;
mod upstream_amr;
mod upstream_logout;
mod workload;
