//! What can be done for or against a person: asked about first, with what it ends counted.

use actix_web::http::header;
use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::form::Form;
use super::people::{called, find};
use super::safety::{self, Question, many};
use super::{Console, Posted, see_other};
use crate::op::admin::Person;
use crate::protocol::admin::Role;
use crate::protocol::id::{GrantId, SessionId, UserId};
use crate::store::living::Of;

const ACTS: [&str; 5] = ["sign-out", "disable", "unlink", "reset-factors", "delete"];

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
            if living.sessions + living.grants == 0 {
                return "no session, for there is none".to_owned();
            }
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
                    "Ends {}.",
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
                consequence: format!("Ends {}.", counted(everything).await?),
                name: None,
                button: "Sign out everywhere",
            },
        },
        "disable" => Words {
            heading: format!("Disable {name}?"),
            consequence: format!(
                "Ends {}. They cannot sign in until they are enabled again.",
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
                "Ends {}. What Apple gave for them is given back, and everything stored about them \
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
                .set_user_disabled(&actor, user_id.as_str(), true, None)
                .await
                .map_err(refuse)?;
            "disabled"
        }
        "enable" => {
            administration
                .set_user_disabled(&actor, user_id.as_str(), false, None)
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
