//! `russet check`: what is wrong, in plain words, and where to mend it. Changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Place;
use super::answer::Answer;
use super::failure::CliError;
use crate::broker;
use crate::config::Config;
use crate::op::doctor;
use crate::op::keys::KeyKeeper;
use crate::op::master_key::{MasterKeyState, VaultKeeper};
use crate::op::{Parts, Policy, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::job::{JobCondition, JobState};
use crate::protocol::master_key::MasterKeys;
use crate::store::Store;
use crate::store::notifications::Heard;
use crate::upstream::{Connector, Finding, Verdict};

/// A job that has not run for so long does not run.
const QUIET: Duration = Duration::from_secs(15 * 60);

pub(super) async fn run(place: &Place) -> Result<Answer, CliError> {
    let mut findings = Findings::default();
    match place.config() {
        Ok(config) => {
            findings.fine("configuration", format!("read; the issuer is {}", config.issuer()));
            for warning in &config.warnings {
                findings.add(Verdict::Unknown, "configuration", warning.to_string());
            }
            look(place, &config, &mut findings).await;
        }
        Err(error) => {
            for problem in error.message().lines() {
                findings.wrong("configuration", problem);
            }
        }
    }
    Ok(findings.answer())
}

async fn look(place: &Place, config: &Config, findings: &mut Findings) {
    let masters = match config.master_keys() {
        Ok(masters) => {
            findings.fine("master key", "well-formed");
            Some(masters)
        }
        Err(problems) => {
            findings.wrong("master key", problems.to_string());
            None
        }
    };
    database(place, config, masters, findings).await;
    connections(place, config, findings).await;
}

async fn database(
    place: &Place,
    config: &Config,
    masters: Option<MasterKeys>,
    findings: &mut Findings,
) {
    let url = config.database.url.expose();
    if let Some(path) = url.strip_prefix("sqlite://")
        && !Path::new(path).exists()
    {
        let directory = Path::new(path).parent().filter(|directory| *directory != Path::new(""));
        if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
            let directory = directory.display();
            findings.wrong(
                "database",
                format!("there is no directory {directory}; make it, or correct database.url"),
            );
            return;
        }
        let message =
            format!("{path} is not there yet; `russet serve` or `russet migrate` makes it");
        return findings.add(Verdict::Unknown, "database", message);
    }
    let status = match Store::connect(url).await {
        Ok(store) => store.migration_status().await.map(|status| (store, status)),
        Err(fault) => Err(fault),
    };
    let (store, status) = match status {
        Ok(found) => found,
        Err(fault) => return findings.wrong("database", format!("{fault}; see database.url")),
    };
    let pending = status.iter().filter(|migration| !migration.applied).count();
    if pending > 0 {
        let message = format!("reached; {pending} migrations are pending, see `russet migrate`");
        return findings.add(Verdict::Unknown, "database", message);
    }
    findings.fine("database", "reached and up to date");
    let Some(masters) = masters else { return };
    let clock = Arc::clone(&place.surroundings.world.clock);
    jobs(&store, clock.now(), findings).await;
    let entropy = Arc::clone(&place.surroundings.world.entropy);
    let keeper = VaultKeeper::read(store.clone(), masters, Arc::clone(&clock), entropy).await;
    let keeper = match keeper {
        Ok(keeper) => keeper,
        Err(fault) => return findings.wrong("data keys", fault.to_string()),
    };
    match keeper.state().await {
        Ok(MasterKeyState::Current) => findings.fine("data keys", "open with this master key"),
        Ok(MasterKeyState::PreviousNeeded) => findings.add(
            Verdict::Unknown,
            "data keys",
            "open with a previous master key; run `russet keys rotate --master` once every \
             replica knows the new one",
        ),
        Ok(MasterKeyState::PreviousIdle) => findings.add(
            Verdict::Unknown,
            "data keys",
            "open with this master key; a previous one is still configured: see `russet keys \
             rotate --master` whether it can go",
        ),
        Err(fault) => findings.wrong("data keys", fault.to_string()),
    }
    let vault = Arc::clone(keeper.vault());
    let keys = KeyKeeper::new(store, vault, clock, Policy::default().key_rotation);
    match keys.reload().await {
        Ok(()) => findings.fine("signing keys", "open with this master key"),
        Err(fault) => findings.wrong(
            "signing keys",
            format!("{fault}; is secrets.master_key the one this database was made with?"),
        ),
    }
}

