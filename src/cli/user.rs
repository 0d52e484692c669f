//! `russet user`

use serde_json::json;

use super::Place;
use super::answer::{Answer, confirm, progress};
use super::drawn_name::drawn_name;
use super::failure::CliError;
use super::local_user;
use crate::broker::Broker;
use crate::op::admin::{Actor, AdminError};
use crate::protocol::deletion::DeletionState;
use crate::protocol::id::DeletionId;

#[derive(Debug, clap::Subcommand)]
pub(super) enum UserCommand {
    /// Make a person who signs in here with a password ([local_accounts] in the configuration).
    #[command(after_help = "Example:\n  printf %s \"$PASSWORD\" | russet user create --username \
                            ada --password-stdin --name 'Ada Lovelace' --email ada@example.com \
                            --email-verified")]
    Create(Box<local_user::NewUser>),
    /// Give a local account another password; the person's sessions end, tokens are revoked.
    ResetPassword(local_user::NewPassword),
    /// Show a person.
    Show(Whom),
    /// Keep a person out: sessions end, tokens are revoked, sign-in is refused.
    Disable {
        #[command(flatten)]
        whom: Whom,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Let a person in again.
    Enable(Whom),
    /// Delete a person with all that is stored about them.
    Delete {
        #[command(flatten)]
        whom: Whom,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Print all that is stored about a person, as JSON.
    Export(Whom),
}

#[derive(Debug, clap::Args)]
pub(super) struct Whom {
    /// The sub that clients see, or the id inside Russet.
    #[arg(value_name = "SUB", allow_hyphen_values = true, value_parser = drawn_name)]
    sub: String,
}

pub(super) async fn run(place: &Place, command: UserCommand) -> Result<Answer, CliError> {
    let broker = place.broker().await?;
    let administration = broker.administration.clone();
    let actor = Actor::cli();
    let disable = async |sub: &str, disabled: bool| -> Result<Answer, AdminError> {
        let user = administration.set_user_disabled(&actor, sub, disabled, None).await?;
        let state = if disabled { "disabled" } else { "enabled" };
        let sub = &user.sub;
        Ok(Answer::new(format!("{sub} is {state}"), json!({ "sub": sub, "disabled": disabled })))
    };
    match command {
        UserCommand::Create(new) => local_user::create(&administration, *new).await,
        UserCommand::ResetPassword(new) => local_user::reset_password(&administration, new).await,
        UserCommand::Show(Whom { sub }) => {
            Ok(Answer::thing(administration.find_person(&sub).await?.to_json()))
        }
        UserCommand::Disable { whom: Whom { sub }, yes } => {
            administration.find_person(&sub).await?;
            confirm(&format!("Disable {sub} and end all of their sessions?"), yes)?;
            Ok(disable(&sub, true).await?)
        }
        UserCommand::Enable(Whom { sub }) => Ok(disable(&sub, false).await?),
        UserCommand::Delete { whom: Whom { sub }, yes } => {
            administration.find_person(&sub).await?;
            confirm(&format!("Delete {sub}? This cannot be undone."), yes)?;
            let deletion = administration.delete_user(&actor, &sub).await?;
            follow(&broker, &deletion.id).await
        }
        UserCommand::Export(Whom { sub }) => {
            let export = administration.export_user(&actor, &sub).await?;
            let text = serde_json::to_string_pretty(&export).map_err(CliError::failed)?;
            Ok(Answer::new(text, export))
        }
    }
}

/// Takes a deletion as far as it goes now, telling each step; what must wait is left to the broker.
async fn follow(broker: &Broker, id: &DeletionId) -> Result<Answer, CliError> {
    broker.provider.keys().reload().await?;
    let mut waits = broker.provider.continue_deletion(id).await?;
    // The clients are told from here as well, in case no broker runs.
    if waits.is_some() {
        broker.provider.deliver_due().await?;
        waits = broker.provider.continue_deletion(id).await?.or(waits);
    }
    let receipt = broker.administration.deletion(id).await?;
    for step in &receipt.steps {
        progress(&format!("{}: {}", step.step, step.outcome));
    }
    let text = match (receipt.deletion.state, waits) {
        (DeletionState::Completed, _) => format!("deleted; receipt {id}"),
        (DeletionState::Revoking | DeletionState::Erasing | DeletionState::Telling, Some(why)) => {
            format!("under way: {why}; the running broker goes on; receipt {id}")
        }
        (DeletionState::Revoking | DeletionState::Erasing | DeletionState::Telling, None) => {
            format!("under way; the running broker goes on; receipt {id}")
        }
    };
    Ok(Answer::new(text, receipt.to_json()))
}
