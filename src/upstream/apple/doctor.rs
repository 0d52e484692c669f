//! The connection doctor: what is wrong with an Apple connection, as far as can be told without a
//! sign-in — apple.md §1.2, §1.6, §2, §10.1.
//!
//! Each cause is one finding that names it and says where to mend it; what follows from a cause is
//! left open, not found wrong as well. Apple looks at the client first and at the code second, so a
//! code that cannot exist tells whether the credentials are good.

mod mail;
mod return_url;

use serde::Deserialize;

use super::AppleConnector;
use super::client_secret::ClientSecrets;
use crate::protocol::ambient::Timestamp;
use crate::protocol::p8::key_id_of_file;
use crate::upstream::http::{Answer, OutboundError};
use crate::upstream::{Finding, Verdict};

/// From here on Apple refuses what this machine dates.
const SKEW_SECONDS: i64 = 60;

/// How Apple met a client secret.
enum Met {
    /// `invalid_grant`: the credentials are good.
    Accepted,
    /// `invalid_client`
    Refused,
    /// Something else, in a few words.
    Odd(String),
    /// No answer of Apple's.
    Away(String),
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
}

fn finding(verdict: Verdict, subject: &str, message: impl Into<String>) -> Finding {
    Finding { verdict, subject: subject.to_owned(), message: message.into() }
}

fn fine(subject: &str, message: impl Into<String>) -> Finding {
    finding(Verdict::Fine, subject, message)
}

fn unknown(subject: &str, message: impl Into<String>) -> Finding {
    finding(Verdict::Unknown, subject, message)
}

fn wrong(subject: &str, message: impl Into<String>) -> Finding {
    finding(Verdict::Wrong, subject, message)
}

impl AppleConnector {
    pub(super) async fn diagnose(&self, now: Timestamp) -> Vec<Finding> {
        let discovery =
            self.outbound.get(&self.endpoint("/.well-known/openid-configuration")).await;
        let keys = self.outbound.get_key_set(&self.endpoint("/auth/keys")).await;
        let told = discovery.as_ref().or(keys.as_ref()).ok().and_then(|answer| answer.date);
        // By Apple's own clock: a clock that is off here is a finding of its own, not a wrong key.
        let at = told.unwrap_or(now);
        let (active, next) = self.keys.each();
        let met = self.probe_each(active, at).await;
        let mut findings = vec![fine("private key", "a P-256 key, and it signs")];
        let away = |(_, met): &(_, Met)| matches!(met, Met::Away(_));
        if let (Some(cause), Some(_)) = (no_answer(&discovery), no_answer(&keys))
            && met.iter().all(away)
        {
            findings.push(wrong("Apple", cause));
            let rest = "not looked at: Apple does not answer";
            findings.extend(["keys", "credentials"].map(|subject| unknown(subject, rest)));
        } else {
            findings.extend(told.map(|told| clock(now, told)));
            findings.push(self.discovery(&discovery));
            findings.push(self.keys(&keys));
            findings.extend(self.credentials(&met, at).await);
            if let Some(next) = next {
                findings.push(next_key(next.key_id(), &self.probe_each(next, at).await));
            }
        }
        if let Some(domain) = &self.settings.mail_sender_domain {
            findings.push(mail::examine(domain, now).await);
        }
        findings
    }

    fn client_ids(&self) -> Vec<&String> {
        self.settings.services_id.iter().chain(&self.settings.bundle_ids).collect()
    }

    async fn probe_each(&self, secrets: &ClientSecrets, at: Timestamp) -> Vec<(&String, Met)> {
        let mut met = Vec::new();
        for client_id in self.client_ids() {
            met.push((client_id, self.probe(secrets, secrets.key_id(), client_id, at).await));
        }
        met
    }

