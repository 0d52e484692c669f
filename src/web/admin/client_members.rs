//! The members that few clients set, by the question that they answer.

use serde_json::{Map, Value};

use super::claim_rules;
use super::form::Form;
use super::members::{self, Member, choice, document, list, number, rules, text, tick};
use crate::protocol::client::{Client, ClientKind};
use crate::protocol::jose::Algorithm;
use crate::protocol::profile::Profile;
use crate::web::page::admin::Problems;
use crate::web::page::admin::members::MemberGroup;

/// A question, and what answers it.
struct Question {
    id: &'static str,
    words: &'static str,
    members: &'static [Member],
    /// Whether it is asked of clients that people sign in to alone.
    of_people: bool,
}

const QUESTIONS: &[Question] = &[
    Question {
        id: "strictness",
        words: "How strict is it?",
        of_people: false,
        members: &[
            choice(
                "profile",
                "Security profile",
                "Each demands more than the one before. OpenID FAPI 2.0, OAuth 2.1.",
                profiles,
            ),
            number(
                "default_max_age",
                "How old a sign-in may be",
                "Seconds, where a request does not say; people then sign in again. OIDC Registration section 2.",
            ),
            tick(
                "require_pushed_authorization_requests",
                "Authorization requests are pushed",
                "The app sends them from its server first; nobody can change them in the browser. RFC 9126.",
            ),
            tick(
                "require_signed_request_object",
                "Authorization requests are signed",
                "They come as a JWT by one of the app's keys. RFC 9101.",
            ),
            tick(
                "dpop_bound_access_tokens",
                "Tokens are bound to a key by DPoP",
                "A stolen token is of no use without the app's key. RFC 9449.",
            ),
            tick(
                "tls_client_certificate_bound_access_tokens",
                "Tokens are bound to a certificate",
                "The same, by the certificate that the app shows. RFC 8705 section 3.",
            ),
        ],
    },
    Question {
        id: "own-keys",
        words: "Which keys does it sign with?",
        of_people: false,
        members: &[
            text(
                "jwks_uri",
                "Address of its key set",
                "For private_key_jwt and signed requests; fetched when a key is needed. RFC 7591 section 2.",
            ),
            document(
                "jwks",
                "Its key set itself",
                "Where it has no address: a JSON object with keys, none of them private. RFC 7517 section 5.",
            ),
            choice(
                "token_endpoint_auth_signing_alg",
                "Algorithm of its assertions",
                "What private_key_jwt must be signed with. OIDC Registration section 2.",
                any_algorithm,
            ),
            choice(
                "request_object_signing_alg",
                "Algorithm of its requests",
                "What a signed request must be signed with. RFC 9101.",
                any_algorithm,
            ),
        ],
    },
    Question {
        id: "certificates",
        words: "Which certificate does it show?",
        of_people: false,
        members: &[
            text(
                "tls_client_auth_subject_dn",
                "Subject",
                "As RFC 4514 writes it. One of these five, for tls_client_auth alone. RFC 8705 section 2.1.2.",
            ),
            text("tls_client_auth_san_dns", "DNS name", "A name that the certificate has."),
            text("tls_client_auth_san_uri", "URI", "A URI that the certificate has."),
            text("tls_client_auth_san_ip", "IP address", "An address that the certificate has."),
            text(
                "tls_client_auth_san_email",
                "Email address",
                "An address that the certificate has.",
            ),
        ],
    },
    Question {
        id: "knows",
        words: "As whom does it know people?",
        of_people: true,
        members: &[
            choice(
                "subject_type",
                "Names of people",
                "Pairwise: no other sector knows a person by the same sub, so two apps cannot compare notes. Changing it gives everybody another sub there. OIDC Core section 8.",
                subject_types,
            ),
            text(
                "sector_identifier_uri",
                "Its sector",
                "An https document that lists the redirect URIs of all apps that shall see the same sub. OIDC Core section 8.1.",
            ),
            choice(
                "userinfo_signed_response_alg",
                "Userinfo as a JWT",
                "Signed with this algorithm; plain JSON otherwise. OIDC Core section 5.3.2.",
                plain_or_algorithm,
            ),
            rules(
                "claims",
                "Further claims",
                "Of several rules for one claim the first that holds counts. Nothing that a token says anyway is replaced.",
            ),
        ],
    },
    Question {
        id: "leaving",
        words: "How does it hear that somebody has left?",
        of_people: true,
        members: &[
            text(
                "backchannel_logout_uri",
                "Back-channel logout",
                "A logout token is posted there when a session ends, and again until it is taken. OIDC Back-Channel Logout 1.0.",
            ),
            tick(
                "backchannel_logout_session_required",
                "It needs the sid in logout tokens",
                "OIDC Back-Channel Logout 1.0 section 2.2.",
            ),
            text(
                "frontchannel_logout_uri",
                "Front-channel logout",
                "Loaded in a frame when the person signs out in this browser. OIDC Front-Channel Logout 1.0.",
            ),
            tick(
                "frontchannel_logout_session_required",
                "It needs iss and sid there",
                "OIDC Front-Channel Logout 1.0 section 2.",
            ),
            text(
                "security_events_endpoint",
                "Security events",
                "Signed events about its people are pushed there. RFC 8935.",
            ),
            list(
                "security_events_requested",
                "Which of them",
                "Event types by URI, one on each line; empty means all. OpenID SSF 1.0.",
            ),
        ],
    },
    Question {
        id: "shown",
        words: "What are people shown of it?",
        of_people: true,
        members: &[
            text("client_uri", "Its own page", "RFC 7591 section 2."),
            text("logo_uri", "Its picture", "RFC 7591 section 2."),
            text("policy_uri", "Its privacy policy", "RFC 7591 section 2."),
            text("tos_uri", "Its terms of service", "RFC 7591 section 2."),
            list("contacts", "Who answers for it", "One address on each line. RFC 7591 section 2."),
            text("initiate_login_uri", "Where a sign-in is begun for it", "OIDC Core section 4."),
            text(
                "software_id",
                "Its software",
                "The same for all of its instances. RFC 7591 section 2.",
            ),
            text("software_version", "And the version", "RFC 7591 section 2."),
        ],
    },
    Question {
        id: "ways",
        words: "How may people come?",
        of_people: true,
        members: &[list(
            "allowed_connections",
            "Connections",
            "Their names in URLs, one on each line; empty allows all. Whoever came another way has to come again.",
        )],
    },
    Question {
        id: "exchange",
        words: "May it exchange tokens?",
        of_people: false,
        members: &[
            list(
                "token_exchange_subject_clients",
                "Whose tokens",
                "client_ids whose access tokens it may exchange for its own. RFC 8693.",
            ),
            list(
                "token_exchange_audiences",
                "For which further APIs",
                "Identifiers of APIs that the exchanged token need not have been for. RFC 8693.",
            ),
            tick(
                "token_exchange_impersonation",
                "An exchanged token need not name it",
                "Whoever gets the token cannot tell that this client acts for the person. RFC 8693 section 1.1.",
            ),
            text(
                "may_act",
                "Who may act with its tokens",
                "The client_id that may act for people with this client's access tokens. RFC 8693 section 4.4.",
            ),
        ],
    },
];

