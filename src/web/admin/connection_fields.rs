//! A connection between its form and its settings: which members each kind has, what is shown of
//! them, and what a form changes.

use serde_json::{Map, Value};

use super::form::Form;
use super::members::{self, Member, list, seldom, text, tick};
use crate::protocol::connection::{ConnectionKind, ConnectionSettings};
use crate::web::page::admin::members::MemberField;

const LINK: Member = seldom(tick(
    "link_by_verified_email",
    "Join people by a verified address (dangerous)",
    "Somebody new who comes with an address that an account has becomes that account, without a \
     question, if this is on at both connections and both providers have verified the address. \
     Whoever gets somebody's address verified at one of them then has the account. Only for \
     providers that verify every address themselves and never give one to a second person. Off, \
     people join what is theirs on their own account page.",
));

const APPLE: &[Member] = &[
    text("team_id", "Team ID", "Ten characters, at the top right of developer.apple.com."),
    text("services_id", "Services ID", "For sign-in through the browser, such as com.example.web."),
    list(
        "bundle_ids",
        "Bundle IDs",
        "For native sign-in, such as com.example.app. One on each line.",
    ),
    text("key_id", "Key ID", "Read from the name of the key's file, if left empty."),
    seldom(text(
        "primary_app_id",
        "Primary App ID",
        "If Apple's notifications name an app that is none of these.",
    )),
    seldom(text(
        "mail_sender_domain",
        "Domain of your mail",
        "Mail to relay addresses needs its SPF record; the check looks for it.",
    )),
    seldom(text("issuer", "Issuer", "Apple's own, or that of a simulated Apple.")),
    seldom(list(
        "additional_issuers",
        "Further issuers",
        "That tokens may carry. One on each line.",
    )),
    seldom(tick("pkce", "Send a PKCE challenge to Apple", "RFC 7636.")),
    LINK,
];

const OIDC: &[Member] = &[
    text(
        "issuer",
        "Issuer",
        "The provider's issuer identifier, byte for byte as its discovery document names it.",
    ),
    text("client_id", "client_id", "What the provider calls this broker."),
    list("scopes", "Scopes", "What to ask for; openid is among them. One on each line."),
    list(
        "allowed_email_domains",
        "Email domains",
        "Admit only people with a verified address of one of these. One on each line; empty admits everybody.",
    ),
    seldom(text(
        "issuer_template",
        "Issuer of tenants",
        "The form of the issuer in tokens of many tenants, with {tenantid}.",
    )),
    seldom(text("name_claim", "Claim with the name", "If it is not name.")),
    seldom(text("given_name_claim", "Claim with the given name", "If it is not given_name.")),
    seldom(text("family_name_claim", "Claim with the family name", "If it is not family_name.")),
    seldom(text("email_claim", "Claim with the address", "If it is not email.")),
    seldom(text(
        "email_verified_claim",
        "Claim that says the address is verified",
        "If it is not email_verified.",
    )),
    seldom(tick(
        "believe_amr",
        "Believe how people authenticated there (amr)",
        "Apps are told it, and the class that follows from it: acr 1 for a password, 2 for two \
         factors. Only for a provider that says so truly. Off, a sign-in there has no class.",
    )),
    LINK,
];

const GITHUB: &[Member] = &[
    text("client_id", "client_id", "Of the OAuth app at GitHub."),
    list(
        "allowed_email_domains",
        "Email domains",
        "Admit only people with a verified address of one of these. One on each line; empty admits everybody.",
    ),
    seldom(text("base_url", "Where people sign in", "For an Enterprise Server.")),
    seldom(text("api_url", "Where the API answers", "For an Enterprise Server.")),
    LINK,
];

const fn of_kind(kind: ConnectionKind) -> &'static [Member] {
    match kind {
        ConnectionKind::Apple => APPLE,
        ConnectionKind::Oidc => OIDC,
        ConnectionKind::Github => GITHUB,
    }
}

/// The fields of a form that shows these settings, or what was typed over them.
pub(super) fn fields(settings: &ConnectionSettings, typed: Option<&Form>) -> Vec<MemberField> {
    let stands = serde_json::to_value(settings).unwrap_or_default();
    members::fields(of_kind(settings.kind()), &stands, typed)
}

/// What the form makes of the settings: a merge patch.
pub(super) fn patch(kind: ConnectionKind, form: &Form) -> Map<String, Value> {
    members::patch(of_kind(kind), form)
}

/// The Key ID in the name that Apple gives a key's file: `AuthKey_ABC123DEFG.p8`.
pub(super) fn key_id_of(file_name: &str) -> Option<&str> {
    let id = file_name.strip_prefix("AuthKey_")?.strip_suffix(".p8")?;
    // A browser numbers what is downloaded twice: `AuthKey_ABC123DEFG (1).p8`.
    let id = id.split([' ', '(']).next().unwrap_or_default();
    (id.len() == 10 && id.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::connection::preset;
    use crate::web::page::admin::members::FieldShape;

    #[test]
    fn a_key_id_is_read_from_apples_own_file_names_alone() {
        assert_eq!(key_id_of("AuthKey_ABC123DEFG.p8"), Some("ABC123DEFG"));
        assert_eq!(key_id_of("AuthKey_ABC123DEFG (1).p8"), Some("ABC123DEFG"));
        for other in ["key.p8", "AuthKey_ABC.p8", "AuthKey_ABC123DEF!.p8", "AuthKey_.p8", ""] {
            assert_eq!(key_id_of(other), None, "{other}");
        }
    }

    #[test]
    fn what_a_form_shows_of_a_connection_is_what_it_would_save() {
        for name in ["google", "microsoft", "github"] {
            let draft = preset(name, None).unwrap().settings;
            let filled = serde_json::json!({ "client_id": "abc" });
            let filled = filled.as_object().unwrap();
            let settings = crate::protocol::client_settings::merge(&draft, filled).unwrap();
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            // A box that is not ticked is not sent.
            let sent = |field: &MemberField| field.shape != FieldShape::Tick || field.chosen;
            for field in fields(&settings, None).into_iter().filter(sent) {
                body.append_pair(field.name, &field.value);
            }
            let form = Form::parse(body.finish().as_bytes());
            let patch = patch(settings.kind(), &form);
            let after = crate::protocol::client_settings::merge(&settings, &patch).unwrap();
            assert_eq!(after, settings, "{name}");
        }
    }
}