    async fn probe(
        &self,
        secrets: &ClientSecrets,
        key_id: &str,
        client_id: &str,
        at: Timestamp,
    ) -> Met {
        let secret = match secrets.mint_under(key_id, client_id, at) {
            Ok(secret) => secret,
            Err(error) => return Met::Odd(error.to_string()),
        };
        let form = [
            ("client_id", client_id),
            ("client_secret", secret.expose().as_str()),
            ("grant_type", "authorization_code"),
            ("code", "russet.check"),
        ];
        let answer = self.outbound.post_form(&self.endpoint("/auth/token"), &form).await;
        if let Some(cause) = no_answer(&answer) {
            return Met::Away(cause);
        }
        let body = answer.map(|answer| answer.body).unwrap_or_default();
        match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(ErrorBody { error }) if error == "invalid_grant" => Met::Accepted,
            Ok(ErrorBody { error }) if error == "invalid_client" => Met::Refused,
            Ok(ErrorBody { error }) => {
                Met::Odd(format!("Apple says {}", error.chars().take(64).collect::<String>()))
            }
            Err(_) => Met::Odd("Apple's answer is none that is known".to_owned()),
        }
    }

    fn discovery(&self, answer: &Result<Answer, OutboundError>) -> Finding {
        let subject = "discovery";
        let read = answer.as_ref().ok().filter(|answer| answer.status == 200);
        let read = read.and_then(|answer| serde_json::from_slice::<Discovery>(&answer.body).ok());
        match read {
            Some(Discovery { issuer }) if self.issuers.contains(&issuer) => {
                fine(subject, "names the issuer that is pinned here")
            }
            Some(Discovery { issuer }) => wrong(
                subject,
                format!(
                    "Apple's discovery document names the issuer {:?} in place of {:?}. Russet \
                     keeps to its own, so nothing breaks yet; if sign-ins begin to fail with \
                     iss_mismatch, add the new one to apple.additional_issuers",
                    issuer.chars().take(128).collect::<String>(),
                    self.issuer
                ),
            ),
            None => unknown(subject, "could not be read; Russet does without it"),
        }
    }

    fn keys(&self, answer: &Result<Answer, OutboundError>) -> Finding {
        let subject = "keys";
        let url = self.endpoint("/auth/keys");
        let problem = match (no_answer(answer), answer) {
            (Some(cause), _) => cause,
            (None, Ok(answer)) => match super::jwks::usable(&answer.body) {
                Some(count) if count > 0 => {
                    return fine(subject, format!("{count} of Apple's keys can be used"));
                }
                Some(_) => "the set holds no key that can be used".to_owned(),
                None => "the answer is not a JWKS".to_owned(),
            },
            (None, Err(error)) => error.to_string(),
        };
        wrong(
            subject,
            format!(
                "Apple's keys at {url} are not to be had ({problem}). Without them no identity \
                 token and no notification can be verified; look at what stands between here and \
                 Apple, such as a proxy or firewall that answers in its place"
            ),
        )
    }

    /// Which of team, Key ID, key and client ids is wrong, as far as Apple's answers tell them
    /// apart: what is refused for every client lies in what signs, what is refused for one in it.
    async fn credentials(&self, met: &[(&String, Met)], at: Timestamp) -> Vec<Finding> {
        let accepted: Vec<_> =
            met.iter().filter(|(_, met)| matches!(met, Met::Accepted)).map(|(id, _)| *id).collect();
        let refused: Vec<_> =
            met.iter().filter(|(_, met)| matches!(met, Met::Refused)).map(|(id, _)| *id).collect();
        if accepted.is_empty() && !refused.is_empty() {
            let mut findings = vec![self.signer_refused(&refused, at).await];
            findings.extend(met.iter().map(|(id, _)| {
                unknown(&self.called(id), "not to be told until the rest is mended")
            }));
            return findings;
        }
        let strange = met.iter().find_map(|(_, met)| match met {
            Met::Odd(what) | Met::Away(what) => Some(what),
            Met::Accepted | Met::Refused => None,
        });
        let each = met.iter().map(|(id, met)| match met {
            Met::Accepted => fine(&self.called(id), "Apple accepts the client secret"),
            Met::Refused => wrong(&self.called(id), self.client_refused(id, &accepted)),
            Met::Odd(_) | Met::Away(_) => {
                unknown(&self.called(id), "not to be told while the token endpoint is unwell")
            }
        });
        strange.map(|what| self.token_endpoint(what)).into_iter().chain(each).collect()
    }

    /// Nobody can sign in without it, whatever the rest of Apple answers.
    fn token_endpoint(&self, what: &str) -> Finding {
        let url = self.endpoint("/auth/token");
        wrong(
            "token endpoint",
            format!(
                "{url} did not answer as Apple does ({what}). Until it does nobody can sign in and \
                 no grant can be checked; run this again in a few minutes, and if it stays so look \
                 at what stands between here and Apple, such as a proxy or firewall"
            ),
        )
    }

    fn called(&self, client_id: &str) -> String {
        let kind = if self.settings.services_id.as_deref() == Some(client_id) {
            "Services ID"
        } else {
            "bundle ID"
        };
        format!("{kind} {client_id}")
    }

    fn client_refused(&self, client_id: &str, accepted: &[&String]) -> String {
        let web = self.settings.services_id.as_deref() == Some(client_id);
        let (key, place) = if web {
            ("apple.services_id", "Services IDs")
        } else {
            ("apple.bundle_ids", "App IDs")
        };
        let good = accepted.first().map_or("another", |id| id.as_str());
        format!(
            "Apple does not know it (invalid_client), though it accepts the same key for {good}. \
             Compare {key} with Certificates, Identifiers & Profiles > Identifiers > {place}: it \
             must be spelt so, have Sign in with Apple switched on, and belong to the primary App \
             ID for which the key was made"
        )
    }

    async fn signer_refused(&self, refused: &[&String], at: Timestamp) -> Finding {
        let settings = &self.settings;
        let (team_id, key_id) = (&settings.team_id, &settings.key_id);
        let file = settings.private_key_file.as_deref();
        let named = file.and_then(key_id_of_file).filter(|named| named != key_id);
        if let (Some(named), Some(client_id)) = (named, refused.first()) {
            let accepted =
                matches!(self.probe(self.keys.each().0, named, client_id, at).await, Met::Accepted);
            let file = file.unwrap_or_default();
            return wrong(
                "Key ID",
                if accepted {
                    format!(
                        "apple.key_id is {key_id:?}, but the private key is that of {named:?}, as \
                         its file {file} says and Apple confirms. Set apple.key_id to {named:?}, or \
                         apple.private_key_file to AuthKey_{key_id}.p8"
                    )
                } else {
                    format!(
                        "apple.key_id is {key_id:?}, but the file {file} holds the key of \
                         {named:?}, and Apple accepts neither pair. Set apple.private_key_file to \
                         AuthKey_{key_id}.p8, or make a new key and set both"
                    )
                },
            );
        }
        let agrees = file.and_then(key_id_of_file).is_some();
        let first = if agrees {
            "The file's name and apple.key_id agree, so look at apple.team_id first"
        } else {
            "Look at apple.key_id first: it must be the one in the name AuthKey_….p8 under which \
             Apple gave out the private key; then at apple.team_id"
        };
        let only = match refused {
            [only] => format!(
                "; since it is the only identifier that is configured, {} may be wrong as well",
                self.called(only)
            ),
            _ => String::new(),
        };
        wrong(
            "team, Key ID and private key",
            format!(
                "Apple refuses the client secret (invalid_client) for every identifier, so what \
                 signs it is wrong: team {team_id:?}, Key ID {key_id:?}, or the private key. \
                 {first}: it stands at the top right of developer.apple.com/account, in the account \
                 where the key was made. If both are right the key was revoked or replaced: make a \
                 new one under Certificates, Identifiers & Profiles > Keys{only}"
            ),
        )
    }
}

