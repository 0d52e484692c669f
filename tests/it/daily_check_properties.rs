//! Whatever happens in whatever order: who revoked is out when the daily check has had its day, and
//! nobody else ever is.
//!
//! Two replicas share a database and an Apple made of rules; people sign in and revoke, replicas
//! die between a question and its answer, Apple goes away, the key is withdrawn and mended.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use russet::op::master_key::VaultKeeper;
use russet::op::registration::RegistrationPolicy;
use russet::op::{Parts, Policy, Provider};
use russet::protocol::ambient::{Clock, Entropy, TestClock, Timestamp};
use russet::protocol::connection::ConnectionKind;
use russet::protocol::id::{ConnectionId, SessionId, UserId};
use russet::protocol::master_key::MasterKeys;
use russet::protocol::secret::SecretString;
use russet::protocol::session::Session;
use russet::protocol::upstream_grant::UpstreamGrant;
use russet::protocol::user::{Identity, User};
use russet::store::{Store, StoreFault};
use russet::upstream::http::{Outbound, OutboundSettings};
use russet::upstream::{
    Callback, Connector, Finding, Lifecycle, Standing, Trip, UpstreamError, UpstreamIdentity,
};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::harness::{NOON, SystemEntropy, free_name, master_key};

const AUTHORITY: &str = "apple:TEAM123456";
const CLIENT: &str = "com.example.web";
const PEOPLE: usize = 6;
const HOUR: Duration = Duration::from_secs(3600);
/// A day, the hour a check may drift, and the hour between two looks of this test.
const NOTICED: Duration = Duration::from_secs(27 * 3600);
/// After trouble: the longest back-off of the check and, after it, of the grant.
const RECOVERED: Duration = Duration::from_secs(14 * 3600);
/// Apple's other word takes a second day, and a third if the others were asked just before.
const UNCLEAR: Duration = Duration::from_secs(3 * 25 * 3600);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Weather {
    Fine,
    Away,
    KeyWithdrawn,
}

/// Apple by its rules alone.
struct Apple {
    id: ConnectionId,
    state: Mutex<Rules>,
    hung: Notify,
}

struct Rules {
    alive: HashSet<String>,
    unclear: HashSet<String>,
    weather: Weather,
    /// The question after so many others is never answered.
    hang_after: Option<usize>,
}

#[async_trait]
impl Connector for Apple {
    fn id(&self) -> &ConnectionId {
        &self.id
    }
    fn display_name(&self) -> &str {
        "Apple"
    }
    fn kind(&self) -> ConnectionKind {
        ConnectionKind::Apple
    }
    fn form_action_source(&self) -> String {
        String::new()
    }
    async fn depart(&self, _: &Trip, _: Timestamp) -> Result<url::Url, UpstreamError> {
        Err(UpstreamError::Cancelled)
    }
    async fn greet(
        &self,
        _: &Trip,
        _: &Callback,
        _: Timestamp,
    ) -> Result<Option<UpstreamIdentity>, UpstreamError> {
        Err(UpstreamError::Cancelled)
    }
    async fn arrive(
        &self,
        _: &Trip,
        _: &Callback,
        _: Timestamp,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        Err(UpstreamError::Cancelled)
    }
    fn authority(&self) -> String {
        AUTHORITY.to_owned()
    }
    fn lifecycle(&self) -> Option<&dyn Lifecycle> {
        Some(self)
    }
    async fn check(&self, _: Timestamp) -> Vec<Finding> {
        Vec::new()
    }
}

#[async_trait]
impl Lifecycle for Apple {
    fn client_ids(&self) -> Vec<String> {
        vec![CLIENT.to_owned()]
    }

    async fn check_grant(&self, _: &str, token: &SecretString, _: Timestamp) -> Standing {
        let hang = {
            let mut rules = self.state.lock().unwrap();
            let hang = rules.hang_after == Some(0);
            rules.hang_after = rules.hang_after.and_then(|left| left.checked_sub(1));
            hang
        };
        if hang {
            self.hung.notify_one();
            std::future::pending::<()>().await;
        }
        let rules = self.state.lock().unwrap();
        match rules.weather {
            Weather::Away => Standing::Unwell("away".to_owned()),
            Weather::KeyWithdrawn => Standing::Misconfigured("the key".to_owned()),
            Weather::Fine if rules.alive.contains(token.expose()) => Standing::Good(None),
            Weather::Fine if rules.unclear.contains(token.expose()) => Standing::Ambiguous,
            Weather::Fine => Standing::Dead,
        }
    }

