//! One house as the upstream of another: an OpenID Provider whose people and claims a test decides.

use russet::op::admin::NewConnection;
use russet::protocol::client::ClientKind;
use russet::protocol::connection::{ConnectionSecrets, ConnectionSettings, OidcMembers};
use russet::protocol::upstream_claims::ClaimRules;

use super::House;

impl House {
    /// Makes `upstream` a connection of this house; `change` has the last word on its settings.
    pub async fn connect(
        &self,
        id: &str,
        upstream: &House,
        change: impl FnOnce(&mut ConnectionSettings),
    ) {
        let at = format!("{}/upstream/{id}", self.issuer);
        let broker = upstream
            .client(ClientKind::Web, |client| {
                client.redirect_uris = vec![format!("{at}/callback")];
                client.settings.backchannel_logout_uri = Some(format!("{at}/backchannel_logout"));
            })
            .await;
        let mut settings = ConnectionSettings::Oidc(OidcMembers {
            issuer: upstream.issuer.clone(),
            issuer_template: None,
            client_id: broker.client_id().to_owned(),
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
            link_by_verified_email: false,
            believe_amr: false,
            claims: ClaimRules::default(),
        });
        change(&mut settings);
        let new = NewConnection {
            id: id.to_owned(),
            display_name: None,
            position: None,
            enabled: true,
            settings,
            secrets: ConnectionSecrets {
                client_secret: broker.secret.clone().map(Into::into),
                ..ConnectionSecrets::default()
            },
        };
        self.make_connection(new).await;
    }
}
