//! Passkeys — WebAuthn Level 3: ceremonies as the relying party. A challenge is kept here, for the
//! browser that asked, and is answered once.
//!
//! User verification is required, so that a passkey is two factors by itself; and it must be
//! discoverable, so that nobody types a name.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey as Credential, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};
use webauthn_rs_proto::options::ResidentKeyRequirement;

use crate::protocol::ambient::{Entropy, Timestamp};
use crate::protocol::id::Holder;
use crate::protocol::passkey::Passkey;
use crate::protocol::secret::{SealError, SecretString, Vault};
use crate::store::single_use::SingleUse;
use crate::store::{Store, StoreFault, WriteTx};

/// How long a challenge waits.
const WAITS: Duration = Duration::from_secs(5 * 60);
/// Longest name of a passkey.
pub const LONGEST_NAME: usize = 60;

/// The relying party that this issuer is.
#[derive(Clone)]
pub struct RelyingParty {
    webauthn: Arc<Webauthn>,
    store: Store,
    vault: Arc<Vault>,
    entropy: Arc<dyn Entropy>,
}

/// What a browser is asked.
pub struct Challenge {
    /// Names the challenge in the answer.
    pub handle: String,
    /// The options, as `PublicKeyCredential.parse…OptionsFromJSON` reads them.
    pub options: serde_json::Value,
}

/// What an answer to a challenge proves.
pub enum Answer {
    /// That this passkey is there.
    Signed(Signed),
    /// That two of this passkey are about: it has counted further before (WebAuthn §6.1.1).
    Cloned(Passkey),
    /// Nothing.
    Wrong,
}

/// A passkey that has just signed its challenge; taking it counts.
pub struct Signed {
    /// The passkey as it was found.
    pub passkey: Passkey,
    credential: String,
    counter: u32,
}

impl Signed {
    /// Notes the use and forgets wrong codes before it; `false` when another signature counted
    /// that far meanwhile, or the passkey is gone.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn take(&self, tx: &WriteTx, now: Timestamp) -> Result<bool, StoreFault> {
        let Passkey { id, holder, .. } = &self.passkey;
        let taken = tx.use_passkey(id, self.counter, &self.credential, now).await?;
        if taken {
            tx.forget_factor_tries(holder).await?;
        }
        Ok(taken)
    }
}

impl RelyingParty {
    /// For an issuer with a name; `None` for one that is an address, which no browser takes
    /// (WebAuthn §5.1.2).
    pub fn of_issuer(
        issuer: &str,
        store: Store,
        vault: Arc<Vault>,
        entropy: Arc<dyn Entropy>,
    ) -> Option<Self> {
        let url = Url::parse(issuer).ok()?;
        let Some(Host::Domain(host)) = url.host() else { return None };
        let webauthn = WebauthnBuilder::new(host, &url).ok()?.rp_name("Russet").build().ok()?;
        Some(Self { webauthn: Arc::new(webauthn), store, vault, entropy })
    }

