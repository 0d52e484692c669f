//! The console's first page: what needs attention, what is still to be set up, and who signs in.

use std::collections::BTreeMap;

use actix_web::{Error, HttpRequest, HttpResponse};

use super::form::{query, with_query};
use super::{Console, day, moment, see_other};
use crate::op::admin::ListQuery;
use crate::op::admin::attention::Tally;
use crate::op::admin::concern::{About, Concern};
use crate::op::explanation::in_words;
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::id::{ClientId, ConnectionId};
use crate::store::sign_in_counts::{Counted, GroupedBy, SignInQuery, SignIns};
use crate::web::page::admin::overview::{
    AttentionRow, DayBar, OverviewPage, SetupStep, Share, Shares,
};

/// Clients beyond this many are not counted on the overview.
const COUNTED: u32 = 100;
/// Days of the chart.
const DAYS: i64 = 14;
/// The chart's height, and how far its days stand apart.
const HEIGHT: u64 = 110;
const STEP: u32 = 40;
/// The length of the longest bar among shares, and how many are shown.
const LENGTH: u64 = 200;
const SHARES: usize = 8;

/// What there is, and what there is to do, as the state of things says.
pub(super) async fn show(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    if console.admin.role == Role::Editor {
        return Ok(see_other(&console.url("/clients")));
    }
    let administration = &console.app.administration;
    let wanted = ListQuery { limit: COUNTED, ..ListQuery::default() };
    let clients = administration.list_clients(&wanted).await;
    let clients = clients.map_err(|error| console.refuse(error))?;
    let apis = administration.list_apis().await.map_err(|error| console.refuse(error))?;
    let provider = &console.app.provider;
    let steps = vec![
        SetupStep {
            words: "Connect Apple, or another provider",
            hint: "What people sign in with; the check tells what is missing.",
            url: Some(console.url("/connections")),
            done: !provider.connectors().is_empty(),
        },
        SetupStep {
            words: "Register a client",
            hint: "The app that people sign in to.",
            url: Some(console.url("/clients/new")),
            done: !clients.items.is_empty(),
        },
        SetupStep {
            words: "Register an API",
            hint: "The service that accepts its access tokens.",
            url: Some(console.url("/apis")),
            done: !apis.is_empty(),
        },
    ];
    let all_done = steps.iter().all(|step| step.done);
    let given = |name: &str| query(&request, name).filter(|value| !value.is_empty());
    let narrowed = SignInQuery {
        from_day: SignIns::day_of(provider.now()) - DAYS + 1,
        client_id: given("client").map(ClientId::new),
        connection_id: given("connection").map(ConnectionId::new),
    };
    let days = bars(&count(&console, GroupedBy::Day, &narrowed).await?, narrowed.from_day);
    let total = days.iter().fold((0, 0), |sum: (u64, u64), bar| {
        (sum.0.saturating_add(bar.succeeded), sum.1.saturating_add(bar.failed))
    });
    let shares = if total == (0, 0) { Vec::new() } else { shares(&console, &narrowed).await? };
    let more = if clients.next.is_some() { "+" } else { "" };
    Ok(console.page(&OverviewPage {
        shell: console.shell(),
        issuer: provider.issuer().to_owned(),
        discovery: console.discovery(),
        attention: attention(&console).await?,
        clients: format!("{}{more}", clients.items.len()),
        apis: apis.len().to_string(),
        steps: if all_done { Vec::new() } else { steps },
        narrowed: what(&console, &narrowed).await?.map(|what| (what, console.url(""))),
        total,
        days,
        shares,
    }))
}

async fn what(console: &Console, narrowed: &SignInQuery) -> Result<Option<String>, Error> {
    let connection = narrowed.connection_id.as_ref().map(|id| console.connection_name(id));
    let Some(id) = &narrowed.client_id else { return Ok(connection) };
    let names = console.client_names(std::iter::once(id)).await?;
    Ok(Some(names.get(id).cloned().unwrap_or_else(|| id.to_string())))
}

async fn attention(console: &Console) -> Result<Vec<AttentionRow>, Error> {
    let unusable = console.app.provider.connection_troubles();
    let found = console.app.administration.attention(unusable).await;
    let found = found.map_err(|error| console.refuse(error))?;
    let row = |concern: Concern| {
        let (chip, word) = if concern.urgent { ("bad", "now") } else { ("warn", "soon") };
        let at = concern.at.map(moment);
        let parts = at.into_iter().chain(Some(concern.detail).filter(|it| !it.is_empty()));
        AttentionRow {
            chip,
            word,
            title: concern.title,
            detail: parts.collect::<Vec<_>>().join(". "),
            url: address(&concern.about).map(|path| console.url(&path)),
        }
    };
    Ok(found.concerns(console.app.provider.now()).into_iter().map(row).collect())
}

/// The room in which somebody can do something about it.
fn address(about: &About) -> Option<String> {
    Some(match about {
        About::Connection(id) => format!("/connections/{id}"),
        About::Client(id) => format!("/clients/{id}"),
        About::Job(_) => return None,
        About::AuditReceiver(_) => "/audit/stream".to_owned(),
        About::ApiKey(_) => "/settings".to_owned(),
        About::Admins(_) => "/admins".to_owned(),
        About::Deletion(id) => format!("/deletions/{id}"),
        About::Deliveries(_) => "/deliveries".to_owned(),
        About::UnusedClients(_) => "/clients?state=unused".to_owned(),
    })
}

