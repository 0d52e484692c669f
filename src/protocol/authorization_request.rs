//! authorization_request
