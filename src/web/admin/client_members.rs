//! The members that few clients set, by the question that they answer.

use serde_json::{Map, Value};

use super::form::Form;
use super::members::{self, Member, list, text, tick};
use crate::protocol::client::{Client, ClientKind};
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
            text(
                "profile",
                "Security profile",
                "oidc, oauth2.1 or fapi2: each demands more than the one before. Empty means the installation's own.",
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
        members: &[text(
            "jwks_uri",
            "Address of its key set",
            "For private_key_jwt and signed requests; fetched when a key is needed. RFC 7591 section 2.",
        )],
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
            text(
                "may_act",
                "Who may act with its tokens",
                "The client_id that may act for people with this client's access tokens. RFC 8693 section 4.4.",
            ),
        ],
    },
];

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
            .any(|field| problems.has(field.name) || field.chosen || !field.value.is_empty());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::client_settings;
    use crate::protocol::id::ClientId;

    #[test]
    fn what_a_form_shows_of_the_settings_is_what_it_would_save() {
        for kind in ClientKind::ALL {
            let mut client = Client::of_kind(ClientId::new("c"), kind, Timestamp::default());
            client.settings.dpop_bound_access_tokens = true;
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