    async fn revoke(&self, _: &str, _: &SecretString, _: Timestamp) -> Result<(), UpstreamError> {
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Step {
    SignsIn(usize),
    Revokes {
        who: usize,
        unclear: bool,
    },
    Hours(u64),
    /// A replica dies at the n-th question of its next rounds.
    Crash(usize),
    Weather(Weather),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Person 0 signs in once and never again: the one whose checks tell that Apple is well.
    let who = 1..PEOPLE;
    let step = prop_oneof![
        3 => who.clone().prop_map(Step::SignsIn),
        3 => (who, any::<bool>()).prop_map(|(who, unclear)| Step::Revokes { who, unclear }),
        6 => (1_u64..30).prop_map(Step::Hours),
        2 => (0_usize..4).prop_map(Step::Crash),
        1 => Just(Step::Weather(Weather::Away)),
        1 => Just(Step::Weather(Weather::KeyWithdrawn)),
        3 => Just(Step::Weather(Weather::Fine)),
    ];
    proptest::collection::vec(step, 4..24)
}

/// What is known of a person outside the broker.
#[derive(Clone, Default)]
struct Fate {
    token: Option<String>,
    session: Option<SessionId>,
    revoked: Option<(Timestamp, bool)>,
}

struct World {
    clock: Arc<TestClock>,
    apple: Arc<Apple>,
    store: Store,
    replicas: Vec<Arc<Provider>>,
    fates: Vec<Fate>,
    /// Since when nothing has been amiss with Apple, the key or a replica.
    fine_since: Timestamp,
    round: usize,
    _directory: TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let url = format!("sqlite://{}", directory.path().join("russet.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Arc::new(TestClock::at(NOON));
        let apple = Arc::new(Apple {
            id: ConnectionId::new("apple"),
            state: Mutex::new(Rules {
                alive: HashSet::new(),
                unclear: HashSet::new(),
                weather: Weather::Fine,
                hang_after: None,
            }),
            hung: Notify::new(),
        });
        let mut replicas = Vec::new();
        for _ in 0..2 {
            let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
            let clock: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
            let masters = MasterKeys::from_base64(&master_key().into(), &[]).unwrap();
            let keeper =
                VaultKeeper::open(store.clone(), masters, clock.clone(), entropy.clone()).await;
            replicas.push(Arc::new(Provider::new(Parts {
                issuer: "https://id.example.com".to_owned(),
                policy: Policy::default(),
                clock,
                entropy,
                vault_keeper: Arc::new(keeper.unwrap()),
                store: store.clone(),
                connectors: vec![Arc::clone(&apple) as Arc<dyn Connector>],
                mutual_tls: russet::op::mutual_tls::MutualTls::default(),
                local_passwords: None,
                registration: RegistrationPolicy::default(),
                outbound: Outbound::new(OutboundSettings {
                    ca_pem: None,
                    allow_private: Vec::new(),
                    named: Vec::new(),
                    user_agent: "test".to_owned(),
                    timeout: russet::upstream::http::TIMEOUT,
                }),
            })));
        }
        let mut world = Self {
            clock,
            apple,
            store,
            replicas,
            fates: vec![Fate::default(); PEOPLE],
            fine_since: NOON,
            round: 0,
            _directory: directory,
        };
        for who in 0..PEOPLE {
            world.signs_in(who).await;
        }
        world
    }

    /// What a sign-in leaves behind.
    async fn signs_in(&mut self, who: usize) {
        let now = self.clock.now();
        let user = UserId::new(format!("person-{who}"));
        let token = free_name();
        self.apple.state.lock().unwrap().alive.insert(token.clone());
        let mut grant = UpstreamGrant::obtained(
            user.clone(),
            AUTHORITY.to_owned(),
            CLIENT.to_owned(),
            format!("subject-{who}"),
            now,
        );
        let vault = Arc::clone(self.replicas[0].vault_keeper().vault());
        grant.sealed_refresh_token = vault.seal(&grant.bound_to(), token.as_bytes()).unwrap();
        let session = Session {
            id: SessionId::new(free_name()),
            cookie_hash: vault.hash(&free_name()),
            user_id: user.clone(),
            auth_time: now,
            amr: Vec::new(),
            connection_id: ConnectionId::new("apple"),
            created_at: now,
            expires_at: now.plus(HOUR * 24 * 3650),
            ended_at: None,
        };
        let first = self.fates[who].token.is_none();
        self.fates[who] =
            Fate { token: Some(token), session: Some(session.id.clone()), revoked: None };
        let acted = self.store.write(move |tx| {
            Box::pin(async move {
                let (authority, subject) = (grant.authority.clone(), grant.subject.clone());
                let connection = ConnectionId::new("apple");
                if first {
                    tx.insert_user(&User::new(user.clone(), subject.clone(), now)).await?;
                    tx.insert_identity(&Identity {
                        authority,
                        subject,
                        user_id: user,
                        connection_id: connection,
                        email: None,
                        email_proven: false,
                        created_at: now,
                        last_login_at: now,
                        email_undeliverable_since: None,
                        ended_at: None,
                    })
                    .await?;
                } else {
                    tx.touch_identity(&authority, &subject, &connection, None, now).await?;
                }
                tx.put_upstream_grant(&grant).await?;
                tx.insert_session(&session).await?;
                Ok::<_, StoreFault>(())
            })
        });
        acted.await.unwrap();
    }

    fn revokes(&mut self, who: usize, unclear: bool) {
        let fate = &mut self.fates[who];
        if fate.revoked.is_some() {
            return;
        }
        let Some(token) = &fate.token else { return };
        let mut rules = self.apple.state.lock().unwrap();
        rules.alive.remove(token);
        if unclear {
            rules.unclear.insert(token.clone());
        }
        fate.revoked = Some((self.clock.now(), unclear));
    }

    async fn an_hour_passes(&mut self) {
        self.clock.advance(HOUR);
        let provider = Arc::clone(&self.replicas[self.round % 2]);
        let holder = format!("replica-{}-{}", self.round % 2, free_name());
        self.round += 1;
        let mut run = tokio::spawn(async move { provider.daily_check(&holder).await });
        let died = tokio::select! {
            done = &mut run => {
                done.unwrap().unwrap();
                false
            }
            () = self.apple.hung.notified() => {
                run.abort();
                let _ = run.await;
                true
            }
        };
        if died || self.apple.state.lock().unwrap().weather != Weather::Fine {
            self.fine_since = self.clock.now();
        }
    }

    async fn must_hold(&self) -> Result<(), TestCaseError> {
        let now = self.clock.now();
        for (who, fate) in self.fates.iter().enumerate() {
            let Some(session) = &fate.session else { continue };
            let session = self.store.find_session(session).await.unwrap();
            let signed_in = session.is_some_and(|session| session.ended_at.is_none());
            match fate.revoked {
                None => prop_assert!(signed_in, "person {who} was signed out for nothing"),
                Some((at, unclear)) => {
                    let extra = if unclear { UNCLEAR } else { Duration::ZERO };
                    let noticed = at.plus(NOTICED).max(self.fine_since.plus(RECOVERED));
                    if noticed.plus(extra) < now {
                        prop_assert!(
                            !signed_in,
                            "person {who} revoked {} h ago and is signed in",
                            now.since(at).as_secs() / 3600
                        );
                    }
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn who_revoked_is_out_in_time_and_nobody_else_ever_is(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            let calm = [
                Step::Weather(Weather::Fine),
                // Long enough for everything that is owed.
                Step::Hours(48),
                Step::Hours(48),
                Step::Hours(30),
            ];
            for step in steps.into_iter().chain(calm) {
                match step {
                    Step::SignsIn(who) => world.signs_in(who).await,
                    Step::Revokes { who, unclear } => world.revokes(who, unclear),
                    Step::Crash(after) => {
                        world.apple.state.lock().unwrap().hang_after = Some(after);
                    }
                    Step::Weather(weather) => {
                        world.apple.state.lock().unwrap().weather = weather;
                        world.fine_since = world.clock.now();
                    }
                    Step::Hours(hours) => {
                        for _ in 0..hours {
                            world.an_hour_passes().await;
                            world.must_hold().await?;
                        }
                    }
                }
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}
