//! What the simulated Apple remembers, in memory.

use std::collections::{HashMap, HashSet};

use tokio::sync::oneshot;

use super::accounts::{Account, Team};
use super::faults::Ordered;
use super::journal::Entry;
use super::keys::SigningKeys;
use super::transfer::Migration;
use crate::protocol::ambient::Timestamp;

/// Everything behind the one lock.
pub(super) struct State {
    pub(super) teams: Vec<Team>,
    pub(super) accounts: Vec<Account>,
    pub(super) keys: SigningKeys,
    /// Authorization requests whose page is open.
    pub(super) parked: HashMap<String, Request>,
    /// Codes, spent ones included.
    pub(super) codes: HashMap<String, Code>,
    /// Refresh and access tokens.
    pub(super) tokens: HashMap<String, Grant>,
    /// Tokens that were revoked and of which Apple says so with its other word, `invalid_request`.
    pub(super) unclear: HashSet<String>,
    /// Consent by account and primary bundle ID.
    pub(super) consents: HashMap<(String, String), Consent>,
    /// Who answers the next authorization requests without a page.
    pub(super) next_account: Option<String>,
    /// Accounts that were deleted; notifications may still speak of them.
    pub(super) deleted: Vec<Account>,
    /// Accounts whose mail is not forwarded.
    pub(super) not_forwarded: HashSet<String>,
    /// Faults ordered in advance, oldest first.
    pub(super) faults: Vec<Ordered>,
    /// Lets a held request go on.
    pub(super) held: Vec<oneshot::Sender<()>>,
    /// Requests seen, oldest first.
    pub(super) journal: Vec<Entry>,
    /// A key that Apple never published, once a fault needs one.
    pub(super) stranger: Option<SigningKeys>,
    /// Apps that changed hands.
    pub(super) migration: Migration,
}

impl State {
    pub(super) fn new(teams: Vec<Team>, accounts: Vec<Account>, keys: SigningKeys) -> Self {
        Self {
            teams,
            accounts,
            keys,
            parked: HashMap::new(),
            codes: HashMap::new(),
            tokens: HashMap::new(),
            unclear: HashSet::new(),
            consents: HashMap::new(),
            next_account: None,
            deleted: Vec::new(),
            not_forwarded: HashSet::new(),
            faults: Vec::new(),
            held: Vec::new(),
            journal: Vec::new(),
            stranger: None,
            migration: Migration::default(),
        }
    }

    pub(super) fn account(&self, id: &str) -> Option<Account> {
        self.accounts.iter().find(|account| account.id == id).cloned()
    }

    /// Ends consent and every code and token that rests on it.
    pub(super) fn stop_using(&mut self, account: &str) {
        self.consents.retain(|(who, _), _| who != account);
        self.end_tokens(account);
    }

    /// Remembers an account's tokens as those that get `invalid_request` once they are ended.
    pub(super) fn blur(&mut self, account: &str) {
        let of = self.tokens.iter().filter(|(_, grant)| grant.account == account);
        self.unclear.extend(of.map(|(token, _)| token.clone()).collect::<Vec<_>>());
    }

    /// The app groups that an account signs in to, by primary bundle ID.
    pub(super) fn groups_of(&self, account: &str) -> Vec<String> {
        let mut groups: Vec<String> = self
            .consents
            .keys()
            .filter(|(who, _)| who == account)
            .map(|(_, group)| group.clone())
            .collect();
        groups.sort();
        groups
    }

    /// Switches forwarding off, or on again, and says what Apple would announce.
    pub(super) fn toggle_forwarding(&mut self, account: &str) -> &'static str {
        if self.not_forwarded.remove(account) {
            return "email-enabled";
        }
        self.not_forwarded.insert(account.to_owned());
        "email-disabled"
    }

    /// Deletes an account; notifications may still speak of it.
    pub(super) fn delete_account(&mut self, account: &str) {
        self.stop_using(account);
        let (gone, stay) =
            std::mem::take(&mut self.accounts).into_iter().partition(|one| one.id == account);
        self.accounts = stay;
        self.deleted.extend::<Vec<_>>(gone);
        self.migration.forget_index();
    }

    /// Ends every code and token of an account; consent stays.
    pub(super) fn end_tokens(&mut self, account: &str) {
        self.tokens.retain(|_, grant| grant.account != account);
        self.codes.retain(|_, code| code.grant.account != account);
    }
}

/// A checked authorization request.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) with_id_token: bool,
    pub(super) mode: ResponseMode,
    pub(super) name: bool,
    pub(super) email: bool,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
}

/// How the answer travels to `redirect_uri`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// What a code or token stands for.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) account: String,
    pub(super) client_id: String,
    pub(super) nonce: Option<String>,
    pub(super) kind: TokenKind,
    /// Codes, access and refresh token of one sign-in share it.
    pub(super) family: String,
}

/// Which kind of token a [`Grant`] is held under.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Access,
    Refresh,
}

/// A code and what it is bound to.
pub(super) struct Code {
    pub(super) grant: Grant,
    /// Absent for native codes, and then absent from the exchange too.
    pub(super) redirect_uri: Option<String>,
    pub(super) code_challenge: Option<String>,
    pub(super) expires_at: Timestamp,
    pub(super) spent: bool,
}

/// What an account gave an app group, the first time.
#[derive(Clone, Copy)]
pub(super) struct Consent {
    pub(super) email: bool,
    pub(super) hide_email: bool,
}
