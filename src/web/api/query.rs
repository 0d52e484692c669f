//! What may stand in a query of the admin API: told by the document, and held to.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpRequest};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::op::admin::FieldProblem;
use crate::protocol::digits;

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Limit,
    Seconds,
    /// How many days, of a year and a bit.
    Days,
    Cursor,
    /// The same, where it says several things.
    Place,
    OneOf(&'static [&'static str]),
}

/// A parameter.
pub(super) type Parameter = (&'static str, Kind);

/// Most that one page holds.
pub(super) const MOST: u32 = 200;

/// Most days that are asked for.
const LONGEST: u64 = 3650;

/// No address holds a NUL.
pub(super) const WITHOUT_NUL: &str = r"^[^\u0000]*$";

pub(super) const AFTER: Parameter = ("after", Kind::Text);
pub(super) const PLACE: Parameter = ("after", Kind::Place);
pub(super) const LIMIT: Parameter = ("limit", Kind::Limit);
pub(super) const Q: Parameter = ("q", Kind::Text);
/// Those of a list that is not searched.
pub(super) const PAGE: &[Parameter] = &[AFTER, LIMIT];

impl Kind {
    /// Its schema in the document.
    pub(super) fn described(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string", "pattern": WITHOUT_NUL }),
            Self::Limit => {
                json!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": 50 })
            }
            Self::Seconds => json!({
                "type": "integer",
                "minimum": 0,
                "maximum": u32::MAX,
                "description": "Seconds since the epoch",
            }),
            Self::Days => json!({ "type": "integer", "minimum": 1, "maximum": LONGEST }),
            Self::Cursor => json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX }),
            Self::Place => json!({ "type": "string", "pattern": r"^\[.*\]$" }),
            Self::OneOf(words) => json!({ "enum": words }),
        }
    }

    fn problem(self, value: &str) -> Option<String> {
        let number = digits::number::<u64>(value);
        let within = |least: u64, most: u64| number.is_some_and(|it| least <= it && it <= most);
        match self {
            Self::Text => None,
            Self::Limit => (!within(1, u64::from(MOST)))
                .then(|| format!("must be a number between 1 and {MOST}")),
            Self::Seconds => (!within(0, u64::from(u32::MAX)))
                .then(|| "must be seconds since the epoch".to_owned()),
            Self::Days => (!within(1, LONGEST))
                .then(|| format!("must be a number of days between 1 and {LONGEST}")),
            Self::Cursor => {
                (!within(0, i64::MAX.unsigned_abs())).then(|| "must be what next said".to_owned())
            }
            Self::Place => place(value).is_none().then(|| "must be what next said".to_owned()),
            Self::OneOf(words) => {
                (!words.contains(&value)).then(|| format!("must be one of {}", words.join(", ")))
            }
        }
    }
}

/// A place in a list, and the question to which the list is the answer.
fn place(after: &str) -> Option<(String, String)> {
    serde_json::from_str(after).ok()
}

/// What a query asks for, besides where its page begins and ends.
fn question(pairs: &[(String, String)]) -> String {
    let mut asked: Vec<_> = pairs
        .iter()
        .filter(|(name, value)| !["after", "limit"].contains(&name.as_str()) && !value.is_empty())
        .collect();
    asked.sort();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish()
}

/// What is wrong with a query. A parameter that there is not is a mistake, and not ignored: a
/// filter with a misspelt name would answer with everything.
pub(super) fn problems(query: &str, allowed: &[Parameter]) -> Vec<FieldProblem> {
    let mut seen: Vec<&str> = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let problem = match allowed.iter().find(|(known, _)| *known == name) {
            None => {
                problems.push(FieldProblem::new("query", format!("{name:?} is not a parameter")));
                continue;
            }
            Some((known, _)) if seen.contains(known) => Some((*known, "is given twice".to_owned())),
            Some((known, kind)) => {
                seen.push(known);
                kind.problem(&value).map(|problem| (*known, problem))
            }
        };
        problems.extend(problem.map(|(name, message)| FieldProblem::new(name, message)));
    }
    let after = allowed.contains(&PLACE).then(|| Asked::of(query)).and_then(|asked| {
        let (of, _) = place(&asked.get("after")?)?;
        (of != question(&asked.0)).then_some(())
    });
    if after.is_some() {
        let message = "is of a list in another order or of another search: begin that anew";
        problems.push(FieldProblem::new("after", message));
    }
    problems
}

