//! What a person changes of their own: name, sessions, apps.

use serde_json::json;

use crate::op::ending::{self, Ending, Reason};
use crate::op::interaction::Browser;
use crate::op::{Failure, Provider, signals};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ClientId, SessionId};

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

impl Provider {
    /// The person changes what they are called; from then on no upstream does. `false` when it
    /// cannot be a name.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours.
    pub async fn rename_account(
        &self,
        browser: &Browser,
        csrf: &str,
        name: &str,
    ) -> Result<bool, Failure> {
        let now = self.clock.now();
        let (_, user) = self.own_form(browser, csrf, now).await?;
        let name = name.trim().to_owned();
        let fits = 1..=LONGEST_NAME;
        if !fits.contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Ok(false);
        }
        let request_id = browser.request_id();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let Some(before) = tx.find_user(&user.id).await? else {
                        return Err(Refusal::access_denied("this account no longer exists").into());
                    };
                    tx.note_chosen_name(&before.id, now).await?;
                    if before.name.as_deref() == Some(name.as_str()) {
                        return Ok::<_, Failure>(());
                    }
                    let mut after = before.clone();
                    after.name = Some(name);
                    after.updated_at = now;
                    tx.update_user(&after).await?;
                    signals::profile_changed(tx, &before, &after, now).await?;
                    let event = Event::new(now, "user.renamed", format!("user:{}", after.id))
                        .target(after.id.to_string())
                        .request_id(request_id);
                    Ok(tx.record(&event).await?)
                })
            })
            .await?;
        self.doorbell.ring();
        Ok(true)
    }

    /// The person signs another browser of theirs out.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in, the form is not ours, or the session not theirs.
    pub async fn end_own_session(
        &self,
        browser: &Browser,
        csrf: &str,
        id: &SessionId,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let (_, user) = self.own_form(browser, csrf, now).await?;
        let session = self.store.find_session(id).await?;
        let session = session
            .filter(|session| session.user_id == user.id)
            .ok_or_else(|| Refusal::access_denied("this session is somebody else's"))?;
        self.close_session(session, Reason::Withdrawn, now).await?;
        self.doorbell.ring();
        Ok(())
    }

    /// The person takes an app's access away: its grants end, and it has to ask anew.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours.
    pub async fn revoke_own_app(
        &self,
        browser: &Browser,
        csrf: &str,
        client_id: &ClientId,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let (_, user) = self.own_form(browser, csrf, now).await?;
        let (client_id, request_id) = (client_id.clone(), browser.request_id());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut grants = 0_u64;
                    for grant in tx.list_grants_of(&user.id, &client_id, now).await? {
                        let ending = Ending::Grant(grant.id);
                        grants += ending::end(tx, &ending, Reason::Withdrawn, now).await?.grants;
                    }
                    let consented = tx.delete_consent(&user.id, &client_id).await?;
                    if grants == 0 && !consented {
                        return Ok::<_, Failure>(());
                    }
                    let event = Event::new(now, "consent.withdrawn", format!("user:{}", user.id))
                        .target(client_id.to_string())
                        .request_id(request_id)
                        .detail(json!({ "grants": grants }));
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }
}
