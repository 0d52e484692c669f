//! What is known of upstreams before an operator has filled anything in.

use super::{
    AppleMembers, ConnectionSettings, GithubMembers, OidcMembers, apple_issuer, github_api,
    github_base, oidc_scopes, yes,
};
use crate::upstream_claims::ClaimRules;

/// What is known of an upstream before an operator has filled anything in.
pub struct Preset {
    /// How it is called on the command line, such as `google`.
    pub name: &'static str,
    /// Its name for people.
    pub display_name: &'static str,
    /// The settings, with `client_id` still empty.
    pub settings: ConnectionSettings,
}

/// The presets. `tenant` is Microsoft's: a directory's id, or `common`, `organizations` or
/// `consumers` for many.
pub fn preset(name: &str, tenant: Option<&str>) -> Option<Preset> {
    let oidc = |issuer: String, issuer_template, claims| {
        ConnectionSettings::Oidc(OidcMembers {
            issuer,
            issuer_template,
            client_id: String::new(),
            scopes: oidc_scopes(),
            link_by_verified_email: false,
            believe_amr: false,
            claims,
        })
    };
    Some(match name {
        "google" => Preset {
            name: "google",
            display_name: "Google",
            settings: oidc("https://accounts.google.com".to_owned(), None, ClaimRules::default()),
        },
        "microsoft" => {
            let tenant = tenant.unwrap_or("common");
            let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
            let many = matches!(tenant, "common" | "organizations" | "consumers");
            // Microsoft says whether an address is the account's own in a claim of its own name.
            let claims =
                ClaimRules { email_verified: Some("xms_edov".to_owned()), ..ClaimRules::default() };
            Preset {
                name: "microsoft",
                display_name: "Microsoft",
                settings: oidc(of(tenant), many.then(|| of("{tenantid}")), claims),
            }
        }
        "github" => Preset {
            name: "github",
            display_name: "GitHub",
            settings: ConnectionSettings::Github(GithubMembers {
                client_id: String::new(),
                base_url: github_base(),
                api_url: github_api(),
                link_by_verified_email: false,
                claims: ClaimRules::default(),
            }),
        },
        _ => return None,
    })
}

/// What a new connection begins with.
pub struct Draft {
    /// Its name for people.
    pub display_name: &'static str,
    /// Settings in which an operator still fills in what is theirs.
    pub settings: ConnectionSettings,
}

/// A draft of this kind or preset.
pub fn draft(name: &str, tenant: Option<&str>) -> Option<Draft> {
    match name {
        "apple" => {
            let settings = ConnectionSettings::Apple(AppleMembers {
                team_id: String::new(),
                key_id: String::new(),
                next_key_id: None,
                services_id: None,
                bundle_ids: Vec::new(),
                primary_app_id: None,
                mail_sender_domain: None,
                issuer: apple_issuer(),
                additional_issuers: Vec::new(),
                pkce: yes(),
                link_by_verified_email: false,
            });
            Some(Draft { display_name: "Apple", settings })
        }
        "oidc" => {
            let settings = ConnectionSettings::Oidc(OidcMembers {
                issuer: String::new(),
                issuer_template: None,
                client_id: String::new(),
                scopes: oidc_scopes(),
                link_by_verified_email: false,
                believe_amr: false,
                claims: ClaimRules::default(),
            });
            Some(Draft { display_name: "an OpenID Provider", settings })
        }
        preset_name => {
            let preset = preset(preset_name, tenant)?;
            Some(Draft { display_name: preset.display_name, settings: preset.settings })
        }
    }
}

/// The names of the presets.
pub const PRESETS: [&str; 3] = ["google", "microsoft", "github"];
