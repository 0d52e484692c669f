//! `russet delivery`: what is and was owed to clients.

use serde_json::json;

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::op::admin::Actor;
use crate::op::admin::described::delivery;
use crate::protocol::delivery::DeliveryState;
use crate::protocol::id::ClientId;
use crate::store::outbox::DeliveryQuery;

#[derive(Debug, clap::Subcommand)]
pub(super) enum DeliveryCommand {
    /// List logout tokens and security events, newest first.
    List {
        /// Only those to this client.
        #[arg(long)]
        client_id: Option<String>,
        /// Only those that wait, or that were given up.
        #[arg(long, value_enum)]
        state: Option<State>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Try one again that was given up.
    Retry {
        /// Its number in the list.
        id: i64,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum State {
    /// Waits for its first or next attempt.
    Owed,
    /// Taken by the client.
    Delivered,
    /// Given up.
    Failed,
}

impl From<State> for DeliveryState {
    fn from(state: State) -> Self {
        match state {
            State::Owed => Self::Owed,
            State::Delivered => Self::Delivered,
            State::Failed => Self::Failed,
        }
    }
}

pub(super) async fn run(place: &Place, command: DeliveryCommand) -> Result<Answer, CliError> {
    let administration = place.broker().await?.administration;
    match command {
        DeliveryCommand::List { client_id, state, limit } => {
            let query = DeliveryQuery {
                client_id: client_id.map(ClientId::new),
                state: state.map(DeliveryState::from),
                limit,
                ..DeliveryQuery::default()
            };
            let found = administration.deliveries(&query).await?;
            let columns = ["id", "client_id", "kind", "state", "attempts", "last_error"];
            Ok(Answer::list(found.iter().map(delivery).collect(), &columns))
        }
        DeliveryCommand::Retry { id } => {
            administration.redeliver(&Actor::cli(), id).await?;
            Ok(Answer::new(format!("{id} is owed again"), json!({ "id": id.to_string() })))
        }
    }
}
