//! What an authorization request needs next — OIDC Core §3.1.2.1, §3.1.2.3, §3.1.2.4.
//!
//! Steps never lead to steps: each returns here, and this pure function reads the facts anew.
//! `prompt=none` is no special case: where others see a page, it gets a refusal.

use crate::acr;
use crate::ambient::Timestamp;
use crate::authorization_request::AuthorizationRequest;
use crate::error::Refusal;

/// Who is signed in to this browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The person's `sub`.
    pub sub: String,
    /// When they last proved who they are.
    pub auth_time: Timestamp,
    /// The class of that proof, if it has one.
    pub acr: Option<&'static str>,
    /// The class that they would reach by signing in anew, as far as is known.
    pub within_reach: Option<&'static str>,
}

/// Everything the decision rests on.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The request.
    pub request: &'a AuthorizationRequest,
    /// When it arrived.
    pub started_at: Timestamp,
    /// The present moment.
    pub now: Timestamp,
    /// Who is signed in, if anybody.
    pub signed_in: Option<&'a SignedIn>,
    /// The `sub` of a verified `id_token_hint`.
    pub hinted_sub: Option<&'a str>,
    /// Whether the client is the operator's own.
    pub first_party: bool,
    /// Whether remembered consent covers everything that is to be granted.
    pub consent_covers: bool,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Find out who it is; `anew` when an existing session is not proof enough.
    Authenticate {
        /// Whether somebody is signed in already.
        anew: bool,
    },
    /// Ask for consent.
    Consent,
    /// Hand out a code.
    Issue,
    /// Answer with an error.
    Refuse(Refusal),
}

