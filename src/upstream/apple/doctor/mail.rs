//! Whether mail from the operator's domain can reach relay addresses: Apple's relay demands SPF —
//! apple.md §4, RFC 7208.

use super::{fine, unknown, wrong};
use crate::protocol::ambient::Timestamp;
use crate::upstream::Finding;
use crate::upstream::dns;

const SUBJECT: &str = "relay mail";

pub(super) async fn examine(domain: &str, now: Timestamp) -> Finding {
    // Any name for the question will do: nothing but this finding hangs on the answer.
    let id = u16::try_from(now.millis().rem_euclid(65_536)).unwrap_or_default();
    judge(domain, dns::txt(domain, id).await)
}

fn judge(domain: &str, records: Result<Vec<String>, String>) -> Finding {
    let records = match records {
        Ok(records) => records,
        Err(cause) => {
            return unknown(SUBJECT, format!("no name server told the SPF of {domain} ({cause})"));
        }
    };
    let spf: Vec<&String> = records.iter().filter(|record| is_spf(record)).collect();
    let only = match spf.as_slice() {
        [] => {
            return wrong(
                SUBJECT,
                format!(
                    "{domain} has no SPF record, so mail to Hide My Email addresses bounces; \
                     publish a TXT record such as \"v=spf1 include:YOUR-MAILER -all\""
                ),
            );
        }
        [only] => only.to_ascii_lowercase(),
        [..] => {
            return wrong(
                SUBJECT,
                format!(
                    "{domain} has {} SPF records, which counts as none (RFC 7208 §4.5); join them \
                     into one TXT record",
                    spf.len()
                ),
            );
        }
    };
    let mut terms = only.split_ascii_whitespace().skip(1);
    if terms.clone().any(|term| matches!(term, "all" | "+all")) {
        return wrong(
            SUBJECT,
            format!("the SPF record of {domain} allows everybody (+all); end it with -all or ~all"),
        );
    }
    if terms.all(|term| matches!(term, "-all" | "~all" | "?all") || term.contains('='))
        && !only.contains("redirect=")
    {
        return wrong(
            SUBJECT,
            format!(
                "the SPF record of {domain} allows nobody to send; add your mailer, such as \
                 include:YOUR-MAILER"
            ),
        );
    }
    fine(
        SUBJECT,
        format!(
            "{domain} has an SPF record; it must also be registered under Certificates, \
             Identifiers & Profiles > Services > Sign in with Apple for Email Communication, which \
             only Apple knows"
        ),
    )
}

/// RFC 7208 §4.5: the version is the whole record or followed by a space.
fn is_spf(record: &str) -> bool {
    let (version, _) = record.split_once(' ').unwrap_or((record, ""));
    version.eq_ignore_ascii_case("v=spf1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Verdict;

    #[test]
    fn a_domain_sends_to_the_relay_with_one_sound_record() {
        for (records, verdict, says) in [
            (&["v=spf1 include:mailer.example -all"][..], Verdict::Fine, "registered"),
            (&["V=SPF1 mx ~all", "google-site-verification=x"], Verdict::Fine, "registered"),
            (&["v=spf1 redirect=_spf.example"], Verdict::Fine, "registered"),
            (&["v=spf10 mx -all"], Verdict::Wrong, "no SPF record"),
            (&["anything"], Verdict::Wrong, "no SPF record"),
            (&[], Verdict::Wrong, "no SPF record"),
            (&["v=spf1 mx -all", "v=spf1 a -all"], Verdict::Wrong, "2 SPF records"),
            (&["v=spf1 +all"], Verdict::Wrong, "allows everybody"),
            (&["v=spf1 mx all"], Verdict::Wrong, "allows everybody"),
            (&["v=spf1 -all"], Verdict::Wrong, "allows nobody"),
            (&["v=spf1"], Verdict::Wrong, "allows nobody"),
        ] {
            let records = records.iter().map(|record| (*record).to_owned()).collect();
            let found = judge("shop.example", Ok(records));
            assert_eq!(found.verdict, verdict, "{}", found.message);
            assert!(found.message.contains(says), "{}", found.message);
        }
        let silent = judge("shop.example", Err("timed out".to_owned()));
        assert_eq!(silent.verdict, Verdict::Unknown, "no resolver is no fault of the domain's");
    }
}
