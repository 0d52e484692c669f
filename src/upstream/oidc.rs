//! Any OpenID Provider.
