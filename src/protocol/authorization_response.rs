//! authorization_response
