//! What a request brings besides its parameters, by which its caller proves who it is and which
//! key it holds — RFC 6749 §2.3, RFC 8705 §2, RFC 9449 §4.1.

/// The proofs of one request, unchecked.
#[derive(Clone, Debug, Default)]
pub struct Presented<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// Every `DPoP` header; more than one is an error (RFC 9449 §4.3).
    pub dpop: Vec<&'a str>,
}
