//! How an installation, or one client, looks to the people who sign in: name, picture, colours and
//! links. Colours that people could not read are refused.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::colour::{BLACK, Colour, ENOUGH, Scheme, WHITE};
use crate::metadata::UI_LOCALES;

/// Longest name and longest address.
const LONGEST_NAME: usize = 60;
const LONGEST_URI: usize = 2000;

/// How an installation or a client looks. What is absent is as it is without.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// What the installation is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its picture, by the name under which it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Buttons and links on light pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent_color: Option<String>,
    /// The same on dark pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent_color_dark: Option<String>,
    /// The ground of light pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// The same of dark ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_color_dark: Option<String>,
    /// Where people find help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_uri: Option<String>,
    /// The privacy policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// The terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// The language of those of whom nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_locale: Option<String>,
}

impl Branding {
    /// The four colours, with their names.
    pub fn colours(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("accent_color", self.accent_color.as_deref()),
            ("accent_color_dark", self.accent_color_dark.as_deref()),
            ("background_color", self.background_color.as_deref()),
            ("background_color_dark", self.background_color_dark.as_deref()),
        ]
    }

    /// The worst contrast of each colour that is set, from 1 to 21, by member.
    pub fn contrasts(&self) -> Vec<(&'static str, f64)> {
        let set = |(member, text): (&'static str, Option<&str>)| {
            Some((member, contrast_of(member, Colour::parse(text?)?).0))
        };
        self.colours().into_iter().filter_map(set).collect()
    }

    /// What is wrong with it, by member.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if let Some(name) = &self.name
            && (name.trim().is_empty()
                || name.chars().count() > LONGEST_NAME
                || name.chars().any(char::is_control))
        {
            let text = format!("must be 1 to {LONGEST_NAME} characters, none of them a control");
            problems.push(("name", text));
        }
        let hash =
            |id: &String| id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !self.logo.as_ref().is_none_or(hash) {
            problems.push(("logo", "is not the name of a picture that was kept here".to_owned()));
        }
        for (member, colour) in self.colours() {
            let Some(text) = colour else { continue };
            match Colour::parse(text) {
                None => problems.push((member, format!("{text:?} is not a colour like #1b5fc1"))),
                Some(colour) => {
                    problems.extend(unreadable(member, colour).map(|text| (member, text)));
                }
            }
        }
        for (member, uri) in [
            ("support_uri", &self.support_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
        ] {
            let good = |uri: &String| {
                uri.len() <= LONGEST_URI
                    && Url::parse(uri).is_ok_and(|url| {
                        url.scheme() == "mailto" || (url.scheme() == "https" && url.has_host())
                    })
            };
            if !uri.as_ref().is_none_or(good) {
                problems.push((member, "must be an https or mailto address".to_owned()));
            }
        }
        if let Some(tag) = &self.default_locale
            && !UI_LOCALES.contains(&tag.as_str())
        {
            problems.push(("default_locale", format!("must be one of {}", UI_LOCALES.join(", "))));
        }
        problems
    }

    /// What a client may set: its look. Name and links are members of its own.
    pub fn problems_of_client(&self) -> Vec<(&'static str, String)> {
        let others =
            [&self.name, &self.support_uri, &self.policy_uri, &self.tos_uri, &self.default_locale];
        let mut problems = self.problems();
        if others.into_iter().any(Option::is_some) {
            problems.push(("branding", "of a client holds a logo and colours alone".to_owned()));
        }
        problems
    }

    /// This, and where it says nothing, the other.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        let pick = |mine: &Option<String>, theirs: &Option<String>| mine.clone().or(theirs.clone());
        Self {
            name: pick(&self.name, &other.name),
            logo: pick(&self.logo, &other.logo),
            accent_color: pick(&self.accent_color, &other.accent_color),
            accent_color_dark: pick(&self.accent_color_dark, &other.accent_color_dark),
            background_color: pick(&self.background_color, &other.background_color),
            background_color_dark: pick(&self.background_color_dark, &other.background_color_dark),
            support_uri: pick(&self.support_uri, &other.support_uri),
            policy_uri: pick(&self.policy_uri, &other.policy_uri),
            tos_uri: pick(&self.tos_uri, &other.tos_uri),
            default_locale: pick(&self.default_locale, &other.default_locale),
        }
    }

    /// The colours as they stand in the address of their style sheet; `None` without any.
    pub fn style_name(&self) -> Option<String> {
        let colours = self.colours().map(|(_, colour)| colour.and_then(Colour::parse));
        colours.iter().any(Option::is_some).then(|| {
            let part = |colour: &Option<Colour>| {
                colour.map_or_else(|| "x".to_owned(), |it| it.to_string().split_off(1))
            };
            colours.iter().map(part).collect::<Vec<_>>().join("-")
        })
    }
}

