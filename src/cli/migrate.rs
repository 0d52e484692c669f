//! `russet migrate`

use serde_json::json;

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct MigrateArgs {
    /// Only list the migrations and whether each is applied.
    #[arg(long)]
    status: bool,
}

pub(super) async fn run(place: &Place, args: &MigrateArgs) -> Result<Answer, CliError> {
    let config = place.config()?;
    let store = Store::connect(config.database.url.expose()).await?;
    let before = store.migration_status().await?;
    if args.status {
        let list = before
            .iter()
            .map(|migration| json!({ "name": migration.name, "applied": migration.applied }))
            .collect();
        return Ok(Answer::list(list, &["name", "applied"]));
    }
    store.migrate().await?;
    let applied: Vec<String> =
        before.into_iter().filter(|migration| !migration.applied).map(|m| m.name).collect();
    let text = if applied.is_empty() {
        "up to date".to_owned()
    } else {
        format!("applied {}", applied.join(", "))
    };
    Ok(Answer::new(text, json!({ "applied": applied })))
}
