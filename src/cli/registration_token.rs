//! `russet client registration-token`: who may register clients by themselves.

use std::time::Duration;

use serde_json::json;

use super::answer::Answer;
use super::failure::CliError;
use crate::op::admin::described::registration_token;
use crate::op::admin::{Actor, Administration};

#[derive(Debug, clap::Subcommand)]
pub(super) enum RegistrationTokenCommand {
    /// Make an initial access token; prints it, once.
    Create {
        /// Its name for people.
        #[arg(long, default_value = "registration")]
        name: String,
        /// How many clients may be registered with it; any number if not given.
        #[arg(long)]
        uses: Option<i32>,
        /// Seconds until it is no longer accepted; a day if not given, 0 for never.
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        expires_in: u64,
    },
    /// List the initial access tokens.
    List,
    /// Remove one.
    Delete {
        /// Its id.
        id: String,
    },
}

pub(super) async fn run(
    administration: &Administration,
    command: RegistrationTokenCommand,
) -> Result<Answer, CliError> {
    let actor = Actor::cli();
    match command {
        RegistrationTokenCommand::Create { name, uses, expires_in } => {
            let life = (expires_in > 0).then(|| Duration::from_secs(expires_in));
            let made = administration.create_registration_token(&actor, name, uses, life).await?;
            let (token, secret) = made;
            let mut answer = registration_token(&token);
            if let Some(members) = answer.as_object_mut() {
                members.insert("initial_access_token".to_owned(), json!(secret.expose()));
            }
            Ok(Answer::thing(answer))
        }
        RegistrationTokenCommand::List => {
            let tokens = administration.list_registration_tokens().await?;
            let columns = ["id", "name", "uses_left", "expires_at"];
            Ok(Answer::list(tokens.iter().map(registration_token).collect(), &columns))
        }
        RegistrationTokenCommand::Delete { id } => {
            administration.delete_registration_token(&actor, &id).await?;
            Ok(Answer::new(format!("{id} is deleted"), json!({ "id": id })))
        }
    }
}
