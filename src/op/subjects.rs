//! Whom a client sees, and which clients see the same — OIDC Core §8.1, OIDC Dynamic Registration §5.

use url::Url;

use super::Provider;
use crate::protocol::client::Client;
use crate::protocol::id_token::IdTokenClaims;
use crate::protocol::subject;
use crate::protocol::user::User;
use crate::upstream::http::Outbound;

impl Provider {
    /// The `sub` of a person, as this client sees it.
    pub(super) fn sub_for(&self, client: &Client, user: &User) -> String {
        subject::sub(&self.vault, client, user)
    }

    /// The same person, called as this client calls them.
    pub(super) fn seen_by(&self, client: &Client, user: User) -> User {
        subject::seen_by(&self.vault, client, user)
    }

    /// Whether this ID token of ours, given to `given_to`, is about this person. One from before
    /// its client changed to pairwise names counts too.
    pub(super) fn is_about(
        &self,
        hint: &IdTokenClaims,
        given_to: Option<&Client>,
        user: &User,
    ) -> bool {
        hint.sub == user.sub || given_to.is_some_and(|one| hint.sub == self.sub_for(one, user))
    }
}

/// Whether the document at the client's `sector_identifier_uri`, if it has one, lists all of its
/// redirect URIs. Until it does, anybody could name somebody else's sector.
///
/// # Errors
/// One sentence that says what is wrong with the document.
pub(super) async fn check_sector(outbound: &Outbound, client: &Client) -> Result<(), String> {
    let Some(uri) = &client.settings.sector_identifier_uri else { return Ok(()) };
    let url = Url::parse(uri).map_err(|_| "is not a URL".to_owned())?;
    let answer = outbound.get(&url).await.map_err(|error| format!("cannot be read: {error}"))?;
    if answer.status != 200 {
        return Err(format!("cannot be read: status {}", answer.status));
    }
    let listed: Vec<String> = serde_json::from_slice(&answer.body)
        .map_err(|_| "is not a JSON array of redirect URIs".to_owned())?;
    match client.redirect_uris.iter().find(|uri| !listed.contains(uri)) {
        None => Ok(()),
        Some(missing) => Err(format!("does not list '{missing}'")),
    }
}
