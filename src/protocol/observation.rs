//! What is observed of a client while it is used: hints for whoever looks after it, never a rule.

use crate::ambient::Timestamp;
use crate::client::{GrantType, TokenEndpointAuthMethod};

/// Of one client, the newest of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The last token, and for which grant.
    pub token: Option<(Timestamp, GrantType)>,
    /// How it last proved who it is.
    pub authenticated: Option<(Timestamp, TokenEndpointAuthMethod)>,
    /// The last authorization request with PKCE.
    pub pkce_at: Option<Timestamp>,
    /// The last one without.
    pub no_pkce_at: Option<Timestamp>,
}

impl Observation {
    /// Whether its library knows PKCE: the last request said so.
    pub fn uses_pkce(&self) -> Option<bool> {
        match (self.pkce_at, self.no_pkce_at) {
            (None, None) => None,
            (with, without) => Some(with > without),
        }
    }

    /// The newest of each, of this and another.
    pub fn merge(&mut self, other: &Self) {
        let newer = |at: Option<Timestamp>, other: Option<Timestamp>| at.max(other);
        self.pkce_at = newer(self.pkce_at, other.pkce_at);
        self.no_pkce_at = newer(self.no_pkce_at, other.no_pkce_at);
        if other.token.map(|(at, _)| at) >= self.token.map(|(at, _)| at) {
            self.token = other.token.or(self.token);
        }
        if other.authenticated.map(|(at, _)| at) >= self.authenticated.map(|(at, _)| at) {
            self.authenticated = other.authenticated.or(self.authenticated);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_counts_whichever_replica_saw_it() {
        let at = Timestamp::from_secs;
        let mut one = Observation { pkce_at: Some(at(5)), ..Observation::default() };
        assert_eq!(one.uses_pkce(), Some(true));
        let other = Observation {
            no_pkce_at: Some(at(9)),
            pkce_at: Some(at(1)),
            token: Some((at(3), GrantType::RefreshToken)),
            ..Observation::default()
        };
        one.merge(&other);
        assert_eq!((one.pkce_at, one.uses_pkce()), (Some(at(5)), Some(false)));
        let older = Observation {
            token: Some((at(2), GrantType::AuthorizationCode)),
            ..Observation::default()
        };
        one.merge(&older);
        assert_eq!(one.token, Some((at(3), GrantType::RefreshToken)));
        assert_eq!(Observation::default().uses_pkce(), None);
    }
}
