//! The clients, the API and the console account that `russet dev` begins with. Run again, it leaves
//! alone what is there.

use super::directory::Directory;
use super::{API_IDENTIFIER, BUNDLE_ID, DevError, Places};
use crate::broker::World;
use crate::demo::api::{ORDERS_READ, ORDERS_WRITE};
use crate::op::admin::{
    Actor, AdminError, Administration, ClientChange, NewAdmin, NewApi, NewClient, SECRET_OVERLAP,
};
use crate::protocol::admin::Role;
use crate::protocol::ambient::{Entropy, random};
use crate::protocol::api::ApiScope;
use crate::protocol::client::ClientKind;
use crate::protocol::client_settings::ApiSettings;
use crate::protocol::id::ClientId;
use crate::protocol::secret::SecretString;

/// The console account's name.
pub(super) const USERNAME: &str = "admin";

/// A client that can be used at once.
#[derive(Clone, Debug)]
pub(super) struct SeededClient {
    pub(super) client_id: String,
    /// Absent for public clients.
    pub(super) client_secret: Option<SecretString>,
    pub(super) redirect_uris: Vec<String>,
}

/// Everything there is to begin with.
#[derive(Clone, Debug)]
pub(super) struct Seeded {
    pub(super) console_password: SecretString,
    pub(super) web: SeededClient,
    pub(super) spa: SeededClient,
    pub(super) native: SeededClient,
    pub(super) machine: SeededClient,
}

/// Registers what is missing, and moves redirect URIs to the ports of this run.
///
/// # Errors
/// [`DevError::Seed`] when the broker refuses, [`DevError::Directory`] when the secrets cannot be
/// kept for the next run.
pub(super) async fn seed(
    administration: &Administration,
    directory: &mut Directory,
    places: &Places,
    world: &World,
) -> Result<Seeded, DevError> {
    let actor = Actor::named("dev", Role::Owner);
    let mut seeder = Seeder { administration, directory, actor };
    seeder.api().await?;
    let seeded = Seeded {
        console_password: seeder.console_account(world.entropy.as_ref()).await?,
        web: seeder.client(web(places)).await?,
        spa: seeder.client(spa(places)).await?,
        native: seeder.client(native()).await?,
        machine: seeder.client(new(ClientKind::Machine, "Demo service", true)).await?,
    };
    directory.remember()?;
    Ok(seeded)
}

/// A client of the demo; all may ask tokens for the demo API, and get them unless they ask for
/// another.
fn new(kind: ClientKind, name: &str, first_party: bool) -> NewClient {
    let mut new = NewClient::of_kind(kind, name);
    new.client_id = Some(format!("demo-{}", kind.as_str()));
    new.change = ClientChange {
        first_party: Some(first_party),
        resources: Some(vec![API_IDENTIFIER.to_owned()]),
        default_resource: Some(Some(API_IDENTIFIER.to_owned())),
        ..ClientChange::default()
    };
    new
}

fn web(places: &Places) -> NewClient {
    let mut new = new(ClientKind::Web, "Demo app", true);
    new.change.redirect_uris = Some(vec![format!("{}/callback", places.app())]);
    new.change.post_logout_redirect_uris = Some(vec![format!("{}/", places.app())]);
    new
}

/// Somebody else's app, so that the consent page can be seen.
fn spa(places: &Places) -> NewClient {
    let mut new = new(ClientKind::Spa, "Demo single-page app", false);
    new.change.redirect_uris = Some(vec![format!("{}/spa/callback", places.app())]);
    new.change.post_logout_redirect_uris = Some(vec![format!("{}/", places.app())]);
    new
}

fn native() -> NewClient {
    let mut new = new(ClientKind::Native, "Demo native app", true);
    // RFC 8252 §7.3: any port of the loopback address will do; §7.1: the app's own scheme.
    new.change.redirect_uris =
        Some(vec!["http://127.0.0.1/callback".to_owned(), format!("{BUNDLE_ID}:/callback")]);
    new.change.apple_bundle_ids = Some(vec![BUNDLE_ID.to_owned()]);
    new
}

struct Seeder<'d> {
    administration: &'d Administration,
    directory: &'d mut Directory,
    actor: Actor,
}

