//! People: the list, one of them, and what can be done for or against them.

use actix_web::http::header;
use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::form::{Form, query, with_query};
use super::safety::{self, Question, many};
use super::{Console, Posted, audit, moment, see_other};
use crate::op::admin::Person;
use crate::protocol::admin::Role;
use crate::protocol::deletion::DeletionStep;
use crate::protocol::grant::Grant;
use crate::protocol::id::{DeletionId, GrantId, SessionId, UserId};
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::store::living::Of;
use crate::store::people::PeopleQuery;
use crate::web::page::admin::people::{
    DeletionPage, GrantRow, IdentityRow, ListPage, PersonRow, SessionRow, ShowPage, StepRow,
};

/// People on one page of the list.
const PAGE: u32 = 50;
/// Events on a person's timeline.
const EVENTS: u32 = 30;

/// The list, searched, sorted and by pages.
pub(super) async fn list(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let q = query(&request, "q").unwrap_or_default().trim().to_owned();
    let disabled = query(&request, "state").as_deref() == Some("disabled");
    let oldest_first = query(&request, "sort").as_deref() == Some("oldest");
    let after = query(&request, "after").filter(|after| !after.is_empty());
    let paged = after.is_some();
    let search = Some(q.clone()).filter(|q| !q.is_empty());
    let wanted = PeopleQuery { search, disabled, oldest_first, after, limit: PAGE };
    let page = console
        .app
        .administration
        .list_people(&wanted)
        .await
        .map_err(|error| console.refuse(error))?;
    let state = if disabled { "disabled" } else { "" };
    let sort = if oldest_first { "oldest" } else { "" };
    let here = [("q", q.as_str()), ("state", state), ("sort", sort)];
    let url = |added: &[(&str, &str)]| {
        let pairs: Vec<_> =
            here.iter().chain(added).filter(|(_, v)| !v.is_empty()).copied().collect();
        console.url(&format!("/people{}", with_query(&pairs)))
    };
    Ok(console.page(&ListPage {
        shell: console.shell(),
        disabled,
        oldest_first,
        rows: page.items.iter().map(|user| person_row(&console, user)).collect(),
        paged,
        first_url: url(&[]),
        next_url: page.next.map(|after| url(&[("after", after.as_str())])),
        q,
    }))
}

fn person_row(console: &Console, user: &User) -> PersonRow {
    PersonRow {
        url: console.url(&format!("/people/{}", user.id)),
        name: called(user),
        email: user.email.clone().unwrap_or_default(),
        relay: user.is_private_email,
        sub: user.sub.clone(),
        disabled: user.disabled_at.is_some(),
        created_at: moment(user.created_at),
    }
}

/// What a list calls a person.
pub(super) fn called(user: &User) -> String {
    user.name
        .clone()
        .filter(|name| !name.trim().is_empty())
        .or_else(|| user.email.clone())
        .unwrap_or_else(|| "No name told".to_owned())
}

pub(super) async fn find(console: &Console, id: &str) -> Result<Person, Error> {
    let found = console.app.administration.find_person(id).await;
    found.map_err(|error| console.refuse(error))
}

/// One person.
pub(super) async fn show(console: Console, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let person = find(&console, &id).await?;
    let administration = &console.app.administration;
    let id = person.user.id.clone();
    let refuse = |error| console.refuse(error);
    let signed = administration.signed(&id).await.map_err(refuse)?;
    let events = administration.timeline(&id, EVENTS).await.map_err(refuse)?;
    let states = administration.upstream_states(&id).await.map_err(refuse)?;
    let factors = administration.factors_of_person(&id).await.map_err(refuse)?;
    let names = console.client_names(signed.grants.iter().map(|grant| &grant.client_id)).await?;
    let grant_row = |grant: &Grant| GrantRow {
        id: grant.id.to_string(),
        client: names.get(&grant.client_id).cloned().unwrap_or_else(|| grant.client_id.to_string()),
        client_url: console.url(&format!("/clients/{}", grant.client_id)),
        scope: grant.terms.scope.join(" "),
        since: moment(grant.created_at),
        refreshes: grant.refresh_generation,
        until: moment(grant.refresh_idle_expires_at.min(grant.expires_at)),
    };
    let session_row = |session: &Session| SessionRow {
        id: session.id.to_string(),
        connection: console.connection_name(&session.connection_id),
        since: moment(session.created_at),
        until: moment(session.expires_at),
        grants: signed
            .grants
            .iter()
            .filter(|grant| grant.session_id.as_ref() == Some(&session.id))
            .map(grant_row)
            .collect(),
    };
    let in_a_session = |grant: &&Grant| {
        let living = |id: &SessionId| signed.sessions.iter().any(|session| session.id == *id);
        grant.session_id.as_ref().is_some_and(living)
    };
    let identities = person
        .identities
        .iter()
        .map(|identity| {
            let state = states.iter().find(|state| {
                state.authority == identity.authority && state.subject == identity.subject
            });
            IdentityRow {
                connection: console.connection_name(&identity.connection_id),
                authority: identity.authority.clone(),
                subject: identity.subject.clone(),
                email: identity.email.clone().unwrap_or_default(),
                since: moment(identity.created_at),
                last: moment(identity.last_login_at),
                state: state.map(|state| state.state.as_str()),
                ended: identity.ended_at.is_some(),
                bounces: identity.email_undeliverable_since.map(moment),
                checked: state.and_then(|state| state.last_checked_at).map(moment),
            }
        })
        .collect();
    let user = &person.user;
    Ok(console.page(&ShowPage {
        shell: console.shell(),
        id: id.to_string(),
        name: called(user),
        sub: user.sub.clone(),
        email: user.email.clone(),
        email_verified: user.email_verified,
        relay: user.is_private_email,
        disabled: user.disabled_at.is_some(),
        created_at: moment(user.created_at),
        updated_at: moment(user.updated_at),
        identities,
        sessions: signed.sessions.iter().map(session_row).collect(),
        others: signed.grants.iter().filter(|grant| !in_a_session(grant)).map(grant_row).collect(),
        events: events.iter().map(|event| audit::row(&console, event)).collect(),
        totp_since: factors.totp_added_at.map(moment),
        recovery_codes: factors.recovery_codes,
        more_url: console.url(&format!("/audit{}", with_query(&[("q", id.as_str())]))),
    }))
}

