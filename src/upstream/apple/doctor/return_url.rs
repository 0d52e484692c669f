//! The return URL: what Apple takes at all, and whether this one is registered — apple.md §1.1,
//! §10.1.

use url::{Host, Url};

use super::{ErrorBody, no_answer, unknown, wrong};
use crate::upstream::Finding;
use crate::upstream::apple::{AppleConnector, with_percent_20};

const SUBJECT: &str = "return URL";

impl AppleConnector {
    pub(in crate::upstream::apple) async fn examine_return_url(
        &self,
        return_url: &str,
    ) -> Option<Finding> {
        let services_id = self.settings.services_id.as_deref()?;
        // A simulated Apple on this machine takes what the real one would not.
        if self.settings.issuer.scheme() == "https"
            && let Some(problem) = problem(return_url)
        {
            return Some(wrong(SUBJECT, problem));
        }
        let mut url = self.endpoint("/auth/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", services_id)
            .append_pair("redirect_uri", return_url)
            .append_pair("response_type", "code id_token")
            .append_pair("response_mode", "form_post")
            .append_pair("state", "russet.check")
            .append_pair("nonce", "russet.check");
        let answer = self.outbound.get(&with_percent_20(url)).await;
        let refused = answer.as_ref().ok().filter(|answer| answer.status == 400).map(|answer| {
            let body = serde_json::from_slice::<ErrorBody>(&answer.body);
            body.map(|body| body.error).unwrap_or_default()
        });
        Some(match (refused.as_deref(), no_answer(&answer)) {
            // Whether the key is wrong or the Services ID, the token endpoint has told.
            (Some("invalid_client"), _) => unknown(
                SUBJECT,
                format!(
                    "Apple does not know {services_id} as a Services ID (invalid_client): a bundle \
                     ID or a team ID will not do; correct services_id"
                ),
            ),
            (Some(_), _) => wrong(
                SUBJECT,
                format!(
                    "Apple refuses {return_url}: it is not among the return URLs of {services_id}, \
                     letter by letter. Add it under Certificates, Identifiers & Profiles > \
                     Identifiers > Services IDs > {services_id} > Configure; Apple wants https and \
                     a domain name, so it follows server.issuer"
                ),
            ),
            (_, Some(_)) => unknown(SUBJECT, "not looked at: Apple does not answer"),
            (_, None) => unknown(
                SUBJECT,
                format!(
                    "{return_url} must be among the return URLs of {services_id} (Certificates, \
                     Identifiers & Profiles > Identifiers > Services IDs > Configure); Apple did \
                     not refuse it, but only a sign-in can tell"
                ),
            ),
        })
    }
}

/// What Apple takes no return URL like.
pub(super) fn problem(return_url: &str) -> Option<String> {
    let url = Url::parse(return_url).ok()?;
    let named = matches!(url.host(), Some(Host::Domain(name)) if name != "localhost");
    let good = url.scheme() == "https" && named && url.fragment().is_none();
    (!good).then(|| {
        format!(
            "Apple takes no return URL like {return_url}: it wants https and a domain name, neither \
             localhost nor an address in numbers; change server.issuer"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apple_wants_https_and_a_name() {
        assert_eq!(problem("https://id.example.com/upstream/apple/callback"), None);
        for bad in [
            "http://id.example.com/x",
            "https://localhost/x",
            "https://192.0.2.1/x",
            "https://[2001:db8::1]/x",
            "https://id.example.com/x#y",
        ] {
            assert!(problem(bad).is_some_and(|text| text.contains("server.issuer")), "{bad}");
        }
    }
}
