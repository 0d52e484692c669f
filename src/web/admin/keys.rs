//! Signing keys: where each stands in its life, the next one, and the emergency exit.

use actix_web::{Error, HttpResponse, web};

use super::{Console, Posted, moment, see_other};
use crate::op::Failure;
use crate::op::admin::AdminError;
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::jose::Algorithm;
use crate::protocol::keyring::{KeyState, StoredKey, newest_published};
use crate::store::living::Of;
use crate::web::page::admin::keys::{Fetcher, KeyGroup, KeyRow, KeysPage, RetirePage};

/// Keys that are gone and still listed, for each algorithm.
const GONE: usize = 3;

/// Every key, by algorithm.
pub(super) async fn show(console: Console) -> Result<HttpResponse, Error> {
    let keys = list(&console).await?;
    let now = console.app.provider.now();
    let groups = Algorithm::ALL
        .map(|alg| {
            let mut of_alg: Vec<_> = keys.iter().filter(|key| key.alg == alg).collect();
            of_alg.sort_by_key(|key| std::cmp::Reverse(key.active_at));
            let mut gone = 0;
            of_alg.retain(|key| {
                gone += usize::from(key.state(now) == KeyState::Gone);
                key.state(now) != KeyState::Gone || gone <= GONE
            });
            KeyGroup {
                alg: alg.as_str(),
                may_rotate: of_alg.iter().all(|key| key.state(now) != KeyState::Next),
                keys: of_alg.into_iter().map(|key| row(key, now)).collect(),
            }
        })
        .into();
    let kept = console.app.administration.key_set_fetchers().await;
    let kept = kept.map_err(|error| console.refuse(error))?;
    let fetchers = console.app.jwks_fetchers.with(kept);
    let newest = newest_published(&keys, now);
    let fetcher = |seen: crate::store::observations::Fetcher| Fetcher {
        agent: seen.agent,
        times: seen.times,
        last: moment(seen.last_at),
        behind: newest.is_some_and(|newest| seen.last_at < newest),
    };
    Ok(console.page(&KeysPage {
        shell: console.shell(),
        is_owner: console.admin.role >= Role::Owner,
        jwks_url: format!(
            "{}{}",
            console.app.provider.issuer(),
            crate::protocol::metadata::path::JWKS
        ),
        groups,
        fetchers: fetchers.into_iter().map(fetcher).collect(),
    }))
}

async fn list(console: &Console) -> Result<Vec<StoredKey>, Error> {
    let found = console.app.provider.keys().list().await;
    found.map_err(|fault| console.fail(&fault))
}

fn row(key: &StoredKey, now: Timestamp) -> KeyRow {
    let state = key.state(now);
    let (word, chip, means) = match state {
        KeyState::Next => (
            "Next",
            "warn",
            format!("Published so that every cache has it; signs from {}.", moment(key.active_at)),
        ),
        KeyState::Active => ("Active", "good", format!("Signs since {}.", moment(key.active_at))),
        KeyState::Retiring => (
            "Retiring",
            "",
            format!(
                "Signs no more; published until the last token it signed has expired, {}.",
                key.gone_at.map(moment).unwrap_or_default()
            ),
        ),
        KeyState::Gone => {
            ("Gone", "", format!("Left the JWKS {}.", key.gone_at.map(moment).unwrap_or_default()))
        }
    };
    KeyRow { kid: key.kid.clone(), state: word, chip, means, published: state != KeyState::Gone }
}

/// Makes the next key of an algorithm.
pub(super) async fn rotate(posted: Posted, alg: web::Path<String>) -> Result<HttpResponse, Error> {
    let console = posted.console;
    console.must_be(Role::Owner)?;
    let alg = Algorithm::parse(&alg).ok_or_else(|| console.refuse(AdminError::NotFound))?;
    match console.app.provider.keys().rotate(alg, &console.actor()).await {
        Ok(_) => Ok(see_other(&console.url("/keys?done=rotated"))),
        Err(Failure::Refused(_)) => Ok(see_other(&console.url("/keys?done=already-next"))),
        Err(Failure::Fault(fault)) => Err(console.fail(&fault)),
    }
}

/// Asks before a key is taken out of service, with the consequences counted.
pub(super) async fn retire_page(
    console: Console,
    kid: web::Path<String>,
) -> Result<HttpResponse, Error> {
    console.must_be(Role::Owner)?;
    ask(&console, &kid, false).await
}

async fn ask(console: &Console, kid: &str, wrong: bool) -> Result<HttpResponse, Error> {
    let key = find(console, kid).await?;
    let administration = &console.app.administration;
    let refuse = |error| console.refuse(error);
    let living = administration.count_living(&Of::Everybody).await.map_err(refuse)?;
    let apis = administration.list_apis().await.map_err(refuse)?;
    let template = RetirePage {
        shell: console.shell(),
        alg: key.alg.as_str(),
        apis: apis
            .iter()
            .filter(|api| api.signing_alg == key.alg)
            .map(|api| api.name.clone())
            .collect(),
        grants: living.grants,
        kid: key.kid,
        wrong,
    };
    let status = if wrong { 422 } else { 200 };
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    Ok(crate::web::html::page(status, &template, &[]))
}

async fn find(console: &Console, kid: &str) -> Result<StoredKey, Error> {
    let now = console.app.provider.now();
    let keys = list(console).await?;
    let key = keys.into_iter().find(|key| key.kid == kid && key.state(now) != KeyState::Gone);
    key.ok_or_else(|| console.refuse(AdminError::NotFound))
}

/// Takes a key out of service at once.
pub(super) async fn retire(posted: Posted, kid: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    console.must_be(Role::Owner)?;
    let key = find(&console, &kid).await?;
    if form.text("confirm") != key.kid {
        return ask(&console, &kid, true).await;
    }
    match console.app.provider.keys().retire(&key.kid, &console.actor()).await {
        Ok(()) => Ok(see_other(&console.url("/keys?done=retired"))),
        Err(Failure::Refused(_)) => Err(console.refuse(AdminError::NotFound)),
        Err(Failure::Fault(fault)) => Err(console.fail(&fault)),
    }
}
