//! The strict rule for linking by address, where an operator wants it — apple.md §12, item 4.
//!
//! The rule is `protocol/address_linking.rs`. It is asked twice: before the act, to know whose row
//! an upstream's token is sealed for, and inside it, with the person held.

use super::{Fault, Provider};
use crate::protocol::address_linking::{Newcomer, may_join, proven_address};
use crate::protocol::id::{ConnectionId, UserId};
use crate::protocol::user::User;
use crate::store::{StoreFault, WriteTx};

/// The account that somebody unknown is about to join, and the connections that were trusted with
/// addresses when it was found.
#[derive(Clone)]
pub(super) struct ByAddress {
    pub(super) account: UserId,
    switched_on: Vec<ConnectionId>,
}

impl Provider {
    /// The address by which somebody new may join an account, as the operator wants it.
    pub(super) fn joining_address(&self, newcomer: Newcomer<'_>) -> Option<String> {
        let connectors = self.connectors();
        let mut trusted = connectors.iter().filter(|one| one.link_by_verified_email());
        let is_trusted = trusted.any(|connector| connector.id() == newcomer.connection);
        is_trusted.then(|| proven_address(newcomer.profile)).flatten()
    }

    /// The one account that the newcomer may join. Of two with the same address neither is it.
    pub(super) async fn account_of_address(
        &self,
        newcomer: Newcomer<'_>,
    ) -> Result<Option<ByAddress>, Fault> {
        let connectors = self.connectors();
        let trusted = connectors.iter().filter(|connector| connector.link_by_verified_email());
        let switched_on: Vec<_> = trusted.map(|connector| connector.id().clone()).collect();
        if !switched_on.contains(newcomer.connection) {
            return Ok(None);
        }
        let Some(address) = proven_address(newcomer.profile) else { return Ok(None) };
        let found = self.store.find_people_by_address(&address).await?;
        let [only] = found.as_slice() else { return Ok(None) };
        let identities = self.store.list_identities(&only.id).await?;
        let may = may_join(newcomer, only, &identities, &switched_on);
        Ok(may.ok().map(|()| ByAddress { account: only.id.clone(), switched_on }))
    }
}

impl ByAddress {
    /// Whether it still may be joined, now that it is held.
    pub(super) async fn stands(
        &self,
        tx: &WriteTx,
        newcomer: Newcomer<'_>,
        held: Option<&User>,
    ) -> Result<bool, StoreFault> {
        let Some(user) = held else { return Ok(false) };
        let identities = tx.list_identities(&user.id).await?;
        Ok(may_join(newcomer, user, &identities, &self.switched_on).is_ok())
    }
}