impl Seeder<'_> {
    async fn api(&self) -> Result<(), AdminError> {
        match self.administration.find_api(API_IDENTIFIER).await {
            Err(AdminError::NotFound) => {}
            found => return found.map(drop),
        }
        let scope = |name: &str, description: &str| ApiScope {
            name: name.to_owned(),
            description: description.to_owned(),
        };
        let api = NewApi {
            identifier: API_IDENTIFIER.to_owned(),
            name: "Demo API".to_owned(),
            scopes: vec![
                scope(ORDERS_READ, "See your orders"),
                scope(ORDERS_WRITE, "Place orders in your name"),
            ],
            access_token_ttl: None,
            signing_alg: None,
            settings: ApiSettings::default(),
        };
        self.administration.create_api(&self.actor, api).await.map(drop)
    }

    async fn console_account(&mut self, entropy: &dyn Entropy) -> Result<SecretString, AdminError> {
        let admins = self.administration.list_admins().await?;
        let exists = admins.iter().any(|admin| admin.username == USERNAME);
        if let Some(known) = &self.directory.handed_out.console_password
            && exists
        {
            return Ok(SecretString::from(known.as_str()));
        }
        let password = readable_password(entropy);
        if exists {
            self.administration
                .reset_admin_password(&self.actor, USERNAME, password.clone())
                .await?;
        } else {
            let username = USERNAME.to_owned();
            let new = NewAdmin { username, role: Role::Owner, password: Some(password.clone()) };
            self.administration.create_admin(&self.actor, new).await?;
        }
        self.directory.handed_out.console_password = Some(password.expose().clone());
        Ok(password)
    }

    async fn client(&mut self, new: NewClient) -> Result<SeededClient, AdminError> {
        let client_id = ClientId::new(new.client_id.clone().unwrap_or_default());
        let (client, fresh_secret) = match self.administration.find_client(&client_id).await {
            Err(AdminError::NotFound) => {
                let made = self.administration.create_client(&self.actor, new).await?;
                (made.client, made.client_secret)
            }
            Err(error) => return Err(error),
            Ok(found) => {
                let change = moved(&found.redirect_uris, &found.post_logout_redirect_uris, new);
                let client = match change {
                    None => found,
                    Some(change) => {
                        self.administration.update_client(&self.actor, &client_id, change).await?
                    }
                };
                let is_known =
                    self.directory.handed_out.client_secrets.contains_key(client_id.as_str());
                if client.is_public() || is_known {
                    (client, None)
                } else {
                    let rotated = self
                        .administration
                        .rotate_client_secret(&self.actor, &client_id, SECRET_OVERLAP)
                        .await?;
                    (rotated.client, rotated.client_secret)
                }
            }
        };
        let secrets = &mut self.directory.handed_out.client_secrets;
        if let Some(secret) = fresh_secret {
            secrets.insert(client_id.to_string(), secret.expose().clone());
        }
        Ok(SeededClient {
            client_secret: secrets
                .get(client_id.as_str())
                .filter(|_| !client.is_public())
                .map(|secret| SecretString::from(secret.as_str())),
            client_id: client_id.to_string(),
            redirect_uris: client.redirect_uris,
        })
    }
}

/// The change that puts this run's URIs in front of those that are registered, if any is missing.
fn moved(
    redirect_uris: &[String],
    post_logout_redirect_uris: &[String],
    new: NewClient,
) -> Option<ClientChange> {
    let merged = |wanted: Option<Vec<String>>, registered: &[String]| {
        let wanted = wanted.filter(|wanted| wanted.iter().any(|it| !registered.contains(it)))?;
        let rest = registered.iter().filter(|it| !wanted.contains(it)).cloned();
        Some(wanted.iter().cloned().chain(rest).collect::<Vec<_>>())
    };
    let change = ClientChange {
        redirect_uris: merged(new.change.redirect_uris, redirect_uris),
        post_logout_redirect_uris: merged(
            new.change.post_logout_redirect_uris,
            post_logout_redirect_uris,
        ),
        ..ClientChange::default()
    };
    let is_needed = change.redirect_uris.is_some() || change.post_logout_redirect_uris.is_some();
    is_needed.then_some(change)
}

/// A hundred random bits that can be typed: four groups of five from 32 signs, none of which looks
/// like another.
fn readable_password(entropy: &dyn Entropy) -> SecretString {
    const SIGNS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    let mut password = String::with_capacity(23);
    for (index, byte) in random::<20>(entropy).into_iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        if let Some(sign) = SIGNS.get(usize::from(byte % 32)) {
            password.push(char::from(*sign));
        }
    }
    SecretString::from(password)
}
