//! Journeys to an upstream that begin at the console: to sign in, to bind an identity to an account,
//! to prove oneself again. Here the identity is only met, and no person comes of it; what it may do
//! at the console is decided in `admin/upstream_identities.rs`.

use serde::{Deserialize, Serialize};

use super::interaction::Browser;
use super::login::{Errand, Journey};
use super::session_opening::auth_time;
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::id::ConnectionId;
use crate::upstream::{Callback, Trip, UpstreamIdentity};

/// What a browser left the console for, and where it was going.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsoleErrand {
    /// What shall be done with the identity.
    pub act: ConsoleAct,
    /// The page that was asked for.
    pub next: String,
    /// The form that was sent there, without secrets; empty if none.
    pub kept: String,
}

/// What shall be done with the identity that comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsoleAct {
    /// It signs in.
    SignIn,
    /// It is bound to the account of whoever is signed in in this session.
    Bind {
        /// The session's name.
        session: String,
    },
    /// It proves who sits there in this session.
    Prove {
        /// The session's name.
        session: String,
    },
    /// It is bound to the account that this invitation is for, and signs in.
    Accept {
        /// Where the invitation is parked.
        invitation: String,
    },
}

/// Who came back to the console.
pub struct FromUpstream {
    /// What for.
    pub errand: ConsoleErrand,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// Who the upstream says it is.
    pub identity: UpstreamIdentity,
    /// When they proved it there.
    pub auth_time: Timestamp,
}

impl Provider {
    /// Sends a browser of the console to an upstream.
    ///
    /// # Errors
    /// `invalid_request` without cookies or for an unknown connection; what the connector says.
    pub async fn depart_from_console(
        &self,
        errand: ConsoleErrand,
        connection: &ConnectionId,
        browser: &Browser,
    ) -> Result<String, Failure> {
        let binding = browser.binding_hash().cloned().ok_or_else(|| {
            Refusal::invalid_request("cookies are disabled, or were removed meanwhile")
        })?;
        let journey = Journey {
            // Whoever binds or proves shows that the identity is theirs now.
            reauthenticate: errand.act != ConsoleAct::SignIn,
            errand: Errand::Console(errand),
            browser: binding,
            login_hint: None,
        };
        self.send_off(journey, connection).await
    }

    pub(super) async fn meet_for_console(
        &self,
        errand: &ConsoleErrand,
        connection_id: &ConnectionId,
        trip: &Trip,
        callback: &Callback,
    ) -> Result<FromUpstream, Failure> {
        let identity = self.meet(connection_id, trip, callback, self.clock.now()).await?;
        Ok(FromUpstream {
            errand: errand.clone(),
            connection_id: connection_id.clone(),
            auth_time: auth_time(trip, &identity, self.clock.now()),
            identity,
        })
    }
}
