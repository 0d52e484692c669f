//! How an authorization request is answered: a code, or an error — RFC 6749 §4.1.2, OIDC Core
//! §3.1.2.5, §3.1.2.6. Whatever waits is spent in the same transaction.

use super::authorize::Next;
use super::interaction::{Interaction, Situation};
use super::pushed_authorization::claim_answer;
use super::token::authorization_code::IssuedCode;
use super::{Failure, Provider, trace};
use crate::protocol::ambient::Timestamp;
use crate::protocol::authorization_response::ReturnTo;
use crate::protocol::error::Refusal;
use crate::protocol::grant::GrantTerms;
use crate::protocol::id::{GrantId, InteractionId};
use crate::protocol::secret::SecretString;
use crate::protocol::session::Session;
use crate::protocol::sign_in::Step as Noted;
use crate::protocol::user::User;
use crate::store::single_use::SingleUse;

impl Provider {
    /// Spends the interaction and answers the client with an error.
    pub(super) async fn refuse(
        &self,
        id: &InteractionId,
        interaction: &Interaction,
        failure: Failure,
    ) -> Result<Next, Failure> {
        if let Failure::Refused(refusal) = &failure {
            tracing::info!(
                error = %refusal.code,
                description = refusal.description,
                detail = refusal.detail,
                client_id = %interaction.client_id,
                "authorization request refused"
            );
        }
        let now = self.clock.now();
        let key = id.to_string();
        let pushed = interaction.pushed.clone();
        let (sign_in, why) = (interaction.sign_in.clone(), trace::failure(&failure));
        let spent = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let spent = tx.spend(SingleUse::Interaction, &key, now).await?.is_some();
                    if spent {
                        trace::note(tx, sign_in.as_deref(), Noted::Refused, why, now).await?;
                    }
                    Ok::<_, Failure>(spent && claim_answer(tx, pushed.as_deref(), now).await?)
                })
            })
            .await?;
        if !spent {
            return Err(finished().into());
        }
        self.answer_failure(&interaction.request.return_to, failure)
    }

    pub(super) fn answer_failure(
        &self,
        return_to: &ReturnTo,
        failure: Failure,
    ) -> Result<Next, Failure> {
        match failure {
            Failure::Refused(refusal) => Ok(Next::Answer(return_to.error(&self.issuer, &refusal))),
            Failure::Fault(fault) => {
                tracing::error!(%fault, "authorization request failed");
                let refusal = Refusal::server_error("the provider failed; try again later");
                Ok(Next::Answer(return_to.error(&self.issuer, &refusal)))
            }
        }
    }

    /// Hands out a code. An interaction is spent in the same transaction, so two tabs or a double
    /// click get one code.
    pub(super) async fn issue(
        &self,
        id: Option<&InteractionId>,
        interaction: &Interaction,
        situation: &Situation,
        (session, user): &(Session, User),
        now: Timestamp,
    ) -> Result<Next, Failure> {
        let request = &interaction.request;
        let code = SecretString::random(self.entropy.as_ref());
        let issued = IssuedCode {
            sign_in: interaction.sign_in.clone(),
            grant_id: GrantId::random(self.entropy.as_ref()),
            client_id: interaction.client_id.clone(),
            user_id: user.id.clone(),
            session_id: session.id.clone(),
            connection_id: session.connection_id.clone(),
            redirect_uri: request
                .redirect_uri_given
                .then(|| request.return_to.redirect_uri.clone()),
            code_challenge: request.code_challenge.clone(),
            dpop_jkt: request.dpop_jkt.clone(),
            terms: GrantTerms {
                sub: self.sub_for(&situation.client, user),
                scope: situation.access.scope.clone(),
                resources: situation.access.resources.clone(),
                auth_time: session.auth_time,
                amr: session.amr.clone(),
                nonce: request.nonce.clone(),
                claims: situation.claims.clone(),
                cnf: None,
            },
        };
        let payload = serde_json::to_vec(&issued)?;
        let key = self.vault.hash(code.expose()).to_text();
        let profile = self.profile_of(&situation.client);
        let expires_at = now.plus(profile.code_ttl(self.policy.authorization_code_ttl));
        let pushed = interaction.pushed.clone();
        let id = id.map(ToString::to_string);
        let sign_in = interaction.sign_in.clone();
        let answered = serde_json::json!({
            "client_id": interaction.client_id,
            "user": user.id,
            "sid": session.id,
        });
        let seen = session.id.clone();
        let parked: Result<(), Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(id) = id
                        && tx.spend(SingleUse::Interaction, &id, now).await?.is_none()
                    {
                        return Ok::<_, Failure>(Err(finished()));
                    }
                    if !claim_answer(tx, pushed.as_deref(), now).await? {
                        return Ok(Err(finished()));
                    }
                    tx.park(SingleUse::AuthorizationCode, &key, &payload, expires_at, now).await?;
                    tx.note_sighting(&seen, None, now).await?;
                    trace::note(tx, sign_in.as_deref(), Noted::CodeIssued, answered, now).await?;
                    Ok(Ok(()))
                })
            })
            .await?;
        parked?;
        let session_state = self.session_state(interaction, session);
        Ok(Next::Answer(request.return_to.success(&self.issuer, code.expose(), session_state)))
    }
}

fn finished() -> Refusal {
    Refusal::invalid_request("this sign-in is unknown, expired or finished")
}
