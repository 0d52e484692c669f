//! `russet admin`

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use super::Place;
use super::answer::{Answer, password_from_stdin};
use super::failure::CliError;
use crate::op::admin::{Actor, NewAdmin};
use crate::protocol::admin::{Admin, Role};

#[derive(Debug, clap::Subcommand)]
pub(super) enum AdminCommand {
    /// Make a console account.
    #[command(after_help = "Example:\n  printf %s \"$PASSWORD\" | russet admin create --username \
                            alice --role owner --password-stdin")]
    Create {
        /// What is typed at /admin/login.
        #[arg(long)]
        username: String,
        /// owner: everything; admin: clients, APIs and people; viewer: looks only.
        #[arg(long, default_value = "owner",
              value_parser = PossibleValuesParser::new(["owner", "admin", "viewer"]))]
        role: String,
        /// Read the password from stdin.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List the console accounts.
    List,
    /// Give an account another password and end its sessions.
    ResetPassword {
        /// Whose.
        #[arg(long)]
        username: String,
        /// Read the password from stdin.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

pub(super) async fn run(place: &Place, command: AdminCommand) -> Result<Answer, CliError> {
    let administration = place.broker().await?.administration;
    let actor = Actor::cli();
    match command {
        AdminCommand::Create { username, role, password_stdin: _ } => {
            let role = Role::parse(&role).unwrap_or(Role::Viewer);
            let password = password_from_stdin()?;
            let new = NewAdmin { username, role, password };
            Ok(Answer::thing(described(&administration.create_admin(&actor, new).await?)))
        }
        AdminCommand::List => {
            let admins = administration.list_admins().await?;
            Ok(Answer::list(
                admins.iter().map(described).collect(),
                &["username", "role", "disabled"],
            ))
        }
        AdminCommand::ResetPassword { username, password_stdin: _ } => {
            let password = password_from_stdin()?;
            administration.reset_admin_password(&actor, &username, password).await?;
            Ok(Answer::new(
                format!("{username} has a new password"),
                json!({ "username": username }),
            ))
        }
    }
}

fn described(admin: &Admin) -> Value {
    json!({
        "id": admin.id,
        "username": admin.username,
        "role": admin.role,
        "created_at": admin.created_at.secs(),
        "disabled": admin.disabled_at.is_some(),
    })
}
