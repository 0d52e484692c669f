//! What a request brings besides its parameters, by which its caller proves who it is and which
//! key it holds — RFC 6749 §2.3, RFC 6750 §2, RFC 8705 §2, RFC 9449 §4.1.

use std::sync::Arc;

use crate::client_certificate::ClientCertificate;
use crate::confirmation::TokenType;
use crate::error::Refusal;

/// The proofs of one request, unchecked.
#[derive(Clone, Debug, Default)]
pub struct Presented<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// Every `DPoP` header; more than one is an error (RFC 9449 §4.3).
    pub dpop: Vec<&'a str>,
    /// The certificate that was shown, its key proven.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// The request's id, under which what it did is found again.
    pub request_id: Option<String>,
    /// `access_token` in the form, where an endpoint takes it there (RFC 6750 §2.2).
    pub token_in_form: Option<&'a str>,
}

impl<'a> Presented<'a> {
    /// How a token was presented, if one was.
    pub fn token_type(&self) -> Option<TokenType> {
        let in_header = self.authorization.and_then(TokenType::read);
        in_header.map(|(scheme, _)| scheme).or(self.token_in_form.map(|_| TokenType::Bearer))
    }

    /// The access token that came, and how it was presented.
    ///
    /// # Errors
    /// `invalid_request` when it came twice (RFC 6750 §2).
    pub fn token(&self) -> Result<Option<(TokenType, &'a str)>, Refusal> {
        let in_header = self.authorization.and_then(TokenType::read);
        match (in_header, self.token_in_form) {
            (Some(_), Some(_)) => Err(Refusal::invalid_request("the access token is sent twice")),
            (Some(token), None) => Ok(Some(token)),
            (None, Some(token)) => Ok(Some((TokenType::Bearer, token))),
            (None, None) => Ok(None),
        }
    }
}
