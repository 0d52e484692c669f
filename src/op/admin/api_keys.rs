//! Keys of the admin API: made by an owner, shown once, good for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Actor, AdminError, Administration, FieldProblem, ListQuery, Page, checked, key_actor};
use crate::protocol::admin::Role;
use crate::protocol::ambient::random;
use crate::protocol::api_key::{ApiKey, ApiScope, PREFIX};
use crate::protocol::id::UserId;
use crate::protocol::secret::{SealError, SecretString};
use crate::store::StoreFault;
use crate::store::single_use::SingleUse;

/// The longest life of a key.
pub const LONGEST_DAYS: u32 = 366;
/// The use of a key is noted at most this often.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// How long an answer is kept for its idempotency key.
const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// What a request with an idempotency key finds.
pub enum Repeated {
    /// It is the first: do it, and keep the answer.
    First,
    /// The same request is being answered at this moment.
    UnderWay,
    /// Another request came under this key.
    Other,
    /// The same request was answered so.
    Answered(KeptAnswer),
}

/// An answer as it was given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// `Location`, if there was one.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    fingerprint: String,
    answer: Option<KeptAnswer>,
}

impl Administration {
    /// Makes a key. Its secret is in the answer and nowhere else. One that is made by another key
    /// holds no scope that the other lacks, ends with it at the latest, and is revoked with it.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a key without a name, a scope or a sound end.
    pub async fn create_api_key(
        &self,
        actor: &Actor,
        name: &str,
        scope: Vec<ApiScope>,
        days: u32,
    ) -> Result<(ApiKey, SecretString), AdminError> {
        use base64::Engine as _;
        actor.must_be(Role::Owner)?;
        let name = name.trim();
        let mut problems = Vec::new();
        if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
            problems.push(FieldProblem::new("key_name", "must be 1 to 80 characters"));
        }
        if scope.is_empty() {
            problems.push(FieldProblem::new("key_scope", "must hold at least one"));
        }
        let mut all = scope.iter().enumerate();
        if all.any(|(place, one)| scope.iter().take(place).any(|before| before == one)) {
            problems.push(FieldProblem::new("key_scope", "must name each once"));
        }
        if days == 0 || days > LONGEST_DAYS {
            problems.push(FieldProblem::new("key_days", "must be 1 to 366"));
        }
        let now = self.clock.now();
        let mut expires_at = now.plus(Duration::from_secs(u64::from(days) * 24 * 3600));
        if let Some(maker) = &actor.key {
            for more in scope.iter().filter(|scope| !maker.scope.contains(scope)) {
                let message = format!("{} is more than the key has that makes it", more.as_str());
                problems.push(FieldProblem::new("key_scope", message));
            }
            expires_at = expires_at.min(maker.expires_at);
        }
        checked(problems)?;
        let secret = SecretString::random(self.entropy.as_ref());
        let secret = SecretString::new(format!("{PREFIX}{}", secret.expose()));
        let id = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(random::<9>(self.entropy.as_ref()));
        let key = ApiKey {
            id,
            name: name.to_owned(),
            hash: self.vault.hash(secret.expose()),
            scope,
            created_by: actor.name.clone(),
            created_at: now,
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let event = actor
            .event(now, "api_key.created", &key.id)
            .detail(json!({ "name": key.name, "scope": key.scope, "days": days }));
        let stored = key.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_api_key(&stored).await?;
                    Ok::<_, AdminError>(tx.record(&event).await?)
                })
            })
            .await?;
        Ok((key, secret))
    }

    /// Every key, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_api_keys(&self) -> Result<Vec<ApiKey>, AdminError> {
        Ok(self.store.list_api_keys().await?)
    }

    /// Keys by pages, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn page_of_api_keys(&self, query: &ListQuery) -> Result<Page<ApiKey>, AdminError> {
        Ok(self.store.page_of_api_keys(query).await?)
    }

    /// A key that is good.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there or not alive.
    pub async fn living_api_key(&self, id: &str) -> Result<ApiKey, AdminError> {
        let found = self.store.find_api_key_by_id(id).await?;
        found.filter(|key| key.is_alive(self.clock.now())).ok_or(AdminError::NotFound)
    }

    /// The key with this id, revoked or not.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] without one.
    pub async fn api_key(&self, id: &str) -> Result<ApiKey, AdminError> {
        self.store.find_api_key_by_id(id).await?.ok_or(AdminError::NotFound)
    }

    /// Revokes a key at once, with those that were made by it.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not alive.
    pub async fn revoke_api_key(&self, actor: &Actor, id: &str) -> Result<(), AdminError> {
        actor.must_be(Role::Owner)?;
        let now = self.clock.now();
        let (actor, id) = (actor.clone(), id.to_owned());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.revoke_api_key(&id, now).await? {
                        return Err(AdminError::NotFound);
                    }
                    let keys = tx.list_api_keys().await?;
                    let mut revoked = vec![id];
                    while let Some(id) = revoked.pop() {
                        tx.record(&actor.event(now, "api_key.revoked", &id)).await?;
                        let maker = key_actor(&id);
                        for key in keys.iter().filter(|key| key.created_by == maker) {
                            if tx.revoke_api_key(&key.id, now).await? {
                                revoked.push(key.id.clone());
                            }
                        }
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The key with this secret, while it is good.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn find_api_key(&self, secret: &str) -> Result<Option<ApiKey>, AdminError> {
        let now = self.clock.now();
        let key = self.store.find_api_key(&self.vault.hash(secret)).await?;
        let Some(key) = key.filter(|key| key.is_alive(now)) else { return Ok(None) };
        if key.last_used_at.is_none_or(|at| now.since(at) >= TOUCH_EVERY) {
            let id = key.id.clone();
            self.store
                .write(move |tx| {
                    Box::pin(async move { Ok::<_, AdminError>(tx.touch_api_key(&id, now).await?) })
                })
                .await?;
        }
        Ok(Some(key))
    }

    /// Claims an idempotency key for a request, or tells what became of the one before.
    ///
    /// # Errors
    /// The store's fault, or the vault's.
    pub async fn begin_once(
        &self,
        api_key: &str,
        idempotency_key: &str,
        request: &str,
    ) -> Result<Repeated, AdminError> {
        let now = self.clock.now();
        let key = self.once_key(api_key, idempotency_key);
        let fingerprint = self.vault.hash(request).to_text();
        let kept = Kept { fingerprint: fingerprint.clone(), answer: None };
        let sealed = self.seal_kept(&key, &kept)?;
        let parked = key.clone();
        let claimed = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let until = now.plus(ANSWERS_KEPT);
                    tx.unpark_expired(SingleUse::Idempotency, &parked, now).await?;
                    tx.park(SingleUse::Idempotency, &parked, &sealed, until, now).await
                })
            })
            .await;
        match claimed {
            Ok(()) => return Ok(Repeated::First),
            Err(StoreFault::Conflict(_)) => {}
            Err(fault) => return Err(fault.into()),
        }
        let found = self.store.find_parked(SingleUse::Idempotency, &key).await?;
        let Some(found) = found else { return Ok(Repeated::UnderWay) };
        // What a data key sealed that is gone meanwhile is known no more.
        let Ok(plain) = self.vault.open(&once_binding(&key), &found.payload) else {
            return Ok(Repeated::UnderWay);
        };
        let kept: Kept =
            serde_json::from_slice(plain.expose()).map_err(|_| SealError::DoesNotOpen)?;
        Ok(match kept.answer {
            _ if kept.fingerprint != fingerprint => Repeated::Other,
            None => Repeated::UnderWay,
            Some(answer) => Repeated::Answered(answer),
        })
    }

    /// Keeps the answer to a request that [`Repeated::First`] let through, for a day; about whom it
    /// is, it goes with.
    ///
    /// # Errors
    /// The store's fault, or the vault's.
    pub async fn keep_answer(
        &self,
        api_key: &str,
        idempotency_key: &str,
        request: &str,
        answer: KeptAnswer,
        about: Option<&UserId>,
    ) -> Result<(), AdminError> {
        let now = self.clock.now();
        let key = self.once_key(api_key, idempotency_key);
        let fingerprint = self.vault.hash(request).to_text();
        let sealed = self.seal_kept(&key, &Kept { fingerprint, answer: Some(answer) })?;
        let about = about.cloned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    // Whoever is gone by now is told of no more, here as elsewhere.
                    if let Some(user) = about {
                        if tx.hold_user(&user).await?.is_none() {
                            return Ok(tx.unpark(SingleUse::Idempotency, &key).await?);
                        }
                        tx.park_about(SingleUse::Idempotency, &key, &user).await?;
                    }
                    tx.repark(SingleUse::Idempotency, &key, &sealed, now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Frees an idempotency key whose request was refused and did nothing.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn forget_once(
        &self,
        api_key: &str,
        idempotency_key: &str,
    ) -> Result<(), AdminError> {
        let key = self.once_key(api_key, idempotency_key);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.unpark(SingleUse::Idempotency, &key).await?;
                    Ok(())
                })
            })
            .await
    }

    fn seal_kept(&self, key: &str, kept: &Kept) -> Result<Vec<u8>, AdminError> {
        let plain = serde_json::to_vec(kept).map_err(|_| SealError::DoesNotOpen)?;
        Ok(self.vault.seal(&once_binding(key), &plain)?)
    }

    fn once_key(&self, api_key: &str, idempotency_key: &str) -> String {
        self.vault.hash(&format!("once:{api_key}:{idempotency_key}")).to_text()
    }
}

fn once_binding(key: &str) -> String {
    format!("single_use:idempotency:{key}")
}
