//! The simulated Apple of a house: two teams of one developer, of which the first has the app.

use std::sync::Arc;

use russet::broker::World;
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
impl House {
    /// Apple's `.p8` as the operator has it.
    pub fn apple_key(&self) -> SecretString {
        let key = self.config.iter().find(|(name, _)| name == "RUSSET_APPLE__PRIVATE_KEY");
        SecretString::new(key.expect("a key").1.clone())
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
                    bundle_ids: vec![BUNDLE_ID.to_owned()],
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