/// The worst contrast that a colour has where it stands, and the nearest colour that has enough.
fn contrast_of(member: &str, colour: Colour) -> (f64, Colour) {
    let scheme = if member.ends_with("_dark") { Scheme::Dark } else { Scheme::Light };
    let soft = [scheme.soft()];
    let surfaces = scheme.surfaces();
    let (others, end): (&[Colour], Colour) = if member.starts_with("accent") {
        (&surfaces, scheme.away())
    } else {
        (&soft, scheme.towards())
    };
    (colour.worst(others), colour.nearest(end, others))
}

fn unreadable(member: &str, colour: Colour) -> Option<String> {
    let (ratio, nearest) = contrast_of(member, colour);
    let text = || {
        format!("has a contrast of {ratio:.1} to 1 and needs {ENOUGH}; the nearest is {nearest}")
    };
    (ratio < ENOUGH).then(text)
}

/// The style sheet under this name: the tokens of `static/russet.css` that the colours stand for.
/// `None` for a name that [`Branding::style_name`] does not give.
pub fn stylesheet(name: &str) -> Option<String> {
    let mut colours = [None; 4];
    let mut parts = name.split('-');
    for colour in &mut colours {
        *colour = match parts.next()? {
            "x" => None,
            text => Some(Colour::parse(text).filter(|_| !text.starts_with('#'))?),
        };
    }
    if parts.next().is_some() {
        return None;
    }
    let [accent, accent_dark, ground, ground_dark] = colours;
    let light = tokens(Scheme::Light, accent, ground);
    let dark = tokens(Scheme::Dark, accent_dark, ground_dark);
    Some(format!(
        ":root {{ {light}}}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n"
    ))
}

fn tokens(scheme: Scheme, accent: Option<Colour>, ground: Option<Colour>) -> String {
    let mut css = String::new();
    if let Some(accent) = accent {
        let strong = accent.mixed(scheme.away(), 40);
        let on = if accent.contrast(WHITE) >= accent.contrast(BLACK) { WHITE } else { BLACK };
        let [_, sunken] = scheme.surfaces();
        css = format!(
            "--accent: {accent}; --accent-strong: {strong}; --main: {accent}; \
             --main-strong: {strong}; --on-main: {on}; --accent-soft: {sunken}; "
        );
    }
    if let Some(ground) = ground {
        css.push_str(&format!("--ground: {ground}; "));
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_cannot_read_is_refused_with_the_nearest_they_can() {
        for (member, bad) in [
            ("accent_color", "#ff9900"),
            ("accent_color_dark", "#333399"),
            ("background_color", "#808080"),
            ("background_color_dark", "#777777"),
        ] {
            let with = |text: &str| {
                let document = serde_json::json!({ member: text });
                serde_json::from_value::<Branding>(document).unwrap()
            };
            let problems = with(bad).problems();
            assert_eq!(problems.len(), 1, "{member}");
            let (named, text) = &problems[0];
            assert_eq!(*named, member);
            let nearest = text.rsplit(' ').next().unwrap();
            assert_eq!(with(nearest).problems(), [], "{member}: {text}");
        }
        let good = Branding { accent_color: Some("#1b4f9c".into()), ..Branding::default() };
        assert_eq!(good.problems(), []);
        let [(member, ratio)] = good.contrasts()[..] else { unreachable!() };
        assert!(member == "accent_color" && ratio >= ENOUGH, "{ratio}");
    }

    #[test]
    fn names_addresses_and_languages_are_checked() {
        let branding = Branding {
            name: Some(" ".into()),
            support_uri: Some("javascript:alert(1)".into()),
            policy_uri: Some("http://example.com".into()),
            tos_uri: Some("mailto:legal@example.com".into()),
            default_locale: Some("tlh".into()),
            ..Branding::default()
        };
        let members: Vec<_> = branding.problems().into_iter().map(|(member, _)| member).collect();
        assert_eq!(members, ["name", "support_uri", "policy_uri", "default_locale"]);
        assert!(branding.problems_of_client().iter().any(|(member, _)| *member == "branding"));
    }

    #[test]
    fn a_style_sheet_is_named_by_its_colours_and_holds_nothing_else() {
        let mine = Branding { accent_color: Some("#1B4F9C".into()), ..Branding::default() };
        let theirs = Branding {
            accent_color: Some("#000000".into()),
            background_color_dark: Some("#101010".into()),
            ..Branding::default()
        };
        let name = mine.over(&theirs).style_name().unwrap();
        assert_eq!(name, "1b4f9c-x-x-101010");
        let css = stylesheet(&name).unwrap();
        assert!(css.contains("--main: #1b4f9c;") && css.contains("--ground: #101010;"), "{css}");
        assert_eq!(Branding::default().style_name(), None);
        for not in ["", "x", "x-x-x", "x-x-x-x-x", "#12345-x-x-x", "x-x-x-};evil"] {
            assert_eq!(stylesheet(not), None, "{not}");
        }
    }
}
