//! `russet config`: the installation as one file, without secrets.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Place;
use super::answer::{Answer, confirm_at_terminal};
use super::connection::secret_of;
use super::failure::CliError;
use crate::op::admin::Actor;
use crate::op::admin::declaration::{Act, Declaration, Step};

#[derive(Debug, clap::Subcommand)]
pub(super) enum ConfigCommand {
    /// Print settings, connections, APIs, clients and trusted issuers as one file, without secrets.
    Export,
    /// Make the installation as the file says.
    #[command(after_help = "Example:\n  russet config export > russet-installation.toml\n  \
        russet config apply russet-installation.toml --dry-run")]
    Apply {
        /// A file as `config export` prints it.
        file: PathBuf,
        /// Only print what would be done.
        #[arg(long)]
        dry_run: bool,
        /// Delete what the file does not name.
        #[arg(long)]
        prune: bool,
        /// Do not ask before deleting.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(place: &Place, command: ConfigCommand) -> Result<Answer, CliError> {
    let administration = place.broker().await?.administration;
    let actor = Actor::cli();
    match command {
        ConfigCommand::Export => {
            let declaration = administration.export_declaration(&actor).await?;
            let text = toml::to_string_pretty(&declaration).map_err(CliError::failed)?;
            Ok(Answer::new(text, serde_json::to_value(&declaration).map_err(CliError::failed)?))
        }
        ConfigCommand::Apply { file, dry_run, prune, yes } => {
            let name = file.display();
            let text = std::fs::read_to_string(&file)
                .map_err(|error| CliError::failed(format!("{name}: {error}")))?;
            let mut declaration: Declaration = toml::from_str(&text)
                .map_err(|error| CliError::failed(format!("{name}: {error}")))?;
            let beside = file.parent().unwrap_or(Path::new(""));
            for connection in &mut declaration.connections {
                let read = |named: &Option<String>| {
                    named.as_ref().map(|named| secret_of(&beside.join(named))).transpose()
                };
                connection.client_secret = read(&connection.client_secret_file)?;
                connection.private_key = read(&connection.private_key_file)?;
            }
            let plan = administration.plan(&actor, declaration, prune).await?;
            if dry_run {
                return Ok(answer(&plan, &[]));
            }
            let gone = plan.iter().filter(|step| step.act == Act::Delete).count();
            if gone > 0 {
                confirm_at_terminal(&format!("Delete {gone} things that {name} leaves out?"), yes)?;
            }
            let mut secrets = Vec::new();
            for step in &plan {
                if let Some(secret) = administration.carry_out(&actor, step.clone()).await? {
                    secrets.push(json!({
                        "client_id": step.name,
                        "client_secret": secret.expose(),
                    }));
                }
            }
            Ok(answer(&plan, &secrets))
        }
    }
}

fn answer(plan: &[Step], secrets: &[Value]) -> Answer {
    let mut text = String::new();
    for step in plan {
        let sign = match step.act {
            Act::Create => '+',
            Act::Update => '~',
            Act::Delete => '-',
        };
        text.push_str(&format!("{sign} {} {}\n", step.kind, step.name));
        for (member, change) in step.changed.iter().filter(|_| step.act == Act::Update) {
            let side = |name: &str| change.get(name).map(Value::to_string).unwrap_or_default();
            text.push_str(&format!("    {member}: {} -> {}\n", side("before"), side("after")));
        }
    }
    for secret in secrets {
        let member = |name: &str| secret.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, secret) = (member("client_id"), member("client_secret"));
        text.push_str(&format!("client_secret of {id}, shown once: {secret}\n"));
    }
    if plan.is_empty() {
        text.push_str("nothing differs\n");
    }
    let steps: Vec<Value> = plan
        .iter()
        .map(|step| {
            json!({
                "act": step.act,
                "kind": step.kind,
                "name": step.name,
                "changed": step.changed,
            })
        })
        .collect();
    Answer::new(text, json!({ "plan": steps, "secrets": secrets }))
}
