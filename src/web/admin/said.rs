//! What the console says in the same words everywhere: what was done, days, moments, browsers.

use super::safety::many;
use crate::protocol::ambient::Timestamp;
use crate::web::user_agent;

/// What was done, told on the page after it. The address names it; the words are ours.
pub(super) fn words_of(done: &str) -> Option<&'static str> {
    Some(match done {
        "saved" => "Saved.",
        "disabled" => "Disabled.",
        "enabled" => "Enabled.",
        "factors-removed" => "The second factor is removed.",
        "deleted" => "Deleted.",
        "created" => "Registered.",
        "already-registered" => {
            "This form was sent before, and registered this client then. A secret is shown only \
             once; if you missed it, rotate it."
        }
        "signed-out" => "Signed out.",
        "password-changed" => "Your password is changed; your other sessions ended.",
        "factor-added" => "The second factor is set up; your other sessions ended.",
        "factor-removed" => "The second factor is removed.",
        "identity-bound" => "Bound. You can sign in through it from now on.",
        "identity-unbound" => "Unbound; the sessions that were opened through it ended.",
        "factors-reset" => "Their second factors are removed and their sessions ended.",
        "codes-already-shown" => "The codes were shown once. If you missed them, make new ones.",
        "account-made" => "The account is made. For an editor, name the clients.",
        "revoked" => "The key is revoked.",
        "unlinked" => "Unlinked.",
        "owed-again" => "It will be tried again at once.",
        "hastened" => "It goes on at once.",
        "rotated" => "The next key is made. It signs when every cache has it.",
        "already-next" => "The next key was made already.",
        "retired" => "The key is out of service; its successor signs.",
        "already-shown" => {
            "The secret was shown once, and cannot be shown again. If you missed it, rotate it."
        }
        "connected" => "Connected. Paste what follows at the provider, then check it.",
        "key-turned" => "Done. Check the connection.",
        "key-missing" => "Give the .p8 of the next key. Its Key ID is in the name of its file.",
        "secret-revoked" => "The secret is revoked.",
        "last-secret" => {
            "Not revoked. It is the last good secret: type the client's name to end it."
        }
        "already-rotated" => "This form was sent before; no further secret was made.",
        _ => return None,
    })
}

/// Seconds as people say them, such as `30 days`; what is no round number of anything stays.
pub(super) fn span(seconds: u32) -> String {
    for (length, one, several) in
        [(86_400, "day", "days"), (3_600, "hour", "hours"), (60, "minute", "minutes")]
    {
        if seconds >= length && seconds.is_multiple_of(length) {
            return many(u64::from(seconds / length), one, several);
        }
    }
    many(u64::from(seconds), "second", "seconds")
}

/// A day as the console writes it: `24 Nov`.
pub(super) fn day(at: Timestamp) -> String {
    let format = time::macros::format_description!("[day padding:none] [month repr:short]");
    time::OffsetDateTime::from_unix_timestamp(at.secs())
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_default()
}

/// A moment as the console writes it: `24 Nov 2026, 12:30 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    let format = time::macros::format_description!(
        "[day padding:none] [month repr:short] [year], [hour]:[minute] UTC"
    );
    time::OffsetDateTime::from_unix_timestamp(at.secs())
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_default()
}

/// What somebody signed in with: `Firefox on Linux`. What a browser says of itself in full is
/// nothing to read.
pub(super) fn browser(user_agent: Option<&str>) -> String {
    match user_agent::summary(user_agent.unwrap_or_default()) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "An unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_said_as_people_say_them() {
        for (seconds, words) in [
            (2_592_000, "30 days"),
            (86_400, "1 day"),
            (90_000, "25 hours"),
            (600, "10 minutes"),
            (61, "61 seconds"),
            (0, "0 seconds"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }

    #[test]
    fn a_browser_is_called_by_its_name_and_its_system() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(browser(Some(firefox)), "Firefox on Linux");
        assert_eq!(browser(Some("curl/8.0")), "curl");
        assert_eq!(browser(Some("<script>")), "An unknown browser");
        assert_eq!(browser(None), "An unknown browser");
    }
}
