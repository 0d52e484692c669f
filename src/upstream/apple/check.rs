//! What is wrong with an Apple connection, as far as can be told without a sign-in.

use super::AppleConnector;
use super::client_keys::Ask;
use super::token_endpoint::refused;
use crate::protocol::ambient::Timestamp;
use crate::upstream::{Finding, UpstreamError, Verdict};

impl AppleConnector {
    pub(super) async fn diagnose(&self, now: Timestamp) -> Vec<Finding> {
        let mut findings = vec![finding(
            Verdict::Fine,
            "private key",
            "parses as a P-256 key and signs".to_owned(),
        )];
        findings.push(match self.jwks.fetch().await {
            Ok(keys) => finding(Verdict::Fine, "Apple's keys", format!("{} fetched", keys.len())),
            Err(error) => finding(Verdict::Unknown, "Apple's keys", error.to_string()),
        });
        let clients = self.settings.services_id.iter().chain(&self.settings.bundle_ids);
        for client_id in clients {
            // A code that cannot exist: Apple looks at the client first and at the code second.
            let form = [("grant_type", "authorization_code"), ("code", "russet.check")];
            let ask = Ask { path: "/auth/token", client_id, form: &form, bearer: None };
            for (key_id, answer) in self.ask_each(&ask, now).await {
                let subject = format!("credentials of {client_id} with key {key_id}");
                let error = answer.and_then(|answer| match answer.status {
                    200 => Ok(()),
                    400 | 401 => Err(refused(&answer.body)),
                    status => {
                        Err(UpstreamError::Unavailable(format!("the token endpoint said {status}")))
                    }
                });
                let found = match error {
                    Err(UpstreamError::Rejected { .. }) => {
                        (Verdict::Fine, "Apple accepts the client secret".to_owned())
                    }
                    Err(UpstreamError::Misconfigured(cause)) => (Verdict::Wrong, cause),
                    Err(other) => (Verdict::Unknown, other.to_string()),
                    Ok(()) => {
                        (Verdict::Unknown, "Apple accepted a code that it never made".to_owned())
                    }
                };
                findings.push(finding(found.0, &subject, found.1));
            }
        }
        findings
    }
}

fn finding(verdict: Verdict, subject: &str, message: String) -> Finding {
    Finding { verdict, subject: subject.to_owned(), message }
}