    /// Asks for a new passkey. `user` is 128 bits that name the holder to the authenticator,
    /// `known` are those there are.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn begin_registration<E: From<StoreFault> + From<SealError>>(
        &self,
        proof: &str,
        user: &str,
        name: &str,
        known: &[Passkey],
        now: Timestamp,
    ) -> Result<Option<Challenge>, E> {
        let Some(user) = user_handle(user) else { return Ok(None) };
        let known = known.iter().filter_map(|passkey| URL_SAFE_NO_PAD.decode(&passkey.id).ok());
        let begun =
            self.webauthn.start_passkey_registration(user, name, name, Some(known.collect()));
        let Ok((mut options, state)) = begun else { return Ok(None) };
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            selection.resident_key = Some(ResidentKeyRequirement::Required);
            selection.require_resident_key = true;
        }
        self.keep(proof, &state, &options.public_key, now).await.map(Some)
    }

    /// The new passkey, if the answer is to the challenge and rightly signed.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn finish_registration<E: From<StoreFault> + From<SealError>>(
        &self,
        proof: &str,
        handle: &str,
        answer: &str,
        holder: &Holder,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<Passkey>, E> {
        let state = self.spend::<PasskeyRegistration, E>(proof, handle, now).await?;
        let answer = serde_json::from_str::<RegisterPublicKeyCredential>(answer);
        let (Some(state), Ok(answer)) = (state, answer) else { return Ok(None) };
        let made = self.webauthn.finish_passkey_registration(&answer, &state);
        let Ok(made) = made.inspect_err(|error| refused(error)) else { return Ok(None) };
        let Ok(credential) = serde_json::to_string(&made) else { return Ok(None) };
        Ok(Some(Passkey {
            id: URL_SAFE_NO_PAD.encode(made.cred_id()),
            holder: holder.clone(),
            name: name.to_owned(),
            credential,
            counter: 0,
            created_at: now,
            last_used_at: None,
        }))
    }

    /// Asks for any passkey of ours.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn begin_authentication<E: From<StoreFault> + From<SealError>>(
        &self,
        proof: &str,
        now: Timestamp,
    ) -> Result<Option<Challenge>, E> {
        let begun = self.webauthn.start_discoverable_authentication();
        let Ok((options, state)) = begun else { return Ok(None) };
        self.keep(proof, &state, &options.public_key, now).await.map(Some)
    }

    /// What the answer proves. The holder is whoever the key belongs to here, and the authenticator
    /// must name the same.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn finish_authentication<E: From<StoreFault> + From<SealError>>(
        &self,
        proof: &str,
        handle: &str,
        answer: &str,
        now: Timestamp,
    ) -> Result<Answer, E> {
        let state = self.spend::<DiscoverableAuthentication, E>(proof, handle, now).await?;
        let answer = serde_json::from_str::<PublicKeyCredential>(answer);
        let (Some(state), Ok(answer)) = (state, answer) else { return Ok(Answer::Wrong) };
        let Ok((user, id)) = self.webauthn.identify_discoverable_authentication(&answer) else {
            return Ok(Answer::Wrong);
        };
        let found = self.store.find_passkey(&URL_SAFE_NO_PAD.encode(id)).await?;
        let found = found.filter(|passkey| user_handle(passkey.holder.id()) == Some(user));
        let Some(passkey) = found else { return Ok(Answer::Wrong) };
        let Ok(mut credential) = serde_json::from_str::<Credential>(&passkey.credential) else {
            return Ok(Answer::Wrong);
        };
        let finished =
            self.webauthn.finish_discoverable_authentication_v2(&answer, state, &credential);
        let result = match finished {
            Ok(result) => result,
            // The last of the library's checks: the signature was right.
            Err(WebauthnError::CredentialPossibleCompromise) => return Ok(Answer::Cloned(passkey)),
            Err(error) => {
                refused(&error);
                return Ok(Answer::Wrong);
            }
        };
        credential.update_credential(&result);
        let Ok(credential) = serde_json::to_string(&credential) else { return Ok(Answer::Wrong) };
        Ok(Answer::Signed(Signed { passkey, credential, counter: result.counter() }))
    }

    async fn keep<E: From<StoreFault> + From<SealError>>(
        &self,
        proof: &str,
        state: &impl Serialize,
        options: &impl Serialize,
        now: Timestamp,
    ) -> Result<Challenge, E> {
        let shape = |_| SealError::DoesNotOpen;
        let handle = SecretString::random(self.entropy.as_ref()).expose().clone();
        let key = self.key(proof, &handle);
        let state = serde_json::to_vec(state).map_err(shape)?;
        let options = serde_json::to_value(options).map_err(shape)?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::PasskeyChallenge, &key, &state, now.plus(WAITS), now).await
                })
            })
            .await?;
        Ok(Challenge { handle, options })
    }

    async fn spend<S: DeserializeOwned, E: From<StoreFault>>(
        &self,
        proof: &str,
        handle: &str,
        now: Timestamp,
    ) -> Result<Option<S>, E> {
        let key = self.key(proof, handle);
        let spent: Option<Vec<u8>> = self
            .store
            .write(move |tx| {
                Box::pin(async move { tx.spend(SingleUse::PasskeyChallenge, &key, now).await })
            })
            .await
            .map_err(|fault: StoreFault| E::from(fault))?;
        Ok(spent.and_then(|state| serde_json::from_slice(&state).ok()))
    }

    fn key(&self, proof: &str, handle: &str) -> String {
        self.vault.hash(&format!("passkey:{proof}:{handle}")).to_text()
    }
}

fn refused(error: &dyn std::fmt::Display) {
    tracing::info!(%error, "a passkey was refused");
}

/// An id of ours as WebAuthn's user handle: both are 128 bits.
fn user_handle(id: &str) -> Option<Uuid> {
    Uuid::from_slice(&URL_SAFE_NO_PAD.decode(id).ok()?).ok()
}
