//! What a test person does in their Apple Account: the buttons of the front page. The apps hear of
//! it, as in life.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::Simulator;
use super::notifications::announce;
use super::state::State;

/// A test person on the front page.
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether they have signed in to any app.
    pub(super) uses_an_app: bool,
    pub(super) forwards: bool,
}

pub(super) fn shown(state: &State) -> Vec<Shown> {
    let person = |account: &super::Account| Shown {
        id: account.id.clone(),
        name: account.display_name(),
        uses_an_app: !state.groups_of(&account.id).is_empty(),
        forwards: !state.not_forwarded.contains(&account.id),
    };
    state.accounts.iter().map(person).collect()
}

#[derive(Deserialize)]
pub(super) struct Press {
    account: String,
    act: Act,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    StopUsing,
    ToggleForwarding,
    DeleteAccount,
}

pub(super) async fn act(simulator: web::Data<Simulator>, press: web::Form<Press>) -> HttpResponse {
    let Press { account, act } = press.into_inner();
    let (kind, groups) = {
        let mut state = simulator.state();
        let groups = state.groups_of(&account);
        let kind = match act {
            Act::StopUsing => {
                state.stop_using(&account);
                "consent-revoked"
            }
            Act::ToggleForwarding => state.toggle_forwarding(&account),
            Act::DeleteAccount => {
                state.delete_account(&account);
                "account-delete"
            }
        };
        (kind, groups)
    };
    announce(&simulator, &account, kind, &groups).await;
    HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish()
}
