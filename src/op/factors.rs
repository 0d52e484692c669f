//! Second factors — RFC 6238, OWASP ASVS 5.0 §6.5: one-time codes and recovery codes, each good once.
//! The same for console accounts and for people who sign in with a password kept here.
//!
//! Whoever asks for a proof first takes a try ([`Factors::take_try`]), in an act of its own: a guess
//! counts before it is looked at.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::protocol::ambient::{Entropy, Timestamp};
use crate::protocol::id::Holder;
use crate::protocol::secret::{SealError, Secret, SecretHash, SecretString, Vault};
use crate::protocol::totp::{TotpSecret, TypedCode, recovery_codes};
use crate::store::factors::HeldFactors;
use crate::store::{Store, StoreFault, WriteTx};

/// Wrong codes that one account may send within [`TRIES_WINDOW`]: at this pace, guessing one code
/// of six digits takes three quarters of a year for an even chance, and leaves its marks in the
/// audit log all the while.
const TRIES: u32 = 5;
const TRIES_WINDOW: Duration = Duration::from_secs(15 * 60);
/// How long an enrolment page stays good.
const ENROLMENT: Duration = Duration::from_secs(15 * 60);

/// What acts on second factors. Cheap to clone.
#[derive(Clone)]
pub struct Factors {
    store: Store,
    vault: Arc<Vault>,
    entropy: Arc<dyn Entropy>,
}

/// An enrolment under way: nothing is stored until a code proves that the app has the secret.
pub struct Enrolment {
    /// The new secret.
    pub secret: TotpSecret,
    /// The same, sealed for the form that confirms it.
    pub sealed: String,
}

/// A code that may be right; taking it decides.
pub enum Candidate {
    /// A one-time code of this step, of this sealed secret.
    Totp {
        /// The secret as it was found.
        sealed: Vec<u8>,
        /// The code's time step.
        step: i64,
    },
    /// A recovery code's hash.
    Recovery(SecretHash),
}

impl Candidate {
    /// The method (RFC 8176 has none for recovery codes).
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Totp { .. } => "otp",
            Self::Recovery(_) => "recovery",
        }
    }

    /// Takes the code, once, and forgets the wrong ones before it.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn take(&self, tx: &WriteTx, holder: &Holder) -> Result<bool, StoreFault> {
        let taken = match self {
            Self::Totp { sealed, step } => tx.use_totp_step(holder, sealed, *step).await?,
            Self::Recovery(hash) => tx.spend_recovery_code(holder, hash).await?,
        };
        if taken {
            tx.forget_factor_tries(holder).await?;
        }
        Ok(taken)
    }
}

impl Factors {
    /// Over this store, sealed by this vault.
    pub fn new(store: Store, vault: Arc<Vault>, entropy: Arc<dyn Entropy>) -> Self {
        Self { store, vault, entropy }
    }

    /// What somebody has besides a password.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn held(&self, holder: &Holder) -> Result<HeldFactors, StoreFault> {
        self.store.held_factors(holder).await
    }

    /// Counts a try; `false` when there were too many.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn take_try(&self, holder: &Holder, now: Timestamp) -> Result<bool, StoreFault> {
        let holder = holder.clone();
        let window_start = now.minus(TRIES_WINDOW);
        self.store
            .write(move |tx| {
                Box::pin(async move { tx.take_factor_try(&holder, now, window_start, TRIES).await })
            })
            .await
    }

    /// What the typed code may be; `None` when it is certainly wrong.
    ///
    /// # Errors
    /// The store's fault, or the vault's.
    pub async fn candidate<E: From<StoreFault> + From<SealError>>(
        &self,
        holder: &Holder,
        typed: &str,
        now: Timestamp,
    ) -> Result<Option<Candidate>, E> {
        match TypedCode::read(typed) {
            TypedCode::Recovery(code) => Ok(Some(Candidate::Recovery(self.recovery_hash(&code)))),
            TypedCode::Totp(code) => {
                let Some(stored) = self.store.find_totp(holder).await? else { return Ok(None) };
                let secret = TotpSecret::new(self.vault.open(&bound_to(holder), &stored.sealed)?);
                let step = secret.step_of(code.expose(), now);
                Ok(step.map(|step| Candidate::Totp { sealed: stored.sealed, step }))
            }
        }
    }

    /// Begins an enrolment whose form is good for whoever holds `proof`, such as a session's
    /// cookie.
    ///
    /// # Errors
    /// The vault's.
    pub fn begin_totp(
        &self,
        holder: &Holder,
        proof: &str,
        now: Timestamp,
    ) -> Result<Enrolment, SealError> {
        let secret = TotpSecret::random(self.entropy.as_ref());
        let plain = Secret::new([&now.millis().to_be_bytes(), secret.expose()].concat());
        let sealed = self.vault.seal(&self.enrolment_of(holder, proof), plain.expose())?;
        Ok(Enrolment { secret, sealed: URL_SAFE_NO_PAD.encode(sealed) })
    }

    /// The enrolment of a form; `None` when it is too old or somebody else's.
    pub fn enrolment(
        &self,
        holder: &Holder,
        proof: &str,
        sealed: &str,
        now: Timestamp,
    ) -> Option<Enrolment> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let plain = self.vault.open(&self.enrolment_of(holder, proof), &bytes).ok()?;
        let (begun, secret) = plain.expose().split_first_chunk::<8>()?;
        let begun = Timestamp::from_millis(i64::from_be_bytes(*begun));
        let fresh = begun <= now && now < begun.plus(ENROLMENT);
        fresh.then(|| Enrolment {
            secret: TotpSecret::new(Secret::new(secret.to_vec())),
            sealed: sealed.to_owned(),
        })
    }

    /// The secret as it is stored.
    ///
    /// # Errors
    /// The vault's.
    pub fn seal_totp(&self, holder: &Holder, secret: &TotpSecret) -> Result<Vec<u8>, SealError> {
        self.vault.seal(&bound_to(holder), secret.expose())
    }

    /// New recovery codes: as they are shown, and as they are stored.
    pub fn new_recovery_codes(&self) -> (Vec<SecretString>, Vec<SecretHash>) {
        let codes = recovery_codes(self.entropy.as_ref());
        let hash = |code: &SecretString| match TypedCode::read(code.expose()) {
            TypedCode::Totp(plain) | TypedCode::Recovery(plain) => self.recovery_hash(&plain),
        };
        let hashes = codes.iter().map(hash).collect();
        (codes, hashes)
    }

    fn recovery_hash(&self, plain: &SecretString) -> SecretHash {
        self.vault.hash(&format!("recovery_code:{}", plain.expose()))
    }

    fn enrolment_of(&self, holder: &Holder, proof: &str) -> String {
        let proof = self.vault.hash(&format!("totp_enrolment:{proof}")).to_text();
        format!("totp_enrolment:{}:{proof}", holder.as_str())
    }
}

fn bound_to(holder: &Holder) -> String {
    format!("second_factors:{}", holder.as_str())
}
