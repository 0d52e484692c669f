//! What is wrong with an Apple connection, as far as can be told without a sign-in.

use super::AppleConnector;
use super::token_endpoint::Redemption;
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
            let subject = format!("credentials of {client_id}");
            // A code that cannot exist: Apple looks at the client first and at the code second.
            let redemption = Redemption {
                client_id,
                code: "russet.check",
                redirect_uri: None,
                code_verifier: None,
            };
            let found = match self.redeem_code(&redemption, now).await {
                Err(UpstreamError::Rejected { .. }) => {
                    (Verdict::Fine, "Apple accepts the client secret".to_owned())
                }
                Err(UpstreamError::Misconfigured(cause)) => (Verdict::Wrong, cause),
                Err(other) => (Verdict::Unknown, other.to_string()),
                Ok(_) => (Verdict::Unknown, "Apple accepted a code that it never made".to_owned()),
            };
            findings.push(finding(found.0, &subject, found.1));
        }
        findings
    }
}

fn finding(verdict: Verdict, subject: &str, message: String) -> Finding {
    Finding { verdict, subject: subject.to_owned(), message }
}
