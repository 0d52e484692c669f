//! What needs attention, item by item and in words: the same for the console and for scripts.

use super::attention::Attention;
use crate::protocol::ambient::Timestamp;
use crate::protocol::id::{ClientId, ConnectionId, DeletionId};
use crate::protocol::job::JobCondition;

/// What a concern is about, so that whoever reads it finds the thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A connection.
    Connection(ConnectionId),
    /// A client.
    Client(ClientId),
    /// A job, by its name.
    Job(String),
    /// A receiver of the audit log, by its id.
    AuditReceiver(String),
    /// A key of the admin API, by its id.
    ApiKey(String),
    /// Console accounts, by their usernames.
    Admins(Vec<String>),
    /// A deletion.
    Deletion(DeletionId),
    /// Deliveries, by their numbers.
    Deliveries(Vec<i64>),
    /// Clients that obtained no token for long; how many.
    UnusedClients(u64),
}

/// One thing that needs somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// Which kind, in one word that stays.
    pub kind: &'static str,
    /// Whether now, or soon.
    pub urgent: bool,
    /// What it is.
    pub title: String,
    /// Why, or what to do; may be empty.
    pub detail: String,
    /// When it began, ended or will end.
    pub at: Option<Timestamp>,
    /// What it is about.
    pub about: About,
}

impl Attention {
    /// Each thing in words; what is urgent first.
    pub fn concerns(self, now: Timestamp) -> Vec<Concern> {
        let mut all = Vec::new();
        let mut say = |kind, urgent, title: String, detail: String, at, about| {
            all.push(Concern { kind, urgent, title, detail, at, about });
        };
        for (id, why) in self.unusable {
            let title = format!("The connection {id} cannot be used");
            say("connection_unusable", true, title, why, None, About::Connection(id));
        }
        for (name, status) in self.failing {
            let title = format!("The last sign-in through {name} failed");
            let why = status.why().unwrap_or_default();
            say("connection_failing", true, title, why, None, About::Connection(status.id));
        }
        for job in self.jobs {
            let stopped = job.condition == JobCondition::Stopped;
            let word = if stopped { "has stopped" } else { "is held up" };
            let title = format!("The job {} {word}", job.name);
            let since = job.detail.is_none().then_some(job.since);
            let detail = job.detail.unwrap_or_default();
            say("job", stopped, title, detail, since, About::Job(job.name));
        }
        for (receiver, progress) in self.receivers {
            let title = format!("{} does not take the audit log", receiver.name);
            let why = progress.last_error.unwrap_or_default();
            let detail =
                format!("{why}. What it has not taken is kept for it, beyond the retention.");
            say("audit_receiver", true, title, detail, None, About::AuditReceiver(receiver.id));
        }
        for secret in self.secrets {
            let over = secret.expires_at <= now;
            let verb = if over { "ended" } else { "ends" };
            let title = format!("The last secret of {} {verb}", secret.client_name);
            let detail = "Make another, and give it to the app.".to_owned();
            let at = Some(secret.expires_at);
            say("client_secret", over, title, detail, at, About::Client(secret.client_id));
        }
        for key in self.api_keys {
            let over = key.expires_at <= now;
            let verb = if over { "ended" } else { "ends" };
            let title = format!("The admin API key {} {verb}", key.name);
            let at = Some(key.expires_at);
            say("api_key", over, title, String::new(), at, About::ApiKey(key.id));
        }
        if !self.bare_admins.is_empty() {
            let title = match self.bare_admins.len() {
                1 => "A console account has no second factor".to_owned(),
                number => format!("{number} console accounts have no second factor"),
            };
            let detail = format!("{}. A password alone opens them.", self.bare_admins.join(", "));
            let about = About::Admins(self.bare_admins);
            say("admin_without_second_factor", false, title, detail, None, about);
        }
        for deletion in self.deletions {
            let title = "A deletion does not come to its end".to_owned();
            let detail = format!("It is {}.", deletion.state.as_str());
            let at = Some(deletion.requested_at);
            say("deletion", true, title, detail, at, About::Deletion(deletion.id));
        }
        if let Some(last) = self.deliveries.first() {
            let title = format!("{} messages to clients were given up", self.deliveries.len());
            let detail = format!("The last: {}", last.last_error.clone().unwrap_or_default());
            let about = About::Deliveries(self.deliveries.iter().map(|one| one.id).collect());
            say("deliveries", true, title, detail, None, about);
        }
        if self.unused_clients > 0 {
            let title = match self.unused_clients {
                1 => "A client has obtained no token for 90 days".to_owned(),
                number => format!("{number} clients have obtained no token for 90 days"),
            };
            let detail = "Disable what nobody uses any more.".to_owned();
            let about = About::UnusedClients(self.unused_clients);
            say("clients_unused", false, title, detail, None, about);
        }
        all.sort_by_key(|concern| !concern.urgent);
        all
    }
}
