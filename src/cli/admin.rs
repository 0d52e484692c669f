//! `russet admin`

use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::Place;
use super::answer::{Answer, password_from_stdin};
use super::failure::CliError;
use crate::op::admin::colleagues::AdminChange;
use crate::op::admin::described::admin;
use crate::op::admin::{Actor, NewAdmin};
use crate::protocol::admin::Role;
use crate::protocol::id::{ClientId, ConnectionId};

#[derive(Debug, clap::Subcommand)]
pub(super) enum AdminCommand {
    /// Make a console account.
    #[command(after_help = "Example:\n  printf %s \"$PASSWORD\" | russet admin create --username \
                            alice --role owner --password-stdin")]
    Create {
        /// What is typed at /admin/login.
        #[arg(long)]
        username: String,
        /// owner: everything; admin: clients, APIs and people; viewer: looks only; editor: the
        /// clients given with --client.
        #[arg(long, default_value = "owner", value_parser = roles())]
        role: String,
        /// A client that an editor may change; may be repeated.
        #[arg(long = "client", value_name = "CLIENT_ID")]
        clients: Vec<String>,
        /// Read the password from stdin.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List the console accounts.
    List,
    /// Change what an account may do.
    Update {
        /// Whose.
        #[arg(long)]
        username: String,
        /// What it may do from now on.
        #[arg(long, value_parser = roles())]
        role: Option<String>,
        /// A client that an editor may change; may be repeated, and replaces those before.
        #[arg(long = "client", value_name = "CLIENT_ID")]
        clients: Vec<String>,
        /// Whether it may not sign in.
        #[arg(long)]
        disabled: Option<bool>,
    },
    /// Let somebody in again who has lost password or second factors: a new password, no second
    /// factors, sessions ended, a disabled account enabled. The audit log shows it.
    #[command(after_help = "Example:\n  russet admin recover --username alice")]
    Recover {
        /// Whose.
        #[arg(long)]
        username: String,
        /// Read the new password from stdin; without it one is made and printed once.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Print a link by which somebody binds their own sign-in at an upstream to an account. It is
    /// good once, for three days. Which connections open the console is set there.
    Invite {
        /// Whose.
        #[arg(long)]
        username: String,
    },
    /// Take a way to sign in from an account, and end the sessions that were opened through it.
    Unbind {
        /// Whose.
        #[arg(long)]
        username: String,
        /// The connection.
        #[arg(long, value_name = "ID")]
        connection: String,
    },
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
    let broker = place.broker().await?;
    let administration = broker.administration;
    let actor = Actor::cli();
    match command {
        AdminCommand::Invite { username } => {
            let token = administration.invite_admin(&actor, &username).await?;
            let issuer = broker.provider.issuer();
            let link = format!("{issuer}/admin/invitation/{}", token.expose());
            let object = json!({ "username": username, "invitation": link });
            Ok(Answer::new(link, object))
        }
        AdminCommand::Unbind { username, connection } => {
            let id = ConnectionId::new(connection.as_str());
            administration.unbind_identity(&actor, None, &username, &id).await?;
            let words = format!("{username} signs in through {connection} no more");
            Ok(Answer::new(words, json!({ "username": username, "connection": connection })))
        }
        AdminCommand::Create { username, role, clients, password_stdin: _ } => {
            let role = Role::parse(&role).unwrap_or(Role::Viewer);
            let password = password_from_stdin()?;
            let new = NewAdmin { username, role, password: Some(password) };
            let made = administration.create_admin(&actor, new).await?;
            if clients.is_empty() {
                return Ok(Answer::thing(admin(&made)));
            }
            let change = AdminChange {
                role,
                clients: clients.into_iter().map(ClientId::new).collect(),
                disabled: false,
                version: None,
            };
            administration.change_admin(&actor, &made.username, change).await?;
            Ok(Answer::thing(admin(&administration.find_admin(&made.username).await?)))
        }
        AdminCommand::Update { username, role, clients, disabled } => {
            let stands = administration.find_admin(&username).await?;
            let given = clients.into_iter().map(ClientId::new).collect::<Vec<_>>();
            let change = AdminChange {
                role: role.and_then(|role| Role::parse(&role)).unwrap_or(stands.role),
                clients: if given.is_empty() { stands.clients } else { given },
                disabled: disabled.unwrap_or(stands.disabled_at.is_some()),
                version: Some(stands.version),
            };
            administration.change_admin(&actor, &username, change).await?;
            Ok(Answer::thing(admin(&administration.find_admin(&username).await?)))
        }
        AdminCommand::Recover { username, password_stdin } => {
            let given = if password_stdin { Some(password_from_stdin()?) } else { None };
            let made = administration.recover_admin(&actor, &username, given).await?;
            let words = format!("{username} can sign in with the new password alone");
            let Some(password) = made else {
                return Ok(Answer::new(words, json!({ "username": username })));
            };
            let password = password.expose();
            let object = json!({ "username": username, "password": password });
            Ok(Answer::new(format!("{words}: {password}"), object))
        }
        AdminCommand::List => {
            let admins = administration.list_admins().await?;
            Ok(Answer::list(admins.iter().map(admin).collect(), &["username", "role", "disabled"]))
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

fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str))
}
