//! Subject identifiers: whom a client sees — OIDC Core §8, §8.1.
//!
//! A client with `subject_type` `pairwise` knows people by names that no client of another sector
//! has: an HMAC over its sector and the person's id inside Russet. Nothing is stored, and the key
//! outlives every change of the master key, so a name stays what it was.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::client::Client;
use crate::secret::Vault;
use crate::user::User;

/// `subject_type` (OIDC Dynamic Registration §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// One name everywhere.
    #[default]
    Public,
    /// One name in each sector.
    Pairwise,
}

impl SubjectType {
    /// Both, as discovery lists them.
    pub const ALL: [Self; 2] = [Self::Public, Self::Pairwise];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }
}

/// The sector of a client: the host of its `sector_identifier_uri`, else the one host of its
/// redirect URIs, else the client itself, if no browser is ever sent back to it.
///
/// # Errors
/// One sentence when the redirect URIs have no host or several (OIDC Core §8.1).
pub fn sector(client: &Client) -> Result<String, &'static str> {
    let host = |uri: &str| Url::parse(uri).ok()?.host_str().map(ToOwned::to_owned);
    if let Some(uri) = &client.settings.sector_identifier_uri {
        return host(uri).ok_or("must be an https URL");
    }
    let mut hosts = client.redirect_uris.iter().map(|uri| host(uri));
    let Some(first) = hosts.next() else { return Ok(client.client_id.to_string()) };
    let first = first.ok_or("is needed: a redirect URI without a host is of no sector")?;
    if hosts.all(|other| other.as_ref() == Some(&first)) {
        Ok(first)
    } else {
        Err("is needed: the redirect URIs have several hosts")
    }
}

/// The `sub` of a person, as this client sees it.
pub fn sub(vault: &Vault, client: &Client, user: &User) -> String {
    match client.settings.subject_type {
        SubjectType::Public => user.sub.clone(),
        SubjectType::Pairwise => {
            // What is stored has a sector; without one a client is a sector of its own.
            let sector = sector(client).unwrap_or_else(|_| client.client_id.to_string());
            // The id holds no line break, so two pairs never make one message.
            let message = format!("{}\n{sector}", user.id);
            vault.subject_tag(message.as_bytes()).to_text()
        }
    }
}

/// The same person, called as this client calls them.
pub fn seen_by(vault: &Vault, client: &Client, user: User) -> User {
    let sub = sub(vault, client, &user);
    User { sub, ..user }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Timestamp;
    use crate::client::ClientKind;
    use crate::id::{ClientId, UserId};

    fn client(id: &str, redirect_uris: &[&str]) -> Client {
        let mut client = Client::of_kind(ClientId::new(id), ClientKind::Web, Timestamp::default());
        client.redirect_uris = redirect_uris.iter().map(ToString::to_string).collect();
        client.settings.subject_type = SubjectType::Pairwise;
        client
    }

    fn user(id: &str) -> User {
        User::new(UserId::new(id), format!("public-{id}"), Timestamp::default())
    }

    #[test]
    fn a_sector_is_one_host_and_two_want_a_document() {
        let one = ["https://a.example/cb", "https://a.example:8443/other"];
        assert_eq!(sector(&client("c", &one)), Ok("a.example".to_owned()));
        assert_eq!(sector(&client("c", &[])), Ok("c".to_owned()));
        for none in [
            vec!["https://a.example/cb", "https://b.example/cb"],
            vec!["com.example.app:/cb"],
            vec!["https://a.example/cb", "com.example.app:/cb"],
        ] {
            assert!(sector(&client("c", &none)).is_err(), "{none:?}");
            let mut with = client("c", &none);
            with.settings.sector_identifier_uri = Some("https://s.example/uris.json".to_owned());
            assert_eq!(sector(&with), Ok("s.example".to_owned()));
        }
    }

    #[test]
    fn sectors_share_no_name_and_one_sector_has_one() {
        let vault = Vault::from_bytes(&[7; 32]).unwrap();
        let other_vault = Vault::from_bytes(&[8; 32]).unwrap();
        let (ada, grace) = (user("ada"), user("grace"));
        let a = client("a", &["https://a.example/cb"]);
        let a2 = client("a2", &["https://a.example/other"]);
        let b = client("b", &["https://b.example/cb"]);
        let seen = sub(&vault, &a, &ada);
        assert_eq!(seen, sub(&vault, &a2, &ada), "one sector");
        assert_ne!(seen, sub(&vault, &b, &ada), "another sector");
        assert_ne!(seen, sub(&vault, &a, &grace), "another person");
        assert_ne!(seen, sub(&other_vault, &a, &ada), "another key");
        assert_ne!(seen, ada.sub);
        assert!(seen.len() <= 255 && seen.bytes().all(|b| b.is_ascii_graphic()));
        let mut public = a.clone();
        public.settings.subject_type = SubjectType::Public;
        assert_eq!(sub(&vault, &public, &ada), "public-ada");
        assert_eq!(seen_by(&vault, &a, ada).sub, seen);
    }
}
