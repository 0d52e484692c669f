//! client_auth
