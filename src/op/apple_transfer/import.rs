//! Transfer identifiers that another installation, or the old team, has collected.

use serde::Serialize;
use serde_json::json;

use super::TransferError;
use crate::op::Provider;
use crate::op::admin::Actor;
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::apple_transfer::{AppleTransfer, TransferState};
use crate::store::WriteTx;

/// Lines in one act.
const PAGE: usize = 500;

/// What to import.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// `sub` and `transfer_sub` of each person.
    pub rows: Vec<(String, String)>,
    /// The old team; every team that people are known in, but the new one, when absent.
    pub from: Option<String>,
    /// The new team; the one that is configured when absent.
    pub target: Option<String>,
    /// Look, and change nothing.
    pub dry_run: bool,
}

/// How the lines fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// The new team.
    pub to_team: String,
    /// Lines in the file.
    pub total: u64,
    /// Taken over, or to be taken over in a dry run.
    pub imported: u64,
    /// Known with the same identifier before.
    pub unchanged: u64,
    /// Nobody here has this `sub`.
    pub unknown: Vec<String>,
    /// The identifier is another person's, or the person has another one; nothing was changed.
    pub conflicts: Vec<String>,
}

enum Line {
    Imported,
    Unchanged,
    Unknown,
    Conflict,
}

impl Provider {
    /// Takes over transfer identifiers. People are found by their `sub` in the old team alone.
    ///
    /// # Errors
    /// [`TransferError::Admin`] when it is not clear which teams are meant.
    pub async fn import_apple_transfer(
        &self,
        actor: &Actor,
        import: Import,
    ) -> Result<ImportReport, TransferError> {
        actor.must_be(Role::Admin)?;
        let to = self.import_target(&import)?;
        let mut from: Vec<String> = match import.from {
            Some(team) => vec![team],
            None => self.store.list_apple_teams().await?,
        };
        from.retain(|team| *team != to);
        let mut report = ImportReport {
            to_team: to.clone(),
            total: import.rows.len() as u64,
            ..ImportReport::default()
        };
        let (now, dry_run) = (self.clock.now(), import.dry_run);
        let mut rows = import.rows.into_iter().peekable();
        while rows.peek().is_some() {
            let page: Vec<_> = rows.by_ref().take(PAGE).collect();
            let (from, to) = (from.clone(), to.clone());
            let lines = self
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        let mut lines = Vec::with_capacity(page.len());
                        for (subject, transfer_sub) in page {
                            let teams = (from.as_slice(), to.as_str());
                            let line = one(tx, teams, (&subject, &transfer_sub), dry_run, now);
                            lines.push((subject.clone(), line.await?));
                        }
                        Ok::<_, TransferError>(lines)
                    })
                })
                .await?;
            for (subject, line) in lines {
                match line {
                    Line::Imported => report.imported += 1,
                    Line::Unchanged => report.unchanged += 1,
                    Line::Unknown => report.unknown.push(subject),
                    Line::Conflict => report.conflicts.push(subject),
                }
            }
        }
        if !dry_run {
            let detail = json!({ "total": report.total, "imported": report.imported,
                "unknown": report.unknown.len(), "conflicts": report.conflicts.len() });
            self.note_transfer(actor, "apple_transfer.imported", (&from.join(","), &to), detail)
                .await?;
        }
        Ok(report)
    }

    fn import_target(&self, import: &Import) -> Result<String, TransferError> {
        let configured: Vec<String> =
            self.apple_connectors().into_iter().map(|(_, team)| team).collect();
        let of_one = || match configured.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        import
            .target
            .clone()
            .or_else(|| import.from.as_deref().and_then(|from| self.other_team(from)))
            .or_else(of_one)
            .ok_or_else(|| TransferError::usage("target", "name the Team ID the app moves to"))
    }
}

async fn one(
    tx: &WriteTx,
    (from, to): (&[String], &str),
    (subject, transfer_sub): (&str, &str),
    dry_run: bool,
    now: Timestamp,
) -> Result<Line, TransferError> {
    let mut person = None;
    for team in from {
        if let Some(identity) = tx.find_identity(&format!("apple:{team}"), subject).await? {
            person = Some((team, identity));
            break;
        }
    }
    let Some((team, identity)) = person else { return Ok(Line::Unknown) };
    if let Some(holder) = tx.find_apple_transfer_by_transfer_sub(to, transfer_sub).await? {
        let same = holder.subject == subject && holder.from_team == *team;
        return Ok(if same { Line::Unchanged } else { Line::Conflict });
    }
    let transfer = AppleTransfer {
        from_team: team.clone(),
        subject: subject.to_owned(),
        to_team: to.to_owned(),
        user_id: identity.user_id,
        transfer_sub: Some(transfer_sub.to_owned()),
        new_subject: None,
        state: TransferState::Collected,
        reason: None,
        created_at: now,
        updated_at: now,
    };
    match tx.find_apple_transfer(team, subject, to).await? {
        // What is known is never replaced: one of the two would be somebody else.
        Some(known) if known.transfer_sub.is_some() => Ok(Line::Conflict),
        Some(_) | None if dry_run => Ok(Line::Imported),
        Some(known) => {
            let advanced = tx.advance_apple_transfer(&transfer, known.state).await?;
            Ok(if advanced { Line::Imported } else { Line::Conflict })
        }
        None => {
            tx.insert_apple_transfer(&transfer).await?;
            Ok(Line::Imported)
        }
    }
}
