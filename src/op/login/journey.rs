//! A journey to an upstream: what it is for, and where it leads.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::op::Failure;
use crate::op::branding::ClientLook;
use crate::op::console_journeys::{ConsoleErrand, FromUpstream};
use crate::op::fresh_proof::{Proven, ProvenFor};
use crate::protocol::id::{ConnectionId, InteractionId, SessionId};
use crate::protocol::secret::SecretString;
use crate::upstream::Trip;

/// A journey that was parked, sealed: `nonce` and verifier are in it.
#[derive(Serialize, Deserialize)]
pub(super) struct Departure {
    pub(super) errand: Errand,
    pub(super) connection: ConnectionId,
    pub(super) browser: String,
    pub(super) trip: Trip,
}

/// What a journey is for.
#[derive(Serialize, Deserialize)]
pub(in crate::op) enum Errand {
    /// This request waits for somebody to sign in.
    SignIn(InteractionId),
    /// Whoever is signed in in this session adds an identity.
    Link(SessionId),
    /// Somebody is under way from the console.
    Console(ConsoleErrand),
    /// Whoever is signed in in this session proves once more who they are, for this page.
    Prove(SessionId, ProvenFor),
}

/// Where a journey led.
pub enum Arrived {
    /// Somebody is signed in.
    SignedIn(Welcome),
    /// Somebody who was signed in has a further identity.
    Linked,
    /// Somebody is back at the console.
    Console(Box<FromUpstream>),
    /// Somebody who was signed in proved it once more.
    Proven(Proven),
}

/// A journey about to begin.
pub(in crate::op) struct Journey {
    pub(in crate::op) errand: Errand,
    /// Hash of the cookie that binds it to its browser.
    pub(in crate::op) browser: String,
    pub(in crate::op) login_hint: Option<String>,
    /// Whether the upstream shall ask the person anew.
    pub(in crate::op) reauthenticate: bool,
}

/// Somebody came back and is signed in.
pub struct Welcome {
    /// The request that waits for them.
    pub interaction: InteractionId,
    /// The new session cookie.
    pub session_cookie: SecretString,
    /// How long it lives.
    pub session_ttl: Duration,
}

/// What a page on the way back has to know of the request that waits.
pub struct Waiting {
    /// Where the browser may be sent in the end.
    pub redirect_uri: String,
    /// The languages the client wishes for.
    pub ui_locales: Option<String>,
    /// How the client looks.
    pub look: Option<ClientLook>,
}

/// Where a failed journey leads.
pub enum Stranded {
    /// The request it belonged to is known and this browser's: it gets the error.
    AtInteraction(InteractionId, Failure),
    /// The request it belonged to is known, but is another browser's or has been answered: a page
    /// under its id, and nothing is told to anybody else.
    Elsewhere(InteractionId, Failure),
    /// It began at the console.
    AtConsole(ConsoleErrand, Failure),
    /// It began on a page of ours, and is noted under the request's own id: a page.
    Noted(Failure),
    /// Nothing is known: a page.
    Nowhere(Failure),
}

impl Stranded {
    /// What went wrong.
    pub const fn failure(&self) -> &Failure {
        match self {
            Self::AtInteraction(_, failure)
            | Self::Elsewhere(_, failure)
            | Self::AtConsole(_, failure)
            | Self::Noted(failure)
            | Self::Nowhere(failure) => failure,
        }
    }
}

impl Departure {
    /// The sign-in that it is part of, if it is part of one.
    pub(super) const fn sign_in(&self) -> Option<&InteractionId> {
        match &self.errand {
            Errand::SignIn(interaction) => Some(interaction),
            Errand::Link(_) | Errand::Prove(..) | Errand::Console(_) => None,
        }
    }
}

impl<F: Into<Failure>> From<F> for Stranded {
    fn from(failure: F) -> Self {
        Self::Nowhere(failure.into())
    }
}
