//! `russet keys`

use serde_json::json;

use super::Place;
use super::answer::{Answer, confirm_at_terminal};
use super::client::{ALGORITHMS, named};
use super::drawn_name::drawn_name;
use super::failure::CliError;
use crate::op::admin::Actor;
use crate::op::admin::described::signing_key;
use crate::op::master_key::Progress;
use crate::protocol::ambient::Timestamp;
use crate::protocol::jose::Algorithm;

#[derive(Debug, clap::Subcommand)]
pub(super) enum KeysCommand {
    /// List the signing keys with their states.
    List,
    /// Make the next key: published now, signs when every cache has seen it. With --master, go
    /// over to the master key that is configured now; run again to see how far that has come.
    Rotate {
        /// Only the key of this algorithm.
        #[arg(long, value_parser = named(&ALGORITHMS, Algorithm::ALL))]
        alg: Option<Algorithm>,
        /// Not the signing keys but the master key: name the new one in secrets.master_key_file
        /// and the one before in secrets.previous_master_key_file on every replica first.
        #[arg(long, conflicts_with = "alg")]
        master: bool,
    },
    /// Take a leaked key out of service at once; what it signed fails from now on.
    Retire {
        /// The key's kid.
        #[arg(allow_hyphen_values = true, value_parser = drawn_name)]
        kid: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: [&str; 4] = ["kid", "alg", "state", "active_at"];

pub(super) async fn run(place: &Place, command: KeysCommand) -> Result<Answer, CliError> {
    let broker = place.broker().await?;
    let keys = broker.provider.keys();
    let now = broker.provider.now();
    match command {
        KeysCommand::List => {
            let keys = keys.list().await?;
            Ok(Answer::list(keys.iter().map(|key| signing_key(key, now)).collect(), &COLUMNS))
        }
        KeysCommand::Rotate { master: true, .. } => {
            let keeper = broker.provider.vault_keeper();
            keeper.rotate("cli").await?;
            Ok(progressed(&keeper.reseal(&broker.provider.request_id()).await?, now))
        }
        KeysCommand::Rotate { alg, master: false } => {
            let mut made = Vec::new();
            for alg in alg.map_or_else(|| Algorithm::ALL.to_vec(), |alg| vec![alg]) {
                made.push(signing_key(&keys.rotate(alg, &Actor::cli()).await?, now));
            }
            Ok(Answer::list(made, &COLUMNS))
        }
        KeysCommand::Retire { kid, yes } => {
            confirm_at_terminal(
                &format!("Retire the key {kid}? Tokens it signed fail from now on."),
                yes,
            )?;
            keys.retire(&kid, &Actor::cli()).await?;
            Ok(Answer::new(format!("{kid} is retired"), json!({ "kid": kid })))
        }
    }
}

fn progressed(progress: &Progress, now: Timestamp) -> Answer {
    let Progress { master_key_id, data_key, active_at, complete } = progress;
    let text = if *complete {
        format!(
            "Everything is the master key {master_key_id}'s. Remove \
             secrets.previous_master_key_file and destroy the keys it names."
        )
    } else if *active_at > now {
        format!(
            "The master key {master_key_id} wraps every data key. Data key {data_key} seals from \
             {} seconds on; the running broker then seals anew what is stored. Keep the previous \
             master key until this command says that all is done.",
            active_at.since(now).as_secs()
        )
    } else {
        format!(
            "The master key {master_key_id} wraps every data key; stored values are being sealed \
             anew with data key {data_key}. Run this again to see how far that has come."
        )
    };
    Answer::new(
        text,
        json!({
            "master_key_id": master_key_id,
            "data_key": data_key,
            "active_at": active_at.secs(),
            "complete": complete,
        }),
    )
}
