//! Turning the key of a connection to Apple: one follows another without an outage.

use super::{Actor, AdminError, Administration, ListedConnection};
use crate::protocol::admin::Role;
use crate::protocol::connection::ConnectionSettings;
use crate::protocol::secret::SecretString;

/// How an Apple key follows another without an outage.
#[derive(Clone, Debug)]
pub enum KeyTurn {
    /// This key is to follow. It is used as soon as Apple takes the active one no more.
    Stage {
        /// Its Key ID.
        key_id: String,
        /// Its `.p8` text.
        private_key: SecretString,
    },
    /// The next key becomes the active one, and the active one goes.
    Promote,
    /// The next key goes unused.
    Discard,
}

impl Administration {
    /// Lets an Apple key follow another.
    ///
    /// # Errors
    /// As [`Administration::update_connection`]; [`AdminError::Invalid`] also for a connection that
    /// is not Apple's and when there is no next key.
    pub async fn turn_connection_key(
        &self,
        actor: &Actor,
        id: &str,
        seen: Option<i32>,
        turn: KeyTurn,
    ) -> Result<ListedConnection, AdminError> {
        actor.must_be(Role::Admin)?;
        let kind = match &turn {
            KeyTurn::Stage { .. } => "connection.key_staged",
            KeyTurn::Promote => "connection.key_promoted",
            KeyTurn::Discard => "connection.key_discarded",
        };
        self.change(actor, id, seen, kind, |connection, secrets| {
            let ConnectionSettings::Apple(apple) = &mut connection.settings else {
                return Err(AdminError::invalid("id", "is not a connection to Apple"));
            };
            let none = || AdminError::invalid("next_key_id", "there is no next key");
            match turn {
                KeyTurn::Stage { key_id, private_key } => {
                    apple.next_key_id = Some(key_id);
                    secrets.next_private_key = Some(private_key);
                }
                KeyTurn::Promote => {
                    apple.key_id = apple.next_key_id.take().ok_or_else(none)?;
                    secrets.private_key = Some(secrets.next_private_key.take().ok_or_else(none)?);
                }
                KeyTurn::Discard => {
                    apple.next_key_id.take().ok_or_else(none)?;
                    secrets.next_private_key = None;
                }
            }
            Ok(())
        })
        .await
    }
}