/// An act that is asked about first, with its consequence counted.
struct Words {
    heading: String,
    consequence: String,
    /// What must be typed; `None` for what can be made good again.
    name: Option<String>,
    button: &'static str,
}

async fn question(
    console: &Console,
    person: &Person,
    act: &str,
    request: &Form,
) -> Result<Words, Error> {
    let administration = &console.app.administration;
    let name = called(&person.user);
    let counted = async |of: Of| {
        let living = administration.count_living(&of).await;
        living.map_err(|error| console.refuse(error)).map(|living| {
            format!(
                "{} and {}",
                many(living.sessions, "browser session", "browser sessions"),
                many(living.grants, "app's access", "apps' accesses"),
            )
        })
    };
    let everything = Of::User(person.user.id.clone());
    Ok(match act {
        "sign-out" => match (request.text("session"), request.text("grant")) {
            (session, _) if !session.is_empty() => Words {
                heading: format!("Sign {name} out of this browser?"),
                consequence: format!(
                    "{} end.",
                    counted(Of::Session(SessionId::new(session))).await?
                ),
                name: None,
                button: "Sign out",
            },
            (_, grant) if !grant.is_empty() => Words {
                heading: format!("Take this app's access to {name}?"),
                consequence: "Its refresh token ends at once, its access tokens within minutes; \
                              the app must ask for a new sign-in."
                    .to_owned(),
                name: None,
                button: "Take access",
            },
            _ => Words {
                heading: format!("Sign {name} out everywhere?"),
                consequence: format!("{} end.", counted(everything).await?),
                name: None,
                button: "Sign out everywhere",
            },
        },
        "disable" => Words {
            heading: format!("Disable {name}?"),
            consequence: format!(
                "{} end, and they cannot sign in until they are enabled again.",
                counted(everything).await?
            ),
            name: None,
            button: "Disable",
        },
        "unlink" => Words {
            heading: format!("Unlink this identity from {name}?"),
            consequence: if person.identities.len() < 2 {
                "It is their only one: they cannot come back to this account. Whoever signs in \
                 with it becomes a new person."
                    .to_owned()
            } else {
                "What they signed in to through its connection ends. Whoever signs in with it \
                 becomes a new person."
                    .to_owned()
            },
            name: Some(name),
            button: "Unlink",
        },
        "reset-factors" => Words {
            heading: format!("Remove the second factor of {name}?"),
            consequence: "Codes from their app and their recovery codes are good for nothing any \
                          more. Their password alone signs them in, until they set up another. \
                          Make sure that it is they who ask."
                .to_owned(),
            name: None,
            button: "Remove",
        },
        _ => Words {
            heading: format!("Delete {name}?"),
            consequence: format!(
                "{} end, what Apple gave for them is given back, and everything stored about them \
                 goes. It cannot be undone.",
                counted(everything).await?
            ),
            name: Some(name),
            button: "Delete",
        },
    })
}

/// What is sent along from the question to the act.
const CARRIED: [&str; 4] = ["session", "grant", "authority", "subject"];

fn ask(
    console: &Console,
    person: &Person,
    act: &str,
    form: &Form,
    it: Words,
    wrong: bool,
) -> HttpResponse {
    let own = console.url(&format!("/people/{}", person.user.id));
    let carried = CARRIED.map(|name| (name, form.exact(name)));
    let question = Question {
        heading: it.heading,
        consequences: vec![it.consequence],
        name: it.name,
        button: it.button,
        action: format!("{own}/{act}"),
        back: own,
        carried: carried.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
    };
    safety::ask(console, question, wrong)
}