async fn count(
    console: &Console,
    by: GroupedBy,
    narrowed: &SignInQuery,
) -> Result<Vec<Counted>, Error> {
    let counted = console.app.administration.count_sign_ins(by, narrowed).await;
    counted.map_err(|error| console.refuse(error))
}

/// Every day, those on which nobody came too.
fn bars(counted: &[Counted], from: i64) -> Vec<DayBar> {
    let sums = Tally::of(counted);
    let most = sums.values().map(Tally::total).max().unwrap_or(0).max(1);
    let scaled = |number: u64| scale(number, most, HEIGHT);
    (0..DAYS)
        .zip((0..).step_by(usize::try_from(STEP).unwrap_or(1)))
        .map(|(number, x)| {
            let at = from.saturating_add(number);
            let sum = sums.get(&at.to_string());
            let (succeeded, failed) = sum.map_or((0, 0), |sum| (sum.succeeded, sum.failed));
            let (good, bad) = (scaled(succeeded), scaled(failed));
            let base = 120_u32;
            DayBar {
                day: day(Timestamp::from_secs(at.saturating_mul(24 * 3600))),
                x,
                succeeded,
                good: (base.saturating_sub(good), good),
                failed,
                bad: (base.saturating_sub(good).saturating_sub(bad), bad),
            }
        })
        .collect()
}

/// A part of the whole in units; what is there at all is seen.
fn scale(number: u64, most: u64, units: u64) -> u32 {
    let exact = number.saturating_mul(units).checked_div(most).unwrap_or_default();
    let seen = if number > 0 { exact.max(2) } else { 0 };
    u32::try_from(seen).unwrap_or(u32::MAX)
}

async fn shares(console: &Console, narrowed: &SignInQuery) -> Result<Vec<Shares>, Error> {
    let by_client = count(console, GroupedBy::Client, narrowed).await?;
    let by_connection = count(console, GroupedBy::Connection, narrowed).await?;
    let connections = Tally::of(&by_connection);
    let mut causes: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (cause, number) in connections.values().flat_map(|tally| &tally.causes) {
        let sum = causes.entry(in_words(*cause).0).or_default();
        *sum = sum.saturating_add(*number);
    }
    let clients = Tally::of(&by_client);
    let ids: Vec<ClientId> = clients.keys().map(|id| ClientId::new(id.clone())).collect();
    let names = console.client_names(ids.iter()).await?;
    let link = |name: &str, value: &str| Some(console.url(&with_query(&[(name, value)])));
    let of_clients = clients.into_iter().map(|(id, tally)| {
        let name = names.get(&ClientId::new(id.clone())).cloned().unwrap_or_else(|| id.clone());
        (name, link("client", &id), (tally.succeeded, tally.failed))
    });
    let of_connections = connections.into_iter().map(|(id, tally)| {
        let name = console.connection_name(&ConnectionId::new(id.clone()));
        (name, link("connection", &id), (tally.succeeded, tally.failed))
    });
    let of_causes = causes.into_iter().map(|(words, number)| (words.to_owned(), None, (0, number)));
    let charts = [
        Shares {
            id: "by-client",
            title: "By client",
            column: "Client",
            failures: false,
            rows: ranked(of_clients),
        },
        Shares {
            id: "by-connection",
            title: "By connection",
            column: "Connection",
            failures: false,
            rows: ranked(of_connections),
        },
        Shares {
            id: "by-cause",
            title: "Why sign-ins failed",
            column: "Cause",
            failures: true,
            rows: ranked(of_causes),
        },
    ];
    Ok(charts.into_iter().filter(|chart| !chart.rows.is_empty()).collect())
}

/// The greatest first, with the lengths of their bars.
fn ranked(shares: impl Iterator<Item = (String, Option<String>, (u64, u64))>) -> Vec<Share> {
    let mut all: Vec<_> = shares.collect();
    all.sort_by_key(|(_, _, (good, bad))| std::cmp::Reverse(good.saturating_add(*bad)));
    let most = all.first().map_or(1, |(_, _, (good, bad))| good.saturating_add(*bad)).max(1);
    all.truncate(SHARES);
    let share = |(name, url, (succeeded, failed))| Share {
        name,
        url,
        succeeded,
        failed,
        widths: (scale(succeeded, most, LENGTH), scale(failed, most, LENGTH)),
    };
    all.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::sign_in_cause::Cause;

    #[test]
    fn days_without_anybody_stand_in_the_chart_too_and_no_bar_leaves_it() {
        let counted = |of: &str, cause, number| Counted { of: of.to_owned(), cause, number };
        let all = [
            counted("100", None, 50),
            counted("100", Some(Cause::Nonce), 25),
            counted("100", Some(Cause::Other), 25),
            counted("113", Some(Cause::Other), 1),
        ];
        let bars = bars(&all, 100);
        assert_eq!(bars.len(), 14);
        assert_eq!((bars[0].succeeded, bars[0].failed), (50, 50));
        assert_eq!((bars[0].good, bars[0].bad), ((65, 55), (10, 55)));
        assert_eq!((bars[1].good, bars[1].bad), ((120, 0), (120, 0)));
        assert_eq!(bars[13].bad, (118, 2), "what is there is seen");
        assert_eq!(bars[13].x, 13 * STEP);
    }

    #[test]
    fn the_busiest_come_first() {
        let one = |name: &str, good, bad| (name.to_owned(), None, (good, bad));
        let rows = ranked([one("a", 1, 0), one("b", 5, 5)].into_iter());
        assert_eq!(rows[0].name, "b");
        assert_eq!((rows[0].widths, rows[1].widths), ((100, 100), (20, 0)));
        assert!(ranked(std::iter::empty()).is_empty());
    }
}