fn next_key(key_id: &str, met: &[(&String, Met)]) -> Finding {
    let subject = format!("next key {key_id}");
    if met.iter().any(|(_, met)| matches!(met, Met::Accepted)) {
        fine(&subject, "Apple accepts it already")
    } else if met.iter().all(|(_, met)| matches!(met, Met::Refused)) {
        wrong(
            &subject,
            "Apple refuses it (invalid_client): next_key_id must be the Key ID of \
             next_private_key, and the key one of this team",
        )
    } else {
        unknown(&subject, "not to be told now")
    }
}

fn clock(now: Timestamp, told: Timestamp) -> Finding {
    let ahead = now.secs().saturating_sub(told.secs());
    if ahead.abs() <= SKEW_SECONDS {
        return fine("clock", format!("within {} s of Apple's", ahead.abs()));
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    wrong(
        "clock",
        format!(
            "this machine's clock is {} s {side} Apple's, so Apple refuses what is signed here, or \
             what Apple signs is refused here; set it by NTP, such as with `timedatectl set-ntp \
             true`",
            ahead.abs()
        ),
    )
}

/// Why an answer is none of Apple's own, with the remedy; `None` when it is one.
fn no_answer(answer: &Result<Answer, OutboundError>) -> Option<String> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error @ (OutboundError::Unreachable { .. } | OutboundError::Malformed)) => {
            return Some(format!(
                "{error}; let the broker out to Apple on port 443 (name resolution, firewall)"
            ));
        }
        // The guard's own words hold the remedy.
        Err(error) => return Some(error.to_string()),
    };
    let json = serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok();
    match answer.status {
        200 | 400 | 401 => None,
        403 if !json => Some(
            "Apple answers 403 with a page in place of JSON: it turns away this machine's address, \
             as it does with some hosting networks. Let the broker reach Apple from another address"
                .to_owned(),
        ),
        404 => Some("nothing is there (404); is apple.issuer right?".to_owned()),
        status => Some(format!("Apple answers {status}; it is unwell, try again later")),
    }
}