fn profiles() -> Vec<(&'static str, &'static str)> {
    let words = Profile::ALL.map(|profile| (profile.as_str(), profile.as_str()));
    std::iter::once(("", "The installation's own")).chain(words).collect()
}

fn algorithms_or(none: &'static str) -> Vec<(&'static str, &'static str)> {
    let words = Algorithm::ALL.map(|alg| (alg.as_str(), alg.as_str()));
    std::iter::once(("", none)).chain(words).collect()
}

fn any_algorithm() -> Vec<(&'static str, &'static str)> {
    algorithms_or("Any")
}

fn plain_or_algorithm() -> Vec<(&'static str, &'static str)> {
    algorithms_or("Plain JSON")
}

fn subject_types() -> Vec<(&'static str, &'static str)> {
    vec![("", "public: the same for every app"), ("pairwise", "pairwise: its own in each sector")]
}

/// The questions that are asked of clients of this kind.
fn asked(kind: ClientKind) -> impl Iterator<Item = &'static Question> {
    let people = kind != ClientKind::Machine;
    QUESTIONS.iter().filter(move |question| people || !question.of_people)
}

/// The groups of the form, those unfolded in which something is set or wrong.
pub(super) fn groups(
    client: &Client,
    typed: Option<&Form>,
    problems: &Problems,
) -> Vec<MemberGroup> {
    let stands = serde_json::to_value(&client.settings).unwrap_or_default();
    let group = |question: &Question| {
        let fields = members::fields(question.members, &stands, typed);
        let open = fields
            .iter()
            .any(|field| problems.has(field.name) || field.chosen || !field.value.is_empty())
            || fields.iter().any(|field| field.rules.is_some())
                && typed.is_some_and(claim_rules::is_act);
        MemberGroup { id: question.id, question: question.words, fields, open }
    };
    asked(client.kind).map(group).collect()
}