/// The values of a query.
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    fn of(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Where a page begins, if it is not the first, as the list itself knows it.
    pub(super) fn place(&self) -> Option<String> {
        place(&self.get("after")?).map(|(_, inner)| inner)
    }

    /// Where the next page begins: a place that is good for this question alone.
    pub(super) fn next(&self, inner: Option<String>) -> Option<String> {
        inner.map(|inner| json!([question(&self.0), inner]).to_string())
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// Takes what is too much off a list of which one more was read than is wanted, and says where
    /// the next page begins.
    pub(super) fn rest<T>(
        &self,
        found: &mut Vec<T>,
        place: impl Fn(&T) -> String,
    ) -> Option<String> {
        let wanted = usize::try_from(self.limit()).unwrap_or(usize::MAX);
        let more = found.len() > wanted;
        found.truncate(wanted);
        found.last().filter(|_| more).map(place)
    }

    /// How many are wanted: 1 to 200, 50 if nothing is said.
    pub(super) fn limit(&self) -> u32 {
        let asked = self.get("limit").and_then(|limit| limit.parse().ok());
        asked.unwrap_or(50).clamp(1, MOST)
    }
}

impl FromRequest for Asked {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.query_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::api::ROUTES;

    fn of(path: &str) -> &'static [Parameter] {
        let route = ROUTES.iter().find(|route| route.method == "GET" && route.path == path);
        route.map(|route| route.query).unwrap()
    }

    #[test]
    fn every_list_goes_on_where_its_page_ended() {
        for route in ROUTES.iter().filter(|route| route.method == "GET") {
            let lists = route
                .answer
                .is_some_and(|answer| (answer.described)()["properties"].get("next").is_some());
            let asked = |name| route.query.iter().any(|(known, _)| *known == name);
            assert_eq!(lists, asked("after") && asked("limit"), "{}", route.path);
        }
    }

    #[test]
    fn each_value_is_what_the_document_says() {
        let events = of("/events");
        assert_eq!(problems("kind=client.created&limit=200&from=1&after=7", events), []);
        for bad in
            ["limit=0", "limit=201", "limit=x", "limit=%2B5", "limit=", "from=-1", "until=1e9"]
        {
            assert_eq!(problems(bad, events).len(), 1, "{bad}");
        }
        let users = of("/users");
        assert_eq!(problems("state=disabled&sort=oldest&q=", users), []);
        assert_eq!(problems("state=gone&sort=up", users).len(), 2);
        for bad in ["after=", "after=x", "after={}", "after=[1,%22a%22]"] {
            assert_eq!(problems(bad, users).len(), 1, "{bad}: it would begin anew");
        }
    }

    #[test]
    fn nothing_else_stands_there_and_nothing_twice() {
        let clients = of("/clients");
        assert_eq!(problems("Q=shop", clients).len(), 1);
        assert_eq!(problems("q=a&q=b", clients).len(), 1);
        assert_eq!(problems("q=a", of("/keys")).len(), 1);
    }

    #[test]
    fn a_place_is_good_for_the_question_that_gave_it() {
        let users = of("/users");
        let first = Asked::of("sort=oldest&q=ada&limit=2");
        let inner = "[7,\"u1\"]".to_owned();
        let next = first.next(Some(inner.clone())).unwrap();
        let with = |rest: &str| {
            let after = form_urlencoded::Serializer::new(String::new())
                .append_pair("after", &next)
                .finish();
            format!("{after}{rest}")
        };
        let same = with("&q=ada&sort=oldest&limit=50");
        assert_eq!(problems(&same, users), []);
        assert_eq!(Asked::of(&same).place(), Some(inner));
        for other in ["&q=ada", "&q=ada&sort=newest", "&sort=oldest", "&q=adam&sort=oldest", ""] {
            assert_eq!(problems(&with(other), users).len(), 1, "{other}: it would begin anew");
        }
        assert_eq!(first.next(None), None);
    }
}
