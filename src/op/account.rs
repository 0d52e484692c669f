//! What a signed-in person sees of their own.

use super::authorize::display_name;
use super::interaction::Browser;
use super::{Failure, Provider};
use crate::protocol::session::Session;
use crate::protocol::user::{Identity, User};

/// A person's own page.
pub struct Account {
    /// The person.
    pub user: User,
    /// What to call them.
    pub display_name: String,
    /// What they sign in with.
    pub identities: Vec<Identity>,
    /// The session they look at it from.
    pub session: Session,
    /// Proves that a form was made for this session.
    pub csrf: String,
}

impl Provider {
    /// The account behind a browser, if somebody is signed in.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn account(&self, browser: &Browser) -> Result<Option<Account>, Failure> {
        let now = self.clock.now();
        let Some((session, user)) = self.signed_in(browser, now).await? else { return Ok(None) };
        let identities = self.store.list_identities(&user.id).await?;
        Ok(Some(Account {
            display_name: display_name(&user),
            csrf: self.logout_csrf(&session),
            identities,
            session,
            user,
        }))
    }
}
