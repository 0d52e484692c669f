//! Of whom an access token speaks.

use crate::protocol::access_token::Actor;
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::grant::Grant;
use crate::protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};

/// Of whom an access token speaks.
pub(super) struct Subject<'a> {
    /// To whom the token is given.
    pub(super) client: &'a Client,
    /// The person, and through which connection they had signed in.
    pub(super) person: Option<(&'a UserId, Option<&'a ConnectionId>)>,
    pub(super) sub: &'a str,
    pub(super) client_id: &'a ClientId,
    pub(super) grant_id: Option<&'a GrantId>,
    pub(super) auth_time: Option<Timestamp>,
    pub(super) amr: &'a [String],
    pub(super) session_id: Option<&'a SessionId>,
    pub(super) cnf: Option<&'a Confirmation>,
    pub(super) act: Option<Actor>,
    pub(super) may_act: Option<Actor>,
    /// The token ends by then, however long the API lets its tokens live.
    pub(super) not_after: Option<Timestamp>,
}

impl<'a> Subject<'a> {
    /// A client that acts for itself (RFC 9068 §2.2: `sub` is its `client_id`).
    pub(super) fn of_client(client: &'a Client, cnf: Option<&'a Confirmation>) -> Self {
        Self {
            client,
            person: None,
            sub: client.client_id.as_str(),
            client_id: &client.client_id,
            grant_id: None,
            auth_time: None,
            amr: &[],
            session_id: None,
            cnf,
            act: None,
            may_act: None,
            not_after: None,
        }
    }

    /// The person who gave this grant.
    pub(super) fn of_grant(
        client: &'a Client,
        grant: &'a Grant,
        cnf: Option<&'a Confirmation>,
    ) -> Self {
        let terms = &grant.terms;
        let actor = |sub| Actor { sub, client_id: None, act: None };
        Self {
            client,
            person: Some((&grant.user_id, grant.connection_id.as_ref())),
            sub: &terms.sub,
            client_id: &grant.client_id,
            grant_id: Some(&grant.id),
            auth_time: Some(terms.auth_time),
            amr: &terms.amr,
            session_id: grant.session_id.as_ref(),
            cnf,
            act: None,
            may_act: client.settings.may_act.clone().map(actor),
            not_after: None,
        }
    }
}
