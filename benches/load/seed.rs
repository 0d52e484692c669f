//! What the broker finds in its database: APIs, clients, a signed-in person, grants.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use russet::protocol::ambient::{Entropy, Timestamp};
use russet::protocol::api::{Api, ApiScope};
use russet::protocol::claims_request::NamedClaims;
use russet::protocol::client::{Client, ClientKind, ClientSecret};
use russet::protocol::grant::{Grant, GrantTerms};
use russet::protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use russet::protocol::jose::Algorithm;
use russet::protocol::refresh_token;
use russet::protocol::secret::{SecretString, Vault};
use russet::protocol::session::Session;
use russet::protocol::standard_claims::StandardClaims;
use russet::protocol::user::User;
use russet::store::{Store, StoreFault};

pub(crate) const REDIRECT_URI: &str = "https://app.example.com/callback";
const WEB: &str = "web";
const YEAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

/// The operating system's randomness.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the benchmark is its own main.rs")]
    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).expect("randomness");
    }
}

#[expect(clippy::disallowed_methods, reason = "the benchmark is its own main.rs")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::default().plus(since.expect("a time after 1970"))
}

/// What the load needs to know of it.
pub(crate) struct Seed {
    /// `Authorization` lines of the machine clients, by algorithm.
    pub(crate) machines: Vec<(Algorithm, String)>,
    /// `Authorization` line of the web client.
    pub(crate) web: String,
    pub(crate) session_cookie: String,
    /// One for each family.
    pub(crate) refresh_tokens: Vec<String>,
}

/// Fills an empty database of the current schema. Needs a runtime.
pub(crate) async fn plant(url: &str, vault: &Vault, families: usize) -> Seed {
    let store = Store::connect(url).await.expect("the database");
    let mut machines = Vec::new();
    for alg in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let api = api(alg);
        let mut machine =
            Client::of_kind(ClientId::new(machine_name(alg)), ClientKind::Machine, now());
        machine.resources = vec![api.identifier.clone()];
        machine.default_resource = Some(api.identifier.clone());
        let row = api.clone();
        store
            .write(move |tx| Box::pin(async move { tx.insert_api(&row).await }))
            .await
            .expect("an API");
        machines.push((alg, register(&store, vault, machine).await));
    }
    let mut web = Client::of_kind(ClientId::new(WEB), ClientKind::Web, now());
    web.redirect_uris = vec![REDIRECT_URI.to_owned()];
    web.first_party = true;
    web.id_token_signed_response_alg = Algorithm::Es256;
    web.resources = vec![identifier(Algorithm::Es256)];
    web.default_resource = Some(identifier(Algorithm::Es256));
    let web = register(&store, vault, web).await;

    let (user, session, session_cookie) = person(vault);
    let grants: Vec<Grant> = (0..families).map(|_| grant(&user, &session)).collect();
    let refresh_tokens = grants
        .iter()
        .map(|grant| {
            let token = refresh_token::mint(vault, &SystemEntropy, &grant.id, 1);
            token.expect("a refresh token").expose().clone()
        })
        .collect();
    store
        .write(move |tx| {
            Box::pin(async move {
                tx.insert_user(&user).await?;
                tx.insert_session(&session).await?;
                for grant in &grants {
                    tx.insert_grant(grant).await?;
                }
                Ok::<_, StoreFault>(())
            })
        })
        .await
        .expect("a person with grants");
    Seed { machines, web, session_cookie, refresh_tokens }
}

fn machine_name(alg: Algorithm) -> String {
    format!("machine-{}", alg.as_str().to_lowercase())
}

fn identifier(alg: Algorithm) -> String {
    format!("https://api.example.com/{}", alg.as_str().to_lowercase())
}

fn api(alg: Algorithm) -> Api {
    Api {
        identifier: identifier(alg),
        name: alg.as_str().to_owned(),
        scopes: vec![ApiScope { name: "read".to_owned(), description: String::new() }],
        access_token_ttl: 600,
        signing_alg: alg,
        settings: russet::protocol::client_settings::ApiSettings::default(),
        created_at: now(),
        updated_at: now(),
        version: 1,
    }
}

/// Stores a confidential client; returns its `Authorization` line.
async fn register(store: &Store, vault: &Vault, client: Client) -> String {
    let secret = SecretString::random(&SystemEntropy);
    let stored = ClientSecret::new("first".to_owned(), vault.hash(secret.expose()), now());
    let pair = format!("{}:{}", client.client_id, secret.expose());
    store
        .write(move |tx| Box::pin(async move { tx.insert_client(&client, Some(&stored)).await }))
        .await
        .expect("a client");
    format!("Authorization: Basic {}\r\n", STANDARD.encode(pair))
}

fn person(vault: &Vault) -> (User, Session, String) {
    let user = User {
        id: UserId::random(&SystemEntropy),
        sub: "alice".to_owned(),
        name: Some("Alice".to_owned()),
        given_name: None,
        family_name: None,
        email: Some("alice@example.com".to_owned()),
        email_verified: true,
        is_private_email: false,
        claims: StandardClaims::default(),
        disabled_at: None,
        created_at: now(),
        updated_at: now(),
    };
    let cookie = SecretString::random(&SystemEntropy).expose().clone();
    let session = Session {
        id: SessionId::random(&SystemEntropy),
        cookie_hash: vault.hash(&cookie),
        user_id: user.id.clone(),
        auth_time: now(),
        amr: vec!["fed".to_owned()],
        connection_id: ConnectionId::new("apple"),
        created_at: now(),
        expires_at: now().plus(YEAR),
        ended_at: None,
    };
    (user, session, cookie)
}

fn grant(user: &User, session: &Session) -> Grant {
    Grant {
        id: GrantId::random(&SystemEntropy),
        client_id: ClientId::new(WEB),
        user_id: user.id.clone(),
        terms: GrantTerms {
            sub: user.sub.clone(),
            scope: vec!["openid".to_owned(), "offline_access".to_owned(), "read".to_owned()],
            resources: vec![identifier(Algorithm::Es256)],
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            nonce: None,
            claims: NamedClaims::default(),
            cnf: None,
        },
        session_id: Some(session.id.clone()),
        connection_id: Some(session.connection_id.clone()),
        created_at: now(),
        refresh_generation: 0,
        refresh_spent_hash: None,
        refresh_idle_expires_at: now().plus(YEAR),
        expires_at: now().plus(YEAR),
        revoked_at: None,
    }
}
