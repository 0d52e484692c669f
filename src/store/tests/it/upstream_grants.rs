//! Upstream grants: replaced whole by a sign-in, changed by a check only in the version it saw.

use std::time::Duration;

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{ConnectionId, UserId};
use russet_protocol::job::{JobCondition, JobState};
use russet_protocol::upstream_grant::{GrantState, UpstreamGrant};
use russet_protocol::user::{Identity, User};
use russet_store::{Store, StoreFault};

use crate::databases::{Fresh, NOW, user};

const APPLE: &str = "apple:TEAM123456";

fn obtained(user: &str, client: &str, now: Timestamp) -> UpstreamGrant {
    let mut grant = UpstreamGrant::obtained(
        UserId::new(user),
        APPLE.to_owned(),
        client.to_owned(),
        format!("subject of {user}"),
        now,
    );
    grant.sealed_refresh_token = b"sealed".to_vec();
    grant
}

async fn person(store: &Store, id: &'static str) {
    let person = User { id: UserId::new(id), sub: format!("sub of {id}"), ..user() };
    let identity = Identity {
        authority: APPLE.to_owned(),
        subject: format!("subject of {id}"),
        user_id: person.id.clone(),
        connection_id: ConnectionId::new("apple"),
        email: None,
        email_proven: false,
        created_at: NOW,
        last_login_at: NOW,
        email_undeliverable_since: None,
        ended_at: None,
    };
    store
        .write(move |tx| {
            Box::pin(async move {
                tx.insert_user(&person).await?;
                tx.insert_identity(&identity).await
            })
        })
        .await
        .unwrap();
}

async fn put(store: &Store, grant: UpstreamGrant) {
    let act = store.write(move |tx| Box::pin(async move { tx.put_upstream_grant(&grant).await }));
    act.await.unwrap();
}

async fn note(store: &Store, grant: &UpstreamGrant) -> bool {
    let grant = grant.clone();
    let act = store.write(move |tx| Box::pin(async move { tx.note_upstream_grant(&grant).await }));
    act.await.unwrap()
}

async fn only(store: &Store, id: &str) -> UpstreamGrant {
    let mut all = store.find_upstream_grants(&UserId::new(id)).await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[tokio::test]
async fn an_answer_about_an_old_token_never_touches_a_new_one() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        person(&store, "ada").await;
        put(&store, obtained("ada", "web", NOW)).await;
        let asked_about = only(&store, "ada").await;
        // The same millisecond: only the version tells the two apart.
        put(&store, obtained("ada", "web", NOW)).await;
        let dead = UpstreamGrant { state: GrantState::Revoked, next_check_at: None, ..asked_about };
        assert!(!note(&store, &dead).await);
        let kept = only(&store, "ada").await;
        assert_eq!(kept.state, GrantState::Valid);
        let dead = UpstreamGrant { version: kept.version, ..dead };
        assert!(note(&store, &dead).await);
        assert!(!note(&store, &dead).await, "an answer counts once");
        let kept = only(&store, "ada").await;
        assert_eq!((kept.state, kept.next_check_at), (GrantState::Revoked, None));
        assert_eq!(kept.sealed_refresh_token, b"sealed", "a check never touches the token");
        put(&store, obtained("ada", "web", NOW)).await;
        assert_eq!(only(&store, "ada").await.state, GrantState::Valid, "a sign-in revives it");
    }
}

#[tokio::test]
async fn due_grants_come_in_order_and_bounded_with_their_persons_last_sign_in() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        for id in ["ada", "grace", "alan"] {
            person(&store, id).await;
        }
        let at = |hours: u64| Some(NOW.plus(Duration::from_secs(hours * 3600)));
        for (id, next) in [("ada", at(2)), ("grace", at(1)), ("alan", None)] {
            put(&store, UpstreamGrant { next_check_at: next, ..obtained(id, "web", NOW) }).await;
        }
        let due = |hours: u64, limit| {
            let (store, by) = (store.clone(), at(hours).unwrap());
            async move {
                let due = store.due_upstream_grants(APPLE, by, limit).await.unwrap();
                due.into_iter().map(|due| due.grant.user_id.to_string()).collect::<Vec<_>>()
            }
        };
        assert_eq!(due(0, 10).await, Vec::<String>::new());
        assert_eq!(due(1, 10).await, ["grace"]);
        assert_eq!(due(3, 10).await, ["grace", "ada"]);
        assert_eq!(due(3, 1).await, ["grace"]);
        let found = store.due_upstream_grants(APPLE, at(3).unwrap(), 1).await.unwrap();
        assert_eq!(found[0].last_login_at, NOW);
        assert!(
            store.due_upstream_grants("apple:OTHER", at(3).unwrap(), 9).await.unwrap().is_empty()
        );
        assert_eq!(store.checked_authorities().await.unwrap(), [APPLE]);
    }
}

#[tokio::test]
async fn others_stand_only_if_somebody_else_does() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        for id in ["ada", "grace"] {
            person(&store, id).await;
            put(&store, obtained(id, "web", NOW)).await;
        }
        let ada = UserId::new("ada");
        assert!(!store.others_stand_since(APPLE, &ada, NOW).await.unwrap());
        for id in ["ada", "grace"] {
            let good = UpstreamGrant { last_ok_at: Some(NOW), ..only(&store, id).await };
            assert!(note(&store, &good).await);
            let others = store.others_stand_since(APPLE, &ada, NOW).await.unwrap();
            assert_eq!(others, id == "grace");
        }
        let later = NOW.plus(Duration::from_secs(1));
        assert!(!store.others_stand_since(APPLE, &ada, later).await.unwrap());
    }
}

#[tokio::test]
async fn revoking_all_of_a_person_leaves_the_others_and_deleting_leaves_nothing() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        for id in ["ada", "grace"] {
            person(&store, id).await;
            put(&store, obtained(id, "web", NOW)).await;
        }
        put(&store, obtained("ada", "app", NOW)).await;
        let revoked = |id: &'static str| {
            let store = store.clone();
            async move {
                let act = store.write(move |tx| {
                    Box::pin(async move {
                        tx.revoke_upstream_grants(&UserId::new(id), APPLE, NOW).await
                    })
                });
                act.await.unwrap()
            }
        };
        assert_eq!(revoked("ada").await, 2);
        assert_eq!(revoked("ada").await, 0);
        assert_eq!(only(&store, "grace").await.state, GrantState::Valid);
        let gone = store.write(|tx| {
            Box::pin(async move {
                let ada = UserId::new("ada");
                Ok::<_, StoreFault>([
                    tx.delete_upstream_grant(&ada, APPLE, "app").await?,
                    tx.delete_upstream_grant(&ada, APPLE, "app").await?,
                ])
            })
        });
        assert_eq!(gone.await.unwrap(), [true, false]);
        only(&store, "ada").await;
    }
}

#[tokio::test]
async fn a_job_says_how_it_stands_and_the_last_word_counts() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let running = JobState::new("daily_check".to_owned(), NOW);
        let stopped = JobState {
            condition: JobCondition::Stopped,
            resume_at: Some(NOW),
            detail: Some("the key".to_owned()),
            ..running.clone()
        };
        for state in [running, stopped] {
            let put = state.clone();
            let act = store.write(move |tx| Box::pin(async move { tx.put_job_state(&put).await }));
            act.await.unwrap();
            assert_eq!(store.find_job_state("daily_check").await.unwrap(), Some(state.clone()));
            assert_eq!(store.list_job_states().await.unwrap(), [state]);
        }
    }
}