/// How the jobs say they stand. One that has not run for a while is told as well: perhaps no
/// broker runs.
async fn jobs(store: &Store, now: Timestamp, findings: &mut Findings) {
    let jobs = match store.list_job_states().await {
        Ok(jobs) => jobs,
        Err(fault) => return findings.wrong("jobs", fault.to_string()),
    };
    for job in jobs {
        let (verdict, message) = described(&job, now);
        findings.add(verdict, format!("job {}", job.name), message);
    }
}

fn described(job: &JobState, now: Timestamp) -> (Verdict, String) {
    let ago = |at: Option<Timestamp>| match at.map(|at| now.since(at).as_secs() / 60) {
        None => "never".to_owned(),
        Some(0) => "just now".to_owned(),
        Some(minutes @ 1..120) => format!("{minutes} minutes ago"),
        Some(minutes) => format!("{} hours ago", minutes / 60),
    };
    let last =
        format!("last run {}, last good answer {}", ago(job.last_run_at), ago(job.last_ok_at));
    let cause = job.detail.as_deref().unwrap_or("no cause was noted");
    match job.condition {
        JobCondition::Running if job.last_run_at.is_none_or(|at| now.since(at) > QUIET) => {
            (Verdict::Unknown, format!("{last}; it runs while `russet serve` does"))
        }
        JobCondition::Running => (Verdict::Fine, last),
        JobCondition::Paused => (
            Verdict::Unknown,
            format!("waits for the other side since {}: {cause}; {last}", ago(Some(job.since))),
        ),
        JobCondition::Held => (
            Verdict::Unknown,
            format!("held by an operator since {}; {last}", ago(Some(job.since))),
        ),
        JobCondition::Stopped => {
            (Verdict::Wrong, format!("stopped since {}: {cause}; {last}", ago(Some(job.since))))
        }
    }
}

async fn connections(place: &Place, config: &Config, findings: &mut Findings) {
    let outbound = broker::outbound(config);
    let connectors = match broker::connectors(config, &outbound) {
        Ok(connectors) => connectors,
        Err(error) => return findings.wrong("connections", error.to_string()),
    };
    let (connectors, heard) = match of_database(place, config, connectors.clone(), findings).await {
        Some((all, heard)) => (all, Some(heard)),
        None => (connectors, None),
    };
    if connectors.is_empty() && !config.local_accounts.enabled {
        let message = "none, so nobody can sign in; fill in [apple] unless only machines come";
        findings.add(Verdict::Unknown, "connections", message);
    }
    let now = place.surroundings.world.clock.now();
    for connector in connectors {
        let found = doctor::examine(connector.as_ref(), config.issuer(), heard.as_deref(), now);
        for finding in found.await {
            let subject = format!("{}: {}", connector.id(), finding.subject);
            findings.add(finding.verdict, subject, finding.message);
        }
    }
}