/// Names the next step.
pub fn next_step(facts: &Facts<'_>) -> Step {
    let prompt = facts.request.prompt;
    let Some(signed_in) = facts.signed_in else {
        return if prompt.none {
            Step::Refuse(Refusal::login_required("nobody is signed in"))
        } else {
            Step::Authenticate { anew: false }
        };
    };

    // A login made for this very request is fresh, however long the person took afterwards.
    let just_now = signed_in.auth_time >= facts.started_at;
    // No age at all is `prompt=login` (OIDC Core §3.1.2.1).
    let too_old = facts.request.max_age.is_some_and(|max_age| {
        max_age == 0 || facts.now.since(signed_in.auth_time).as_secs() > u64::from(max_age)
    });
    if !just_now && (too_old || prompt.login || prompt.select_account) {
        return if prompt.none {
            Step::Refuse(Refusal::login_required("the sign-in is older than max_age"))
        } else {
            Step::Authenticate { anew: true }
        };
    }
    if facts.hinted_sub.is_some_and(|sub| sub != signed_in.sub) {
        return if prompt.none || just_now {
            Step::Refuse(Refusal::login_required("id_token_hint names somebody else"))
        } else {
            Step::Authenticate { anew: true }
        };
    }

    let essential_acr = facts.request.claims.essential_acr();
    if !essential_acr.is_empty() && !acr::satisfies(signed_in.acr, &essential_acr) {
        return if prompt.none || just_now {
            Step::Refuse(Refusal::unmet_authentication_requirements(
                "the sign-in does not reach an essential acr",
            ))
        } else {
            Step::Authenticate { anew: true }
        };
    }

    // A wish, where the person can fulfil it (OIDC Core §3.1.2.1); the class that was reached is
    // told either way.
    let wished = &facts.request.acr_values;
    let could_do_better = !wished.is_empty()
        && !acr::satisfies(signed_in.acr, wished)
        && acr::satisfies(signed_in.within_reach, wished);
    if could_do_better && !just_now && !prompt.none {
        return Step::Authenticate { anew: true };
    }

    let consented = facts.first_party || facts.consent_covers;
    if prompt.none && !consented {
        Step::Refuse(Refusal::consent_required("consent has not been given"))
    } else if !consented || prompt.consent {
        Step::Consent
    } else {
        Step::Issue
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::authorization_request::Prompt;
    use crate::authorization_response::{ResponseMode, ReturnTo};

    const START: Timestamp = Timestamp::from_secs(1_000_000);

    fn request(prompt: Prompt, max_age: Option<u32>) -> AuthorizationRequest {
        AuthorizationRequest {
            return_to: ReturnTo {
                redirect_uri: "https://a.example/cb".into(),
                response_mode: ResponseMode::Query,
                state: None,
                ui_locales: None,
            },
            redirect_uri_given: true,
            scope: vec!["openid".into()],
            resources: Vec::new(),
            nonce: None,
            code_challenge: None,
            prompt,
            max_age,
            connection: None,
            login_hint: None,
            id_token_hint: None,
            claims: crate::claims_request::ClaimsRequest::default(),
            dpop_jkt: None,
            acr_values: Vec::new(),
        }
    }

    fn alice(seconds_before: i64) -> SignedIn {
        let auth_time = Timestamp::from_secs(1_000_000 - seconds_before);
        SignedIn { sub: "alice".into(), auth_time, acr: None, within_reach: None }
    }

    fn facts<'a>(request: &'a AuthorizationRequest, signed_in: Option<&'a SignedIn>) -> Facts<'a> {
        Facts {
            request,
            started_at: START,
            now: START.plus(Duration::from_secs(30)),
            signed_in,
            hinted_sub: None,
            first_party: false,
            consent_covers: true,
        }
    }

    fn refusal(step: &Step) -> &'static str {
        match step {
            Step::Refuse(refusal) => refusal.code.as_str(),
            Step::Authenticate { .. } | Step::Consent | Step::Issue => {
                panic!("not a refusal: {step:?}")
            }
        }
    }

    #[test]
    fn a_session_is_enough_for_a_plain_request() {
        let request = request(Prompt::default(), None);
        assert_eq!(next_step(&facts(&request, Some(&alice(3600)))), Step::Issue);
        assert_eq!(next_step(&facts(&request, None)), Step::Authenticate { anew: false });
    }

    #[test]
    fn max_age_and_prompt_login_ask_again_and_are_content_with_a_new_login() {
        let login = Prompt { login: true, ..Prompt::default() };
        for request in [request(login, None), request(Prompt::default(), Some(10))] {
            let old = alice(3600);
            assert_eq!(next_step(&facts(&request, Some(&old))), Step::Authenticate { anew: true });
            assert_eq!(next_step(&facts(&request, Some(&alice(-5)))), Step::Issue);
        }
        let generous = request(Prompt::default(), Some(10_000));
        assert_eq!(next_step(&facts(&generous, Some(&alice(3600)))), Step::Issue);
        let zero = request(Prompt::default(), Some(0));
        assert_eq!(next_step(&facts(&zero, Some(&alice(-5)))), Step::Issue);
        // No age at all is no age within the same second either.
        let within = |request| Facts {
            started_at: START.plus(Duration::from_millis(400)),
            now: START.plus(Duration::from_millis(500)),
            ..facts(request, None)
        };
        let signed_in = alice(0);
        let at_once = Facts { signed_in: Some(&signed_in), ..within(&zero) };
        assert_eq!(next_step(&at_once), Step::Authenticate { anew: true });
        let silent = request(Prompt { none: true, ..Prompt::default() }, Some(0));
        let at_once = Facts { signed_in: Some(&signed_in), ..within(&silent) };
        assert_eq!(refusal(&next_step(&at_once)), "login_required");
    }

    #[test]
    fn a_hint_for_somebody_else_never_gets_this_persons_code() {
        let plain = request(Prompt::default(), None);
        let old = alice(10);
        let mut with_hint = facts(&plain, Some(&old));
        with_hint.hinted_sub = Some("bob");
        assert_eq!(next_step(&with_hint), Step::Authenticate { anew: true });
        let new = alice(-1);
        with_hint.signed_in = Some(&new);
        assert_eq!(refusal(&next_step(&with_hint)), "login_required");
    }

    #[test]
    fn prompt_consent_asks_although_consent_is_remembered() {
        let request = request(Prompt { consent: true, ..Prompt::default() }, None);
        assert_eq!(next_step(&facts(&request, Some(&alice(10)))), Step::Consent);
        let alice = alice(10);
        let own = Facts { first_party: true, ..facts(&request, Some(&alice)) };
        assert_eq!(next_step(&own), Step::Consent, "the operator's own app gets what it asks for");
    }

    proptest! {
        #[test]
        fn no_code_without_fresh_login_and_consent_and_no_page_under_prompt_none(
            none: bool, login: bool, consent: bool, select_account: bool,
            max_age in proptest::option::of(0_u32..100),
            age in proptest::option::of(-20_i64..200),
            hint in proptest::option::of(prop_oneof![Just("alice"), Just("bob")]),
            first_party: bool, consent_covers: bool,
        ) {
            // `none` stands alone: the request table refuses any other combination.
            let prompt = if none {
                Prompt { none, ..Prompt::default() }
            } else {
                Prompt { none, login, consent, select_account }
            };
            let request = request(prompt, max_age);
            let signed_in = age.map(alice);
            let mut facts = facts(&request, signed_in.as_ref());
            facts.hinted_sub = hint;
            facts.first_party = first_party;
            facts.consent_covers = consent_covers;
            match next_step(&facts) {
                Step::Issue => {
                    let person = signed_in.as_ref().expect("a code belongs to somebody");
                    let just_now = person.auth_time >= START;
                    prop_assert!((first_party || consent_covers) && !prompt.consent);
                    prop_assert!(hint.is_none_or(|sub| sub == person.sub));
                    prop_assert!(just_now || !(prompt.login || prompt.select_account));
                    let age = facts.now.since(person.auth_time).as_secs();
                    prop_assert!(just_now || max_age.is_none_or(|max| age <= u64::from(max)));
                }
                Step::Authenticate { .. } | Step::Consent => prop_assert!(!none),
                Step::Refuse(_) => {}
            }
        }
    }
}
