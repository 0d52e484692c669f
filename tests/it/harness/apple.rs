//! The simulated Apple of a house: two teams of one developer, of which the first has the app.

use std::sync::Arc;

use russet::broker::World;
use russet::op::admin::{Actor, ListedConnection, NewConnection};
use russet::protocol::connection::{AppleMembers, ConnectionSecrets, ConnectionSettings};
use russet::protocol::secret::SecretString;
use russet::simulator::{
    self, Account, AppGroup, DeveloperPublicKey, RunningSimulator, ServicesId, Team,
};

use super::House;

pub const TEAM: &str = "TEAM123456";
/// A second team of the developer's, to which apps may move. Its key is the same, under another ID.
pub const NEW_TEAM: &str = "TEAM654321";
pub const SERVICES_ID: &str = "com.example.web";
pub const BUNDLE_ID: &str = "com.example.app";
/// Another app of the same group, which a house does not have unless it is configured.
pub const SECOND_BUNDLE_ID: &str = "com.example.second";
impl House {
    /// Apple's `.p8` as the operator has it.
    pub fn apple_key(&self) -> SecretString {
        let key = self.config.iter().find(|(name, _)| name == "RUSSET_APPLE__PRIVATE_KEY");
        SecretString::new(key.expect("a key").1.clone())
    }

    /// A connection to a team of the developer's, with this key of theirs.
    pub fn apple_connection(&self, id: &str, team_id: &str, key_id: &str) -> NewConnection {
        NewConnection {
            id: id.to_owned(),
            display_name: None,
            position: None,
            enabled: true,
            settings: ConnectionSettings::Apple(AppleMembers {
                team_id: team_id.to_owned(),
                key_id: key_id.to_owned(),
                next_key_id: None,
                services_id: Some(SERVICES_ID.to_owned()),
                bundle_ids: Vec::new(),
                primary_app_id: None,
                issuer: self.apple.issuer().to_owned(),
                additional_issuers: Vec::new(),
                pkce: true,
                link_by_verified_email: false,
                mail_sender_domain: None,
            }),
            secrets: ConnectionSecrets {
                private_key: Some(self.apple_key()),
                ..ConnectionSecrets::default()
            },
        }
    }

    /// Makes the connection `work`: to the team that people move to.
    pub async fn connect_new_team(&self, key_id: &str) {
        self.make_connection(self.apple_connection("work", NEW_TEAM, key_id)).await;
    }

    /// Makes a connection, offered at once.
    pub async fn make_connection(&self, new: NewConnection) -> ListedConnection {
        let administration = &self.broker.broker.administration;
        let actor = Actor::cli();
        let made = administration.create_connection(&actor, new).await.expect("a connection");
        self.broker.broker.provider.reload_connectors().await.expect("reloading");
        made
    }

    /// How often this endpoint of the simulated Apple was asked.
    pub async fn apple_asked(&self, endpoint: &str) -> usize {
        let journal = self.apple_journal().await;
        journal.iter().filter(|entry| entry["endpoint"] == endpoint).count()
    }

    /// Every request that the simulated Apple has seen.
    pub async fn apple_journal(&self) -> Vec<serde_json::Value> {
        let url = format!("{}/_sim/journal", self.apple.issuer());
        let answer = self.http.get(url).send().await.expect("an answer");
        answer.json().await.expect("a journal")
    }

    /// Does something at the simulated Apple, by its control API.
    pub async fn simulate(&self, what: &str, asked: &serde_json::Value) -> serde_json::Value {
        let url = format!("{}/_sim/{what}", self.apple.issuer());
        let answer = self.http.post(url).json(asked).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{what}: {}", answer.status());
        let body = answer.bytes().await.expect("a body");
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

pub(super) async fn start_apple(
    world: &World,
    key: DeveloperPublicKey,
    issuer: &str,
) -> RunningSimulator {
    let settings = simulator::Settings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        host: "localhost".to_owned(),
        issuer: None,
        insecure: true,
        teams: vec![
            Team {
                team_id: TEAM.to_owned(),
                keys: vec![("KEY1234567".to_owned(), key.clone())],
                groups: vec![AppGroup {
                    primary_bundle_id: BUNDLE_ID.to_owned(),
                    bundle_ids: vec![BUNDLE_ID.to_owned(), SECOND_BUNDLE_ID.to_owned()],
                    services_ids: vec![ServicesId {
                        services_id: SERVICES_ID.to_owned(),
                        return_urls: ["apple", "work"]
                            .map(|id| format!("{issuer}/upstream/{id}/callback"))
                            .to_vec(),
                    }],
                    notification_url: Some(format!("{issuer}/upstream/apple/notifications")),
                }],
            },
            Team {
                team_id: NEW_TEAM.to_owned(),
                keys: vec![("KEY7654321".to_owned(), key)],
                groups: Vec::new(),
            },
        ],
        accounts: Account::samples(),
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
    };
    simulator::start(settings).await.expect("a simulated Apple")
}