/// What the form makes of the settings; nothing if it did not show them.
pub(super) fn patch(kind: ClientKind, form: &Form) -> Map<String, Value> {
    if !form.ticked("settings") {
        return Map::new();
    }
    asked(kind).flat_map(|question| members::patch(question.members, form)).collect()
}

/// What of these members cannot be read at all.
pub(super) fn unreadable(kind: ClientKind, form: &Form) -> Problems {
    let mut problems = Problems::default();
    for question in asked(kind) {
        members::unreadable(question.members, form, &mut problems);
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::client_settings::{self, ClientSettings};
    use crate::protocol::id::ClientId;

    /// Members without a field here, and where they are instead.
    const ELSEWHERE: &[(&str, &str)] = &[
        ("client_id_metadata_fetched_at", "told only: Russet writes it itself"),
        ("branding", "a page of its own"),
    ];

    #[test]
    fn every_member_that_can_be_set_has_a_field_or_a_reason() {
        let fields: Vec<&str> = QUESTIONS
            .iter()
            .flat_map(|question| question.members)
            .map(|member| member.name)
            .collect();
        for member in client_settings::members::<ClientSettings>() {
            let elsewhere = ELSEWHERE.iter().any(|(name, _)| name == member);
            assert!(fields.contains(member) != elsewhere, "{member}: one of both");
        }
        assert!(
            fields
                .iter()
                .all(|field| { client_settings::members::<ClientSettings>().contains(field) })
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_and_not_taken_for_nothing() {
        let form = Form::parse(b"default_max_age=soon&claims=%5B&jwks=");
        let problems = unreadable(ClientKind::Web, &form);
        assert!(problems.has("default_max_age") && problems.has("claims"));
        assert!(!problems.has("jwks"), "empty is nothing");
        let signed = unreadable(ClientKind::Web, &Form::parse(b"default_max_age=%2B5"));
        assert!(signed.has("default_max_age"), "digits alone");
    }

    #[test]
    fn only_what_answers_something_stays_unfolded_in_a_form_that_comes_back() {
        let client = Client::of_kind(ClientId::new("c"), ClientKind::Web, Timestamp::default());
        let form =
            Form::parse(b"profile=&default_max_age=&jwks_uri=&tos_uri=https%3A%2F%2Fa.example");
        let groups = groups(&client, Some(&form), &Problems::default());
        let open: Vec<_> = groups.iter().filter(|group| group.open).map(|group| group.id).collect();
        assert_eq!(open, ["shown"]);
    }

    #[test]
    fn what_a_form_shows_of_the_settings_is_what_it_would_save() {
        for kind in ClientKind::ALL {
            let mut client = Client::of_kind(ClientId::new("c"), kind, Timestamp::default());
            client.settings.dpop_bound_access_tokens = true;
            client.settings.default_max_age = Some(3600);
            client.settings.jwks = Some(serde_json::json!({ "keys": [] }));
            client.settings.request_object_signing_alg = Some(Algorithm::Es256);
            if kind != ClientKind::Machine {
                client.settings.contacts = Some(vec!["a@a.example".to_owned()]);
            }
            let mut body = url::form_urlencoded::Serializer::new("settings=shown".to_owned());
            for field in groups(&client, None, &Problems::default()).iter().flat_map(|g| &g.fields)
            {
                if field.chosen {
                    body.append_pair(field.name, "true");
                } else if !field.value.is_empty() {
                    body.append_pair(field.name, &field.value);
                }
            }
            let form = Form::parse(body.finish().as_bytes());
            let after = client_settings::merge(&client.settings, &patch(kind, &form)).unwrap();
            assert_eq!(after, client.settings, "{kind:?}");
            assert!(patch(kind, &Form::parse(b"profile=fapi2")).is_empty(), "it was not shown");
        }
    }
}
