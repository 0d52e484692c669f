//! Our own tokens exchanged for others of ours: who may, for whom, and how much — RFC 8693 §2, §4.
//!
//! An exchange only ever takes away: scope, life, and audiences but for those that an operator
//! added. Who acted is written into the token, one inside the other, unless the operator trusts a
//! client to appear as the person themselves.

use crate::access_token::{AccessTokenClaims, Actor};
use crate::api::Api;
use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::error::Refusal;
use crate::scope::{self, Access};

/// Longest chain of actors: a service that calls a service that calls a service.
const DEEPEST: usize = 4;

/// A client's wish, its tokens verified and alive.
pub struct Exchange<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// The issuer.
    pub issuer: &'a str,
    /// The token to exchange.
    pub subject: &'a AccessTokenClaims,
    /// Who acts, if the client brought a token of theirs.
    pub actor: Option<&'a AccessTokenClaims>,
    /// The keys that the client shows.
    pub shown: Option<&'a Confirmation>,
}

/// What the new token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The chain of actors.
    pub act: Option<Actor>,
    /// The new token must not outlive this moment, seconds.
    pub not_after: i64,
}

impl Exchange<'_> {
    /// Who the new token says acts, and how long it may live.
    ///
    /// # Errors
    /// `invalid_request` for a token that this client may not exchange or act with (RFC 8693
    /// §2.2.2); `unauthorized_client` for a client without a secret.
    pub fn delegation(&self) -> Result<Delegation, Refusal> {
        let Self { client, subject, actor, .. } = self;
        let me = client.client_id.as_str();
        if client.is_public() {
            return Err(Refusal::unauthorized_client(
                "a public client cannot exchange access tokens",
            ));
        }
        let own = subject.client_id == me;
        let settings = &client.settings;
        let invited = subject.may_act.as_ref().is_some_and(|party| party.sub == me);
        let listed = settings.token_exchange_subject_clients.contains(&subject.client_id);
        if !own && !invited && !listed {
            return Err(Refusal::invalid_request(
                "subject_token was given to a client whose tokens this client may not exchange",
            ));
        }
        if let Some(actor) = actor {
            if actor.client_id != me {
                return Err(Refusal::invalid_request("actor_token was given to another client"));
            }
            if actor.act.is_some() {
                return Err(Refusal::invalid_request("actor_token is itself delegated"));
            }
        }
        // The client's own tokens are bound to keys that it holds; those of another client are
        // bound to keys that it cannot hold, and the operator's word stands in (record 29).
        let own_tokens = [own.then_some(*subject), *actor];
        let bound = own_tokens.into_iter().flatten().filter_map(|token| token.cnf.as_ref());
        if bound.into_iter().any(|cnf| !cnf.is_met_by(self.shown)) {
            return Err(Refusal::invalid_request(
                "a token of this client is bound to a key that was not shown",
            ));
        }
        let acting = actor.map_or(me, |actor| actor.sub.as_str());
        if let Some(party) = &subject.may_act
            && party.sub != acting
            && party.sub != me
        {
            return Err(Refusal::invalid_request(
                "subject_token names another party that may act (may_act)",
            ));
        }
        let before = subject.act.clone();
        let act = match actor {
            Some(actor) => {
                let client_id = (actor.sub != me).then(|| me.to_owned());
                Some(Actor { sub: actor.sub.clone(), client_id, act: before.map(Box::new) })
            }
            // A client that narrows its own token, or is trusted to appear as the person.
            None if own || settings.token_exchange_impersonation => before,
            None => Some(Actor { sub: me.to_owned(), client_id: None, act: before.map(Box::new) }),
        };
        if act.as_ref().is_some_and(|act| act.depth() > DEEPEST) {
            return Err(Refusal::invalid_request("the chain of actors is too long"));
        }
        let not_after = actor.map_or(subject.exp, |actor| actor.exp.min(subject.exp));
        Ok(Delegation { act, not_after })
    }

    /// For which APIs: those asked for, else the client's default, else the token's own.
    ///
    /// # Errors
    /// `invalid_target` for one that neither the token is for nor the operator added, or that this
    /// client may not ask tokens for at all.
    pub fn resources(&self, requested: &[String]) -> Result<Vec<String>, Refusal> {
        let own: Vec<&str> = self.subject.aud.iter().collect();
        let resources = match (requested, &self.client.default_resource) {
            ([], None) => {
                own.iter().filter(|aud| **aud != self.issuer).map(ToString::to_string).collect()
            }
            _ => scope::resources(self.client, requested)?,
        };
        let added = &self.client.settings.token_exchange_audiences;
        let beyond = resources.iter().find(|resource| {
            !self.client.resources.contains(resource)
                || !(own.contains(&resource.as_str()) || added.contains(resource))
        });
        if let Some(resource) = beyond {
            return Err(Refusal::invalid_target(format!(
                "resource '{resource}' is not one that this token may be exchanged for"
            )));
        }
        if resources.is_empty() && !own.contains(&self.issuer) {
            return Err(Refusal::invalid_target("name the resource that the new token is for"));
        }
        Ok(resources)
    }

    /// What the new token may be used for: never more than the old one, and only what the APIs it
    /// is for understand. `apis` are the registered APIs among `resources`.
    ///
    /// # Errors
    /// `invalid_scope` for a value that the old token lacks or the APIs do not know;
    /// `invalid_target` when a resource is no longer registered.
    pub fn access(
        &self,
        requested: Option<&str>,
        resources: Vec<String>,
        apis: &[Api],
    ) -> Result<Access, Refusal> {
        let gone = |resource: &&String| !apis.iter().any(|api| api.identifier == **resource);
        if let Some(resource) = resources.iter().find(gone) {
            return Err(Refusal::invalid_target(format!(
                "resource '{resource}' is not registered"
            )));
        }
        let of_an_api =
            |value: &str| apis.iter().any(|api| api.scopes.iter().any(|s| s.name == value));
        let of_openid =
            |value: &str| scope::SUPPORTED.contains(&value) && value != "offline_access";
        let scope = match requested {
            Some(requested) => {
                let wanted = scope::parse(requested)?;
                let surplus = wanted.iter().find(|value| {
                    !self.subject.has_scope(value) || !(of_an_api(value) || of_openid(value))
                });
                if let Some(value) = surplus {
                    return Err(Refusal::invalid_scope(format!(
                        "scope '{value}' is not in the token or not known to the resource"
                    )));
                }
                wanted
            }
            // Without a wish a token for an API carries that API's scopes and nothing of the person.
            None => {
                let kept =
                    self.subject.scope.split(' ').filter(|value| {
                        of_an_api(value) || (resources.is_empty() && of_openid(value))
                    });
                kept.map(ToOwned::to_owned).collect()
            }
        };
        Ok(Access { scope, resources })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_token::Audience;
    use crate::ambient::Timestamp;
    use crate::api::ApiScope;
    use crate::client::ClientKind;
    use crate::client_settings::ApiSettings;
    use crate::id::ClientId;
    use crate::jose::Algorithm;

    const ISSUER: &str = "https://id.example";
    const A: &str = "https://a.example";
    const B: &str = "https://b.example";

    fn client() -> Client {
        let mut client =
            Client::of_kind(ClientId::new("gateway"), ClientKind::Machine, Timestamp::default());
        client.resources = vec![A.to_owned(), B.to_owned()];
        client.settings.token_exchange_subject_clients = vec!["shop".to_owned()];
        client.settings.token_exchange_audiences = vec![B.to_owned()];
        client
    }

    fn token(client_id: &str, sub: &str, exp: i64) -> AccessTokenClaims {
        serde_json::from_value(serde_json::json!({
            "iss": ISSUER, "sub": sub, "aud": A, "exp": exp, "iat": 1, "jti": "g.1",
            "client_id": client_id, "scope": "openid offline_access a:read shared",
        }))
        .unwrap()
    }

    fn api(identifier: &str, scopes: &[&str]) -> Api {
        let scope = |name: &&str| ApiScope { name: (*name).to_owned(), description: String::new() };
        Api {
            identifier: identifier.to_owned(),
            name: identifier.to_owned(),
            scopes: scopes.iter().map(scope).collect(),
            access_token_ttl: 600,
            signing_alg: Algorithm::Rs256,
            settings: ApiSettings::default(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        }
    }

    fn exchange<'a>(
        client: &'a Client,
        subject: &'a AccessTokenClaims,
        actor: Option<&'a AccessTokenClaims>,
    ) -> Exchange<'a> {
        Exchange { client, issuer: ISSUER, subject, actor, shown: None }
    }

    fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.unwrap_err().code.as_str()
    }

    #[test]
    fn who_acts_is_written_down_one_inside_the_other() {
        let client = client();
        let mut subject = token("shop", "ada", 100);
        let act = exchange(&client, &subject, None).delegation().unwrap().act.unwrap();
        assert_eq!((act.sub.as_str(), act.act.is_some()), ("gateway", false));
        subject.act = Some(act);
        let robot = token("gateway", "robot", 50);
        let delegated = exchange(&client, &subject, Some(&robot)).delegation().unwrap();
        let act = delegated.act.unwrap();
        assert_eq!((act.sub.as_str(), act.client_id.as_deref()), ("robot", Some("gateway")));
        assert_eq!(act.act.unwrap().sub, "gateway");
        assert_eq!(delegated.not_after, 50, "the shorter life counts");
        for _ in 0..4 {
            let before = subject.act.take().map(Box::new);
            subject.act = Some(Actor { sub: "s".into(), client_id: None, act: before });
        }
        assert_eq!(refused(exchange(&client, &subject, None).delegation()), "invalid_request");
    }

    #[test]
    fn impersonation_is_the_operators_to_allow() {
        let mut client = client();
        client.settings.token_exchange_impersonation = true;
        let subject = token("shop", "ada", 100);
        assert_eq!(exchange(&client, &subject, None).delegation().unwrap().act, None);
        let own = token("gateway", "ada", 100);
        client.settings.token_exchange_impersonation = false;
        assert_eq!(exchange(&client, &own, None).delegation().unwrap().act, None, "its own");
    }

    #[test]
    fn only_listed_or_invited_clients_may_exchange() {
        let client = client();
        let mut subject = token("stranger", "ada", 100);
        assert_eq!(refused(exchange(&client, &subject, None).delegation()), "invalid_request");
        let party = |sub: &str| Some(Actor { sub: sub.to_owned(), client_id: None, act: None });
        subject.may_act = party("gateway");
        assert!(exchange(&client, &subject, None).delegation().is_ok(), "invited by may_act");
        let mut subject = token("shop", "ada", 100);
        subject.may_act = party("somebody-else");
        assert_eq!(refused(exchange(&client, &subject, None).delegation()), "invalid_request");
        let mut public = client.clone();
        public.token_endpoint_auth_method = crate::client::TokenEndpointAuthMethod::None;
        let own = token("gateway", "ada", 100);
        assert_eq!(refused(exchange(&public, &own, None).delegation()), "unauthorized_client");
        for actor in [token("shop", "robot", 100), {
            let mut delegated = token("gateway", "robot", 100);
            delegated.act = party("x");
            delegated
        }] {
            let subject = token("shop", "ada", 100);
            let refused = refused(exchange(&client, &subject, Some(&actor)).delegation());
            assert_eq!(refused, "invalid_request");
        }
    }

    #[test]
    fn a_clients_own_bound_token_comes_with_its_key() {
        let client = client();
        let key = Confirmation::to(Some("its key".to_owned()), None);
        let other = Confirmation::to(Some("another".to_owned()), None);
        let bound = |client_id: &str| {
            let mut token = token(client_id, "ada", 100);
            token.cnf = key.clone();
            token
        };
        let own = bound("gateway");
        for (shown, good) in [(key.as_ref(), true), (other.as_ref(), false), (None, false)] {
            let wish = Exchange { shown, ..exchange(&client, &own, None) };
            assert_eq!(wish.delegation().is_ok(), good, "{shown:?}");
        }
        // Its key is another client's: the operator's list is what counts.
        assert!(exchange(&client, &bound("shop"), None).delegation().is_ok());
        // An actor's token is the client's own.
        let (subject, actor) = (token("shop", "ada", 100), bound("gateway"));
        let refused = refused(exchange(&client, &subject, Some(&actor)).delegation());
        assert_eq!(refused, "invalid_request");
    }

    #[test]
    fn audiences_are_the_tokens_own_or_the_operators() {
        let client = client();
        let subject = token("shop", "ada", 100);
        let wish = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let exchange = exchange(&client, &subject, None);
        assert_eq!(exchange.resources(&[]).unwrap(), [A]);
        assert_eq!(exchange.resources(&wish(&[B])).unwrap(), [B]);
        assert_eq!(refused(exchange.resources(&wish(&["https://c.example"]))), "invalid_target");
        let mut less = client.clone();
        less.settings.token_exchange_audiences.clear();
        let narrow = Exchange { client: &less, ..exchange };
        assert_eq!(refused(narrow.resources(&wish(&[B]))), "invalid_target");
        less.resources.clear();
        let narrow = Exchange { client: &less, ..exchange };
        assert_eq!(refused(narrow.resources(&[])), "invalid_target", "not this client's at all");
        let mut at_home = token("shop", "ada", 100);
        at_home.aud = Audience::One(ISSUER.to_owned());
        let home =
            Exchange { client: &less, issuer: ISSUER, subject: &at_home, actor: None, shown: None };
        assert!(home.resources(&[]).unwrap().is_empty());
    }

    #[test]
    fn scope_only_shrinks() {
        let client = client();
        let subject = token("shop", "ada", 100);
        let exchange = exchange(&client, &subject, None);
        let (a, b) = (api(A, &["a:read", "a:write"]), api(B, &["shared", "b:read"]));
        let to = |name: &str| vec![name.to_owned()];
        let kept = exchange.access(None, to(A), std::slice::from_ref(&a)).unwrap();
        assert_eq!(kept.scope, ["a:read"]);
        let kept = exchange.access(None, to(B), std::slice::from_ref(&b)).unwrap();
        assert_eq!(kept.scope, ["shared"]);
        let asked = exchange.access(Some("openid"), to(A), std::slice::from_ref(&a)).unwrap();
        assert_eq!(asked.scope, ["openid"]);
        for (scope, resource, api) in [
            ("a:write", A, &a),
            ("b:read", B, &b),
            ("a:read", B, &b),
            ("offline_access", A, &a),
            ("email", A, &a),
        ] {
            let found = exchange.access(Some(scope), to(resource), std::slice::from_ref(api));
            assert_eq!(refused(found), "invalid_scope", "{scope} for {resource}");
        }
        assert_eq!(refused(exchange.access(None, to(A), &[])), "invalid_target", "gone");
    }
}