/// How far a deletion has come.
pub(super) async fn deletion(
    console: Console,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let id = DeletionId::new(id.into_inner());
    let receipt = console.app.administration.deletion(&id).await;
    let receipt = receipt.map_err(|error| console.refuse(error))?;
    let step = |step: &DeletionStep| StepRow {
        step: step.step.replace('_', " "),
        outcome: step.outcome.clone(),
        at: moment(step.at),
    };
    Ok(console.page(&DeletionPage {
        shell: console.shell(),
        id: id.to_string(),
        requested_by: receipt.deletion.requested_by.clone(),
        requested_at: moment(receipt.deletion.requested_at),
        attempts: receipt.deletion.attempts,
        give_up_at: moment(receipt.deletion.give_up_at),
        completed_at: receipt.deletion.completed_at.map(moment),
        steps: receipt.steps.iter().map(step).collect(),
    }))
}

const ACTS: [&str; 5] = ["sign-out", "disable", "unlink", "reset-factors", "delete"];

/// Asks, with the consequence counted.
pub(super) async fn ask_page(
    console: Console,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let (id, act) = path.into_inner();
    console.must_be(Role::Admin)?;
    if !ACTS.contains(&act.as_str()) {
        return Err(console.refuse(crate::op::admin::AdminError::NotFound));
    }
    let person = find(&console, &id).await?;
    let form = Form::parse(request.query_string().as_bytes());
    let it = question(&console, &person, &act, &form).await?;
    Ok(ask(&console, &person, &act, &form, it, false))
}

/// Does it.
pub(super) async fn act(
    posted: Posted,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let (id, act) = path.into_inner();
    console.must_be(Role::Admin)?;
    let person = find(&console, &id).await?;
    let user_id: UserId = person.user.id.clone();
    let administration = &console.app.administration;
    let actor = console.actor();
    let refuse = |error| console.refuse(error);
    let done = match act.as_str() {
        "sign-out" => {
            let (session, grant) = (form.text("session"), form.text("grant"));
            let signed = administration.signed(&user_id).await.map_err(refuse)?;
            // Only what is theirs: the ids come from the form.
            if !session.is_empty() {
                let id = SessionId::new(session);
                if signed.sessions.iter().any(|session| session.id == id) {
                    administration.end_session(&actor, &id).await.map_err(refuse)?;
                }
            } else if !grant.is_empty() {
                let id = GrantId::new(grant);
                if signed.grants.iter().any(|grant| grant.id == id) {
                    administration.revoke_grant(&actor, &id).await.map_err(refuse)?;
                }
            } else {
                administration.sign_out_person(&actor, &user_id).await.map_err(refuse)?;
            }
            "signed-out"
        }
        "disable" => {
            administration
                .set_user_disabled(&actor, user_id.as_str(), true)
                .await
                .map_err(refuse)?;
            "disabled"
        }
        "enable" => {
            administration
                .set_user_disabled(&actor, user_id.as_str(), false)
                .await
                .map_err(refuse)?;
            "enabled"
        }
        "unlink" => {
            if form.text("confirm") != called(&person.user).trim() {
                let it = question(&console, &person, "unlink", &form).await?;
                return Ok(ask(&console, &person, "unlink", &form, it, true));
            }
            let (authority, subject) = (form.exact("authority"), form.exact("subject"));
            administration
                .unlink_identity(&actor, &user_id, &authority, &subject)
                .await
                .map_err(refuse)?;
            "unlinked"
        }
        "reset-factors" => {
            administration.reset_person_factors(&actor, &user_id).await.map_err(refuse)?;
            "factors-removed"
        }
        "delete" => {
            if form.text("confirm") != called(&person.user).trim() {
                let it = question(&console, &person, "delete", &form).await?;
                return Ok(ask(&console, &person, "delete", &form, it, true));
            }
            let begun = administration.delete_user(&actor, user_id.as_str()).await;
            let deletion = begun.map_err(refuse)?;
            return Ok(see_other(&console.url(&format!("/deletions/{}", deletion.id))));
        }
        "export" => {
            let export =
                administration.export_user(&actor, user_id.as_str()).await.map_err(refuse)?;
            let text = serde_json::to_string_pretty(&export).unwrap_or_default();
            let name = format!("attachment; filename=\"person-{user_id}.json\"");
            return Ok(HttpResponse::Ok()
                .content_type("application/json")
                .insert_header((header::CONTENT_DISPOSITION, name))
                .body(text));
        }
        _ => return Err(console.refuse(crate::op::admin::AdminError::NotFound)),
    };
    Ok(see_other(&console.url(&format!("/people/{user_id}?done={done}"))))
}