/// The connectors of file and database, if the database can be asked.
async fn of_database(
    place: &Place,
    config: &Config,
    file: Vec<Arc<dyn Connector>>,
    findings: &mut Findings,
) -> Option<(Vec<Arc<dyn Connector>>, Vec<Heard>)> {
    let path = config.database.url.expose().strip_prefix("sqlite://");
    if path.is_some_and(|path| !Path::new(path).exists()) {
        return None;
    }
    let store = Store::connect(config.database.url.expose()).await.ok()?;
    if store.migration_status().await.ok()?.iter().any(|migration| !migration.applied) {
        return None;
    }
    let keeper = VaultKeeper::read(
        store.clone(),
        config.master_keys().ok()?,
        Arc::clone(&place.surroundings.world.clock),
        Arc::clone(&place.surroundings.world.entropy),
    );
    let provider = Provider::new(Parts {
        registration: crate::op::registration::RegistrationPolicy::default(),
        issuer: config.issuer().to_owned(),
        policy: Policy::default(),
        clock: Arc::clone(&place.surroundings.world.clock),
        entropy: Arc::clone(&place.surroundings.world.entropy),
        vault_keeper: Arc::new(keeper.await.ok()?),
        store,
        connectors: file,
        outbound: broker::outbound(config),
        mutual_tls: crate::op::mutual_tls::MutualTls::default(),
        local_passwords: None,
    });
    provider.reload_connectors().await.ok()?;
    for (id, cause) in provider.connection_troubles() {
        findings.wrong(id.to_string(), cause);
    }
    let heard = provider.last_notifications().await.ok()?;
    Some((provider.connectors().to_vec(), heard))
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, verdict: Verdict, subject: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding { verdict, subject: subject.into(), message: message.into() });
    }

    fn fine(&mut self, subject: impl Into<String>, message: impl Into<String>) {
        self.add(Verdict::Fine, subject, message);
    }

    fn wrong(&mut self, subject: impl Into<String>, message: impl Into<String>) {
        self.add(Verdict::Wrong, subject, message);
    }

    fn answer(self) -> Answer {
        let good = self.0.iter().all(|finding| finding.verdict != Verdict::Wrong);
        let word = |verdict| match verdict {
            Verdict::Fine => "fine",
            Verdict::Unknown => "unknown",
            Verdict::Wrong => "wrong",
        };
        let text: String = self
            .0
            .iter()
            .map(|f| format!("{:8} {}: {}\n", word(f.verdict), f.subject, f.message))
            .collect();
        let verdict = if good { "Nothing is known to be wrong." } else { "Something is wrong." };
        let list: Vec<_> = self
            .0
            .iter()
            .map(|f| {
                json!({
                    "verdict": word(f.verdict),
                    "subject": f.subject,
                    "message": f.message,
                })
            })
            .collect();
        let json = json!({ "ok": good, "findings": list });
        Answer { text: format!("{text}{verdict}"), json, good }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_job_is_wrong_and_says_why() {
        let now = Timestamp::from_secs(1_000_000);
        let hour_ago = now.minus(Duration::from_secs(7200));
        let running = JobState {
            last_run_at: Some(now),
            last_ok_at: Some(hour_ago),
            ..JobState::new("daily_check:apple:TEAM".into(), hour_ago)
        };
        let (verdict, message) = described(&running, now);
        assert_eq!(verdict, Verdict::Fine);
        assert_eq!(message, "last run just now, last good answer 2 hours ago");
        let quiet = JobState { last_run_at: Some(hour_ago), ..running.clone() };
        assert_eq!(described(&quiet, now).0, Verdict::Unknown);
        let stopped = JobState {
            condition: JobCondition::Stopped,
            detail: Some("the key".into()),
            ..running.clone()
        };
        let (verdict, message) = described(&stopped, now);
        assert_eq!(verdict, Verdict::Wrong);
        assert!(message.contains("the key"));
        let paused = JobState { condition: JobCondition::Paused, ..running };
        assert_eq!(described(&paused, now).0, Verdict::Unknown);
    }

    #[test]
    fn one_wrong_finding_is_exit_1() {
        let mut findings = Findings::default();
        findings.add(Verdict::Unknown, "a", "b");
        assert!(Findings(findings.0.clone()).answer().good);
        findings.wrong("c", "d");
        assert!(!findings.answer().good);
    }
}
