//! What a browser calls itself, in words: enough to tell one's own devices apart, and no more.

/// The longest that is kept of what a browser says of itself.
const LONGEST: usize = 300;

/// Browsers, the more particular ones first: most of them claim to be others too.
const BROWSERS: [(&str, &str); 12] = [
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// Systems, likewise.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// The browser and the system it runs on, as far as they are known by name.
pub(super) fn summary(user_agent: &str) -> (Option<&'static str>, Option<&'static str>) {
    (first(&BROWSERS, user_agent), first(&SYSTEMS, user_agent))
}

/// What is kept of it.
pub(super) fn kept(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

fn first(known: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    known.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_that_claim_to_be_others_are_known_all_the_same() {
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15";
        for (text, browser, system) in [
            (format!("{mac} (KHTML, like Gecko) Version/18.1 Safari/605.1.15"), "Safari", "Mac"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
                    .to_owned(),
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1"
                    .to_owned(),
                "Chrome",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0.0.0 Mobile Safari/537.36"
                    .to_owned(),
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0".to_owned(),
                "Firefox",
                "Linux",
            ),
        ] {
            assert_eq!(summary(&text), (Some(browser), Some(system)), "{text}");
        }
        assert_eq!(summary("something else"), (None, None));
    }

    #[test]
    fn little_is_kept_of_what_is_said() {
        assert_eq!(kept(&"x".repeat(1000)).len(), LONGEST);
        assert_eq!(kept("a\u{0}b\nc"), "abc");
    }
}
