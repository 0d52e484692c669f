//! id_token
